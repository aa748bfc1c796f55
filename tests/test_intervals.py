"""Intervals hold the truth as often as they say, and two that are alike are seldom told apart."""

from __future__ import annotations

import numpy as np
import pytest

from hubtl.transfer.completion import Completion
from hubtl.transfer.cosine import COSINES
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference, measure, values
from hubtl.transfer.number import NUMBERS
from hubtl.transfer.several import SOME_CLASSES
from hubtl.transfer.skew import lengthened
from hubtl.transfer.spans import SPANS
from hubtl.transfer.transcript import Transcript
from hubtl.transfer.written_spans import written

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


def assert_held(rows, metrics, truth):
    """Of 200 data sets, 92 to 98 % have an interval that holds the truth, in each metric told."""
    metrics = {name: metrics[name] for name in truth}
    found = [measure(*rows(), metrics, seed) for seed in range(SETS)]
    for name, value in truth.items():
        held = [each[name]["low"] <= value <= each[name]["high"] for each in found]
        assert 0.92 <= sum(held) / SETS <= 0.98, name


@pytest.mark.parametrize(
    ("classes", "right", "rows"), [(2, 0.9, 40), (3, 0.6, 100), (8, 0.8, 200), (12, 0.7, 200)]
)
def test_a_95_percent_interval_holds_the_truth_about_95_times_of_100(classes, right, rows):
    world = World(classes, right)
    truth = values(*world.rows(1_000_000), METRICS)
    assert_held(lambda: world.rows(rows), METRICS, truth)


def test_an_error_rate_of_words_is_held_too():
    goal, dice = Transcript(str), np.random.default_rng(0)

    def clips(count):
        true = [" ".join(dice.choice(list("abcdefgh"), dice.integers(2, 5))) for _ in range(count)]
        return true, [" ".join(w if dice.random() < 0.85 else "x" for w in t.split()) for t in true]

    assert_held(lambda: clips(100), goal.metrics, {"wer": 0.15})


def test_f1_of_spans_is_held_though_those_of_a_row_are_alike():
    dice, kinds = np.random.default_rng(0), ["PER", "LOC", "ORG"]

    def texts(count):
        pairs = []
        for right in dice.beta(8, 2, count):  # some texts are harder than others
            names = dice.choice(kinds, dice.integers(0, 6), p=[0.5, 0.3, 0.2])
            true = [(10 * place, 10 * place + 5, str(name)) for place, name in enumerate(names)]
            chances = [right, (1 - right) / 2, (1 - right) / 2]  # to be right, cut badly, missed
            how = dice.choice(3, len(true), p=chances)
            told = zip(true, how, strict=True)
            said = [(a, b + 2 * int(cut), kind) for (a, b, kind), cut in told if cut < 2]
            pairs.append((written(true), written(said)))
        return [list(side) for side in zip(*pairs, strict=True)]

    # Of spans 0.8 are right and 0.9 are said, whatever their type.
    assert_held(lambda: texts(200), SPANS.metrics, {"f1": 2 * 0.8 / 1.9})


def test_f1_of_several_labels_is_held():
    dice, often = np.random.default_rng(0), np.array([0.4, 0.25, 0.15, 0.1, 0.05])
    found, made_up = 0.8, 0.05
    said_often = often * found + (1 - often) * made_up
    truth = 2 * (often * found).sum() / (often + said_often).sum()

    def rows(count):
        true = dice.random((count, 5)) < often
        said = dice.random((count, 5)) < np.where(true, found, made_up)
        names = np.array(list("abcde"))
        return [[SOME_CLASSES.said(names[row]) for row in side] for side in (true, said)]

    assert_held(lambda: rows(200), SOME_CLASSES.metrics, {"f1": truth})


def test_a_mean_squared_error_is_held():
    dice = np.random.default_rng(0)

    def rows(count):
        true = dice.normal(50, 10, count)
        said = true + dice.normal(0, 5, count)
        return [[NUMBERS.said(each) for each in side] for side in (true, said)]

    assert_held(lambda: rows(200), NUMBERS.metrics, {"mse": 25.0})


def test_a_correlation_of_ranks_is_held_though_scores_are_tied():
    dice = np.random.default_rng(0)

    def pairs(count):
        alike, noise = dice.normal(size=(2, count))
        scores = np.clip(np.round(2.5 + 1.3 * alike), 0, 5)
        cosines = np.tanh(0.5 + 0.3 * alike + 0.26 * noise)
        return [[COSINES.said(each) for each in side] for side in (scores, cosines)]

    truth = values(*pairs(200_000), COSINES.metrics)["spearman"]
    assert_held(lambda: pairs(200), COSINES.metrics, {"spearman": truth})


def test_a_perplexity_is_held_though_tokens_of_a_row_are_alike():
    goal, dice = Completion(), np.random.default_rng(0)

    def rows(count):
        tokens = dice.integers(3, 40, count)
        hard = dice.gamma(4, 1.5 / 4, count)  # a token costs 1.5 nats, in some texts far more
        nats = dice.gamma(tokens / 2, 2 * hard)
        said = [goal.said(("", *each)) for each in zip(nats, tokens, strict=True)]
        return ["x"] * count, said

    assert_held(lambda: rows(200), goal.metrics, {"perplexity": np.exp(1.5)})


def test_only_the_longer_tail_of_what_few_rows_make_large_is_made_longer():
    even, skewed = np.linspace(-1, 1, 2001), np.random.default_rng(0).gamma(16, 1 / 16, 2000)
    assert lengthened(even, 0.0) == pytest.approx(even)
    longer = lengthened(skewed, 1.0)
    assert (longer[skewed <= 1] == skewed[skewed <= 1]).all()
    assert (longer[skewed > 1] > skewed[skewed > 1]).all()


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
