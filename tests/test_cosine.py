"""Scores of how alike things are: cosines follow them in order, whatever unit they are in."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from hubtl.transfer.compared import Compared
from hubtl.transfer.cosine import COSINES
from hubtl.transfer.feed import Rows
from hubtl.transfer.goal import other_kind
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.measure import measure, values
from hubtl.transfer.number import NUMBERS

DICE = np.random.default_rng(5)
HEAD = SimpleNamespace(head=lambda said: said)


def texts(numbers: object) -> list[str]:
    return [COSINES.said(each) for each in np.asarray(numbers).tolist()]


def loss_of(cosines: list[float], scores: list[float]) -> list[float]:
    """Return the loss of each row, as goals give it."""
    features, targets = torch.tensor(cosines)[:, None], np.array(scores)
    found: list[float] = COSINES.losses(HEAD, features, targets, torch.ones(1)).tolist()
    return found


def test_a_cosine_is_told_by_as_many_digits_as_fp32_has_and_a_score_by_all_of_its_own():
    assert COSINES.said(1.00000012) == "1.0" and COSINES.said(-1e-9) == "0.0"
    assert COSINES.read(" 1e-9 ") == "1e-09"


def test_metrics_are_scipys_on_every_resample():
    true = DICE.integers(0, 6, 60).astype(float)
    said = np.tanh(true / 5 + DICE.normal(size=60))
    drawn = np.stack([np.ones(60, int), *DICE.multinomial(60, np.full(60, 1 / 60), 40)])
    labels = [np.array(NUMBERS.said(each)) for each in true], [NUMBERS.said(e) for e in said]
    found = {
        name: metric(*map(np.array, labels), drawn.astype(float))
        for name, metric in COSINES.metrics.items()
    }
    assert list(found) == ["spearman", "pearson"]
    for number, counts in enumerate(drawn):
        a, b = np.repeat(true, counts), np.repeat(said, counts)
        assert found["spearman"][number] == pytest.approx(spearmanr(a, b).statistic)
        assert found["pearson"][number] == pytest.approx(pearsonr(a, b).statistic)


def test_intervals_hold_what_was_measured():
    true = texts(np.arange(200) / 200)
    said = texts(np.arange(200) / 300 + 0.2 * DICE.normal(size=200))
    for found in measure(true, said, COSINES.metrics).values():
        assert 0 < found["low"] < found["value"] < found["high"] < 1
        assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * _error(found, 200), rel=0.3)


def _error(found: dict[str, float], rows: int) -> float:
    """Return the standard error of a correlation, by Fisher's transformation."""
    return (1 - found["value"] ** 2) / math.sqrt(rows - 3)


def test_a_side_that_is_constant_correlates_with_nothing():
    told = {"spearman": 0.0, "pearson": 0.0}
    assert values(texts([0, 1, 2]), texts([0.5] * 3), COSINES.metrics) == told
    assert values(texts([1, 1]), texts([0.1, 0.2]), COSINES.metrics) == told


def test_the_loss_of_a_row_is_by_how_far_others_with_another_score_are_out_of_order():
    low, high, tied = 0.2, 0.3, 0.9
    found = loss_of([low, high, tied], [5.0, 1.0, 5.0])
    apart, right = math.exp(20 * (high - low)), math.exp(20 * (high - tied))
    assert found == pytest.approx(
        [math.log1p(apart), math.log1p(apart + right), math.log1p(right)], abs=1e-4
    )
    assert loss_of([0.1, 0.9], [3.0, 3.0]) == [0.0, 0.0]


def test_the_loss_is_the_same_whatever_unit_scores_are_in():
    cosines, scores = [0.1, 0.5, 0.3], [0.0, 1.0, 2.0]
    assert loss_of(cosines, scores) == loss_of(cosines, [1e6 + 1e3 * each for each in scores])


def test_a_goal_remembers_how_scores_lie_and_says_how_far_off_a_cosine_is_by_their_ends():
    goal = COSINES.of(["1.0", "3.0", "5.0"], "stars")
    again = COSINES.recalled(goal.noted(), goal.classes([]))
    assert again.noted() == goal.noted() and again.name == "stars"
    assert (again.mean, again.least, again.most) == (3.0, 1.0, 5.0)
    assert again.wrong("5.0", "0.75", (), ()) == 0.25 and again.wrong("3.0", "0.5", (), ()) == 0
    assert COSINES.of(["2.0", "2.0"]).wrong("2.0", "0.3", (), ()) == 0
    assert again.unit == 1.0 and other_kind(goal, NUMBERS)


def test_shares_of_rows_tell_how_far_a_correlation_may_be_off():
    """Of 400 drawn sets, what one's shares say is as wide as the sets lie apart."""
    found, told = [], []
    for _ in range(400):
        a = DICE.normal(size=100)
        true, said = texts(a), texts(0.8 * a + 0.6 * DICE.normal(size=100))
        found.append(values(true, said, COSINES.metrics)["spearman"])
        told.append(COSINES.shares(true, said, found[-1]).std() / 10)
    assert np.mean(told) == pytest.approx(np.std(found), rel=0.15)


def test_rows_share_in_the_correlation_of_ranks_which_is_their_mean():
    true, said = texts([0, 0, 1, 2, 5]), texts([0.1, 0.3, 0.3, 0.2, 0.9])
    metric = values(true, said, COSINES.metrics)["spearman"]
    shares = COSINES.shares(true, said, metric)
    # Ranks from their mean: 1.5 1.5 3 4 5 and 1 3.5 3.5 2 5.
    a, b = np.array([-1.5, -1.5, 0, 1, 2]), np.array([-2, 0.5, 0.5, -1, 2])
    a, b = a / np.sqrt(np.mean(a**2)), b / np.sqrt(np.mean(b**2))
    assert shares == pytest.approx(metric + a * b - metric * (a**2 + b**2) / 2)
    assert shares.mean() == pytest.approx(metric) and (a * b).argmax() == 4
    assert not COSINES.shares(true, texts([0.5] * 5), 0.0).any()


@pytest.mark.parametrize("gap", [1e-5, 1e-3, 0.05])
def test_cosines_that_are_off_by_a_gap_change_the_correlation_by_no_more_than_the_slack(gap):
    for rows in (20, 200):
        true = texts(DICE.permutation(rows))
        for spread in (0.01, 0.5):
            cosines = spread * DICE.normal(size=rows)
            off = cosines + gap * DICE.choice([-1, 1], rows)
            now, then = (
                values(true, texts(each), COSINES.metrics)["spearman"] for each in (off, cosines)
            )
            assert abs(now - then) <= COSINES.slack(then, gap, texts(cosines))
    assert COSINES.slack(0.5, 1e-6, texts([0.1, 0.2, 0.3])) == 0


def lesson(at_once: int | None) -> tuple[Compared, torch.nn.Linear]:
    """Return a lesson of 50 rows in batches of 16, and the network that it teaches."""
    torch.manual_seed(0)
    body, x = torch.nn.Linear(4, 1), torch.randn(50, 4)
    sizes = [1 + number % 5 for number in range(50)]
    feed = SimpleNamespace(sizes=sizes, features=lambda numbers: body(x[list(numbers)]))
    head = torch.nn.Identity()
    head.out_features = 1
    network = SimpleNamespace(body=body, head=head, device=torch.device("cpu"), alike=False)
    rows = Rows(feed, np.arange(50) % 7 / 7, COSINES)
    schedule = Schedule(epochs=2, rows=16, rate=0.1, patience=1, at_once=at_once)
    return Compared(network, rows, None, schedule, seed=0), body


def test_each_row_is_met_once_an_epoch_each_time_among_others():
    made, _ = lesson(None)
    batches = [made.batch(step) for step in range(2 * made.steps)]
    assert sorted(map(len, batches[: made.steps])) == [12, 12, 13, 13]
    assert sorted(sum(batches[: made.steps], [])) == list(range(50))
    assert set(map(frozenset, batches[: made.steps])).isdisjoint(map(frozenset, batches[4:]))
    assert batches[1] == made.batch(1) and made.positions(batches[0]) >= len(batches[0])


def test_a_batch_that_goes_through_in_portions_teaches_the_same():
    slopes, losses = [], []
    for at_once in (None, 12):
        made, body = lesson(at_once)
        losses.append(made.add_up(made.batch(0)))
        slopes.append(body.weight.grad)
    assert losses[0] == pytest.approx(losses[1]) and slopes[0].abs().max() > 0.01
    torch.testing.assert_close(slopes[0], slopes[1])
