"""The head that every recipe starts from: a logistic regression that is read in blocks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hubtl.transfer import features
from hubtl.transfer.cross_validation import folded
from hubtl.transfer.features import Labelled
from hubtl.transfer.probe import balanced, fit_head


def labelled(x, y, weights=None, groups=None) -> Labelled:
    """Return rows as a head is fitted to them."""
    y = np.asarray(y)
    weights = np.ones(len(y)) if weights is None else weights
    x = np.asarray(x, dtype=np.float32)
    return Labelled(x, np.arange(len(y)), y, weights, groups)


def made(classes: int, rows: int = 90):
    """Return features that tell the classes apart, more or less."""
    dice = np.random.default_rng(0)
    y = dice.integers(0, classes, rows)
    return dice.normal(size=(rows, 5)) + np.eye(5)[y] * 1.5, y


def gap(head, x, y, weights=None) -> float:
    """Return by how much a head's probabilities differ from scikit-learn's for the same C."""
    scale = np.asarray(x, dtype=np.float32).std(ddof=1)
    model = LogisticRegression(C=head.strength, max_iter=500).fit(x / scale, y, weights)
    logits = x @ head.weight.numpy().T + head.bias.numpy()
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return float(np.abs(probability - model.predict_proba(x / scale)).max())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_head_is_the_logistic_regression_of_its_strength(classes):
    x, y = made(classes)
    assert gap(fit_head(labelled(x, y), classes), x, y) < 1e-3


def test_with_class_weights_it_is_that_of_weighted_rows():
    x, y = made(3)
    kept = (y != 2) | (np.arange(90) % 7 == 0)
    x, y = x[kept], y[kept]
    weights = balanced(np.bincount(y))[y]
    assert np.allclose([weights[y == label].sum() for label in range(3)], len(y) / 3)
    assert gap(fit_head(labelled(x, y, weights), 3), x, y, weights) < 1e-3


def test_features_far_from_zero_do_not_disturb_it():
    x, y = made(3)
    here, there = fit_head(labelled(x, y), 3), fit_head(labelled(x + 1000.0, y), 3)
    assert here.strength == there.strength
    assert np.allclose(here.weight, there.weight, rtol=1e-2, atol=1e-3)


def test_in_blocks_comes_what_comes_in_one(monkeypatch):
    x, y = made(3)
    whole = fit_head(labelled(x, y), 3)
    monkeypatch.setattr(features, "BLOCK", 7)
    parts = fit_head(labelled(x, y), 3)
    assert whole.strength == parts.strength
    assert np.allclose(whole.weight, parts.weight, atol=1e-4)


def test_a_class_with_one_row_does_not_stop_the_cross_validation():
    x = np.array([[0.0], [0.1], [1.0], [1.1], [5.0]])
    head = fit_head(labelled(x, [0, 0, 1, 1, 2]), 3)
    assert (x @ head.weight.numpy().T + head.bias.numpy()).argmax(1).tolist()[-1] == 2


def test_a_group_that_gives_its_label_away_does_not_choose_the_strength():
    # The features tell the groups apart, and with them the labels of known groups only.
    dice = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 6)
    y = np.repeat(dice.integers(0, 2, 30), 6)
    x = dice.normal(size=(30, 20))[groups] + 0.01 * dice.normal(size=(180, 20))
    bound, free = fit_head(labelled(x, y, groups=groups), 2), fit_head(labelled(x, y), 2)
    assert (bound.strength, free.strength) == (0.01, 100.0)
    assert bound.loss > free.loss


def test_where_no_row_can_be_held_out_the_strength_is_the_middle_one_and_nothing_is_told_of_it():
    x = np.eye(5)[:3]
    one_a_class = fit_head(labelled(x, [0, 1, 2]), 3)
    of_one_group = fit_head(labelled([*x, *x], [0, 1, 2] * 2, groups=np.zeros(6, np.int64)), 3)
    for head in (one_a_class, of_one_group):
        assert (head.strength, head.folds, head.loss, head.held_out) == (1.0, 0, None, None)
        assert ((x @ head.weight.numpy().T + head.bias.numpy()).argmax(1) == [0, 1, 2]).all()


def test_a_class_of_one_group_is_not_held_out_from_heads_that_never_saw_it():
    dice = np.random.default_rng(0)
    groups, y = np.repeat(np.arange(10), 6), np.tile([0, 1, 1], 20)
    y[:6] = 2  # of the first group alone
    x = 4 * np.eye(3, 8)[y] + 0.1 * dice.normal(size=(60, 8))
    rows = labelled(x, y, groups=groups)
    for train, others in folded(rows, 5, seed=0):
        assert not set(groups[train]) & set(groups[others])
        assert set(y[others]) <= set(y[train])
    loss = fit_head(rows, 3, folds=5).loss
    assert loss is not None and loss < 0.1, "nothing of it counts as told wrong"
