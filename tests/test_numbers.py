"""Labels that are numbers: read, learnt, measured and judged by how far off they are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error, r2_score

from hubtl.transfer.agreement import compare
from hubtl.transfer.features import Labelled
from hubtl.transfer.feed import Rows
from hubtl.transfer.fit import fit
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.measure import gain, measure, values
from hubtl.transfer.number import NUMBERS, Numbers
from hubtl.transfer.probe import deviation
from hubtl.transfer.ridge import fit_ridge

DICE = np.random.default_rng(3)
X = (DICE.normal(size=(300, 20)) * np.linspace(0.2, 3, 20) + 5).astype(np.float32)
Y = 70_000 + 400 * X[:, :3].sum(axis=1) + 60 * DICE.normal(size=300)
ROWS = Labelled(X, np.arange(300), Y, np.ones(300))


def texts(numbers: object) -> list[str]:
    return [NUMBERS.said(each) for each in np.asarray(numbers).tolist()]


@pytest.mark.parametrize(
    ("cell", "label"),
    [(" 12 ", "12.0"), ("1.20e1", "12.0"), ("-0", "0.0"), ("0.1", "0.1"), ("-3", "-3.0")],
)
def test_a_number_is_written_one_way(cell, label):
    assert NUMBERS.read(cell) == label
    assert NUMBERS.said(NUMBERS.shown(label)) == label


@pytest.mark.parametrize("cell", ["", "cheap", "nan", "inf", "1,5", "1_000", "1e31", "12 EUR"])
def test_what_is_no_finite_number_is_no_label(cell):
    with pytest.raises(ValueError, match="no finite number"):
        NUMBERS.read(cell)


def test_metrics_of_numbers_are_scikit_learns_and_scipys_on_every_resample():
    true = DICE.integers(0, 9, 60).astype(float)
    said = np.round(true + 3 * DICE.normal(size=60))
    drawn = np.stack([np.ones(60, int), *DICE.multinomial(60, np.full(60, 1 / 60), 40)])
    found = {
        name: metric(np.array(texts(true)), np.array(texts(said)), drawn.astype(float))
        for name, metric in NUMBERS.metrics.items()
    }
    for number, counts in enumerate(drawn):
        a, b = np.repeat(true, counts), np.repeat(said, counts)
        assert found["mse"][number] == pytest.approx(mean_squared_error(a, b))
        assert found["r2"][number] == pytest.approx(r2_score(a, b))
        assert found["spearman"][number] == pytest.approx(spearmanr(a, b).statistic)


def test_a_side_that_is_constant_correlates_with_nothing_and_explains_nothing():
    assert values(texts([1, 2, 3]), texts([2, 2, 2]), NUMBERS.metrics) == {
        "mse": pytest.approx(2 / 3), "r2": pytest.approx(0.0), "spearman": 0.0
    }  # fmt: skip
    assert values(texts([7, 7]), texts([6, 9]), NUMBERS.metrics) == {
        "mse": 2.5, "r2": 0.0, "spearman": 0.0
    }  # fmt: skip


def test_the_intervals_of_numbers_may_lie_below_zero_and_less_error_is_a_gain():
    true = texts(np.arange(50))
    near, far = texts(np.arange(50) + 0.5), texts(49 - np.arange(50))
    found = measure(true, far, NUMBERS.metrics)
    assert found["spearman"]["value"] == pytest.approx(-1)
    assert found["r2"]["low"] < found["r2"]["value"] < found["r2"]["high"] < -2
    assert gain(true, near, far, NUMBERS.metrics)["low"] > 0


@pytest.mark.parametrize("strength", [0.001, 1.0, 100.0])
def test_a_head_of_numbers_is_scikit_learns_ridge(strength):
    found = fit_ridge(ROWS, strengths=(strength,))
    theirs = Ridge(alpha=deviation(ROWS) ** 2 / strength).fit(X.astype(np.float64), Y)
    np.testing.assert_allclose(found.weight[0], theirs.coef_, rtol=1e-4, atol=1e-2)
    assert float(found.bias) == pytest.approx(theirs.intercept_, rel=1e-6)


def test_rows_that_weigh_more_are_as_rows_that_are_there_more_often():
    counts = DICE.integers(1, 4, 300)
    weighed = fit_ridge(Labelled(X, np.arange(300), Y, counts.astype(float)), strengths=(1.0,))
    again = np.repeat(np.arange(300), counts)
    alpha = deviation(ROWS) ** 2
    theirs = Ridge(alpha=alpha).fit(X[again].astype(np.float64), Y[again])
    np.testing.assert_allclose(weighed.weight[0], theirs.coef_, rtol=1e-3, atol=1e-2)


def test_the_strength_is_the_one_that_errs_least_on_rows_held_out():
    noise = replace_targets(DICE.normal(size=300))
    assert fit_ridge(noise).strength <= 1e-3 < 1e-1 <= fit_ridge(ROWS).strength
    assert fit_ridge(noise).loss == pytest.approx(1, abs=0.05)
    assert fit_ridge(ROWS).loss == pytest.approx(60**2 / Y.var(), rel=0.35)


def test_rows_of_a_group_are_on_one_side_of_a_fold():
    labels = np.repeat(DICE.normal(size=30), 10)
    groups = np.repeat(np.arange(30), 10)
    told = (np.eye(30)[groups] + 0.01 * DICE.normal(size=(300, 30))).astype(np.float32)
    alone = Labelled(told, np.arange(300), labels, np.ones(300))
    bound = Labelled(told, np.arange(300), labels, np.ones(300), groups)
    assert fit_ridge(alone).loss < 0.1 and fit_ridge(bound).loss > 0.9


def test_one_row_or_labels_all_alike_give_a_head_that_says_just_that():
    one = fit_ridge(ROWS.some(np.array([0])))
    assert (one.folds, one.loss) == (0, None)
    same = fit_ridge(replace_targets(np.full(300, 7.5)))
    assert not same.weight.any() and float(same.bias) == 7.5


def test_a_head_says_the_number_in_its_own_unit():
    goal = NUMBERS.of(texts(Y), "grams")
    head = goal.fit_head(ROWS, 1, folds=5, seed=0)
    logits = X @ head.weight.numpy().T + head.bias.numpy()
    assert goal.classes(texts(Y)) == ("grams",)
    said = goal.likeliest(logits, ("grams",))
    assert values(texts(Y), said, goal.metrics)["r2"] > 0.85
    network = SimpleNamespace(head=lambda x: x @ head.weight.T + head.bias)
    losses = goal.losses(network, torch.from_numpy(X), Y, torch.ones(1))
    assert losses.shape == (300,)
    assert float(losses.mean()) == pytest.approx(
        values(texts(Y), said, goal.metrics)["mse"] / Y.var(), rel=1e-3
    )


def test_a_head_learns_the_same_whatever_the_unit():
    grams, tonnes = trained(1.0, 0.0), trained(1e-6, 1e-3)
    assert not np.allclose(grams, grams.mean(), rtol=1e-3)
    np.testing.assert_allclose((tonnes - 1e-3) / 1e-6, grams, rtol=1e-3)


def test_a_head_says_the_same_before_while_and_after_it_learns_in_even_units():
    head = torch.nn.Linear(20, 1)
    x = torch.from_numpy(X)
    with torch.no_grad():
        before = head(x)
        with Numbers("grams", 70_000.0, 900.0).even(head):
            learnt = {name for name, _ in head.named_parameters()}
            torch.testing.assert_close(head(x), before, rtol=0, atol=1e-2)
        torch.testing.assert_close(head(x), before, rtol=0, atol=1e-2)
    assert all(name.endswith("original") for name in learnt)
    assert {name for name, _ in head.named_parameters()} == {"weight", "bias"}


@pytest.mark.parametrize(
    ("off", "holds"), [(0.0, True), (0.05, True), (0.2, False), (np.nan, False)]
)
def test_numbers_agree_as_far_as_their_labels_deviate(off, holds):
    goal = Numbers("grams", 0.0, 100.0)
    first, second = [[100.0], [-100.0]], [[100.0 + off], [-100.0]]
    labels = [[goal.said(row[0]) for row in logits] for logits in (first, second)]
    found = compare(labels[0], first, labels[1], second, goal)
    assert (found.holds, found.near_ties, found.other_labels) == (holds, 0, int(not holds))
    assert "of the labels' deviation" in str(found)


def test_fp32_holds_no_finer_unit_than_a_mean_far_from_zero_allows():
    assert Numbers("year", 2000.0, 30.0).unit == pytest.approx(30, rel=0.01)
    assert Numbers("second", 1.7e9, 1.0).unit == pytest.approx(1.7e6)


def replace_targets(targets: np.ndarray) -> Labelled:
    return Labelled(X, np.arange(300), targets, np.ones(300))


def trained(scale: float, shift: float) -> np.ndarray:
    """Return what a small network says in the end of rows, in another unit."""
    torch.manual_seed(0)
    y = Y * scale + shift
    goal = NUMBERS.of(texts(y))
    body, head = torch.nn.Linear(20, 8), torch.nn.Linear(8, 1)
    with torch.no_grad():
        head.weight.mul_(goal.deviation)
        head.bias.mul_(goal.deviation).add_(goal.mean)
    network = SimpleNamespace(
        body=body, head=head, device=torch.device("cpu"), alike=False, above=()
    )
    x = torch.from_numpy((X - 5) / 3)
    feed = SimpleNamespace(sizes=[1] * 300, features=lambda numbers: body(x[list(numbers)]))
    rows = Rows(feed, goal.targets(texts(y), ("number",)), goal)
    fit(network, rows, None, Schedule(epochs=3, rows=32, rate=1e-2, patience=1), seed=0)
    return head(body(x)).detach().numpy()[:, 0]
