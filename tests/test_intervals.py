"""Intervals hold the truth as often as they say, and two that are alike are seldom told apart."""

from __future__ import annotations

import numpy as np
import pytest

from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference, measure, values
from hubtl.transfer.transcript import Transcript

SETS = 200
PAIRS = 600
METRICS = ONE_CLASS.metrics


class World:
    """Classes of which some are rare, and a model that takes each for another now and then."""

    def __init__(self, classes: int, right: float) -> None:
        dice = np.random.default_rng(classes)
        often = 1 / np.arange(1, classes + 1) ** 0.5
        self.often = often / often.sum()
        strays = dice.dirichlet(np.ones(classes), classes)
        self.said = right * np.eye(classes) + (1 - right) * strays
        self.dice = dice

    def rows(self, count: int) -> tuple[list[str], list[str]]:
        true = self.dice.choice(len(self.often), count, p=self.often)
        steps = self.said.cumsum(axis=1)[true] < self.dice.random((count, 1))
        said = np.minimum(steps.sum(axis=1), len(self.often) - 1)
        return [str(each) for each in true], [str(each) for each in said]


@pytest.mark.parametrize(
    ("classes", "right", "rows"), [(2, 0.9, 40), (3, 0.6, 100), (8, 0.8, 200), (12, 0.7, 200)]
)
def test_a_95_percent_interval_holds_the_truth_about_95_times_of_100(classes, right, rows):
    world = World(classes, right)
    truth = values(*world.rows(1_000_000), METRICS)
    found = [measure(*world.rows(rows), METRICS, seed) for seed in range(SETS)]
    for name, value in truth.items():
        held = [each[name]["low"] <= value <= each[name]["high"] for each in found]
        assert 0.92 <= sum(held) / SETS <= 0.98, name


def test_an_error_rate_of_words_is_held_too():
    goal, dice = Transcript(str), np.random.default_rng(0)

    def clips(count):
        true = [" ".join(dice.choice(list("abcdefgh"), dice.integers(2, 5))) for _ in range(count)]
        return true, [" ".join(w if dice.random() < 0.85 else "x" for w in t.split()) for t in true]

    found = [measure(*clips(100), goal.metrics, seed)["wer"] for seed in range(SETS)]
    assert 0.92 <= sum(each["low"] <= 0.15 <= each["high"] for each in found) / SETS <= 0.98


def test_thirty_right_of_thirty_are_no_certainty():
    found = measure(["a", "b", "c"] * 10, ["a", "b", "c"] * 10, METRICS)["accuracy"]
    assert found["value"] == found["high"] == 1.0
    assert found["low"] == pytest.approx(0.86, abs=0.02)


@pytest.mark.parametrize(("rows", "differ"), [(40, 0.1), (100, 0.1), (300, 0.3)])
def test_two_that_are_alike_are_told_apart_no_more_than_5_times_of_100(rows, differ):
    dice, alarms = np.random.default_rng(rows), 0
    for seed in range(PAIRS):
        true = dice.integers(0, 3, rows)
        wrong, ours = (true + 1) % 3, dice.random(rows) < 0.8
        theirs = np.where(dice.random(rows) < differ, dice.random(rows) < 0.8, ours)
        said = [np.where(right, true, wrong).astype(str).tolist() for right in (ours, theirs)]
        found = difference(true.astype(str).tolist(), *said, METRICS, "accuracy", seed)
        alarms += found["low"] > 0 or found["high"] < 0
    assert alarms / PAIRS <= 0.05


def test_four_rows_of_thirty_are_too_few_to_tell_two_apart():
    true = ["a", "b", "c"] * 10
    theirs = ["b", "c", "a", "b", *true[4:]]
    assert difference(true, true, theirs, METRICS, "accuracy")["low"] <= 0
    theirs = [*["b", "c", "a"] * 3, *true[9:]]
    assert difference(true, true, theirs, METRICS, "accuracy")["low"] > 0
