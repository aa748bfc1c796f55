"""Metrics agree with scikit-learn, and intervals with what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from hubtl.transfer.agreement import compare
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference, measure, values

GENERATOR = np.random.default_rng(3)
METRICS = ONE_CLASS.metrics
TRUE = [str(x) for x in GENERATOR.integers(0, 4, 300)]
GUESS = [t if GENERATOR.random() < 0.7 else str(GENERATOR.integers(0, 4)) for t in TRUE]


def test_values_are_scikit_learns():
    assert values(TRUE, GUESS, METRICS) == {
        "accuracy": pytest.approx(accuracy_score(TRUE, GUESS)),
        "macro_f1": pytest.approx(f1_score(TRUE, GUESS, average="macro")),
    }


def test_an_interval_of_accuracy_is_about_the_binomial_one():
    found = measure(TRUE, GUESS, METRICS)["accuracy"]
    half = 1.96 * np.sqrt(found["value"] * (1 - found["value"]) / len(TRUE))
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.1)
    assert found["low"] < found["value"] < found["high"]


def test_equal_predictions_differ_by_nothing():
    none = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert difference(TRUE, GUESS, GUESS, METRICS, "accuracy") == none


def test_a_pair_is_told_apart_more_finely_than_two_alone():
    better = [t if n % 10 == 0 else g for n, (t, g) in enumerate(zip(TRUE, GUESS, strict=True))]
    gap = difference(TRUE, better, GUESS, METRICS, "accuracy")
    alone = measure(TRUE, better, METRICS)["accuracy"], measure(TRUE, GUESS, METRICS)["accuracy"]
    assert gap["low"] > 0
    assert alone[0]["low"] < alone[1]["high"]


def test_the_same_seed_gives_the_same_interval():
    assert measure(TRUE, GUESS, METRICS, 5) == measure(TRUE, GUESS, METRICS, 5)
    assert measure(TRUE, GUESS, METRICS, 5) != measure(TRUE, GUESS, METRICS, 6)


LOGITS = [[2.0, 1.0], [0.5, 0.50005], [0.0, 3.0]]
LABELS = ["a", "b", "b"]


def test_the_same_predictions_agree():
    found = compare(LABELS, LOGITS, LABELS, LOGITS)
    assert found.holds and found.widest == 0


def test_one_label_or_one_logit_is_enough_to_differ():
    assert not compare(LABELS, LOGITS, ["b", "b", "b"], LOGITS).holds
    moved = [[2.0, 1.0], [0.5, 0.50005], [0.0, 3.0011]]
    found = compare(LABELS, LOGITS, LABELS, moved)
    assert (found.holds, found.far_logits, found.worst) == (False, 1, 2)


def test_a_near_tie_may_fall_the_other_way_and_is_counted_apart():
    found = compare(LABELS, LOGITS, ["a", "a", "b"], LOGITS)
    assert (found.holds, found.near_ties, found.other_labels) == (True, 1, 0)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_no_number_differs(broken):
    assert not compare(LABELS, LOGITS, LABELS, [[broken, 1.0], *LOGITS[1:]]).holds


def test_a_missing_row_differs():
    assert not compare(LABELS, LOGITS, LABELS[:2], LOGITS[:2]).holds
