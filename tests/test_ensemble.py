"""Scores, priors and past results make one ranking, which shows its parts and its ties."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from hubtl.transfer.ensemble import DOUBT, PAST, Past, combine, fixed, past_standing, standing
from hubtl.transfer.evidence import evidence
from hubtl.transfer.neighbours import neighbours
from hubtl.transfer.scoring import resampled, sample_of
from hubtl.transfer.ties import level, ties
from hubtl.transfer.weighing import learnt

UNKNOWN = float("nan")
STEP = np.sqrt(1.5)  # three ranks, standardised: -STEP, 0, STEP


def numbers(*values: float) -> np.ndarray:
    return np.array(values)


def world(dice, candidates: int, **noise: float):
    """How good candidates are, and what each part says of them: that with noise."""
    good = dice.normal(size=candidates)
    return good, {name: good + sd * dice.normal(size=candidates) for name, sd in noise.items()}


def test_a_score_is_the_weighted_mean_of_standardised_ranks_and_shows_its_parts():
    scores = {"probe": numbers(0.7, 0.8, 0.9), "logme": numbers(1, 3, 2)}
    priors = {"benchmark": numbers(70, 80, 75), "parameters": numbers(1e6, 2e6, 9e6)}
    found = combine(scores, priors)
    total = 0.5 + 0.5 + 1 + 0.5 + DOUBT
    assert found.weights == {"probe": 0.5, "logme": 0.5, "benchmark": 1.0, "parameters": 0.5}
    assert np.allclose(found.parts["probe"] * total, numbers(-STEP, 0, STEP) / 2)
    assert np.allclose(found.parts["benchmark"] * total, numbers(-STEP, STEP, 0))
    assert np.allclose(found.score, sum(found.parts.values()))
    assert np.allclose(found.score * total, STEP * numbers(-2.5, 1.5, 1))


def test_what_measures_a_linear_head_counts_where_that_is_what_is_adapted():
    scores, priors = ("probe", "neighbours", "logme"), {"benchmark": None, "downloads": None}
    told = fixed(dict.fromkeys(scores), priors, frozen=True)
    assert told == pytest.approx(
        {"probe": 0.5, "neighbours": 0, "logme": 0.5, "benchmark": 0.1, "downloads": 0, PAST: 0.3}
    )
    strangers = dict.fromkeys(("one", "other"))
    assert fixed(strangers, priors, frozen=True) == fixed(strangers, priors)


def test_a_prior_that_no_table_judged_is_shown_and_not_counted():
    found = combine({"probe": numbers(1, 2, 3)}, {"downloads": numbers(9, 5, 1)})
    assert found.weights["downloads"] == 0 and not found.parts["downloads"].any()


def test_what_is_unknown_is_left_out_for_that_candidate_alone():
    scores = {"probe": numbers(1, 2, 3), "logme": numbers(1, UNKNOWN, 3)}
    found = combine(scores, {"benchmark": numbers(UNKNOWN, UNKNOWN, UNKNOWN)})
    assert np.isnan(found.parts["logme"]).tolist() == [False, True, False]
    assert np.isnan(found.parts["benchmark"]).all()
    assert found.score[1] == 0 and found.score[2] == -found.score[0] > 0


def test_a_candidate_of_which_less_is_known_is_neither_favoured_nor_out_of_the_race():
    dice = np.random.default_rng(0)
    chosen = best = 0
    regrets = []
    for _ in range(600):
        good, said = world(dice, 8, probe=1.2, logme=1.2, benchmark=1.2)
        said["benchmark"][:4] = UNKNOWN
        said["logme"][:4] = UNKNOWN
        scores = {name: said[name] for name in ("probe", "logme")}
        first = combine(scores, {"benchmark": said["benchmark"]}).score.argmax()
        chosen += first < 4
        best += good.argmax() < 4
        regrets.append(good.max() - good[first])
    # Those of which more is known stand out more, so they lead more often than they are the best.
    assert 0.15 < chosen / 600 < 0.45 < best / 600 < 0.55
    assert np.mean(regrets) < 0.55  # of any choice 1.42


def test_ranks_of_draws_are_those_of_each_draw():
    draws = np.random.default_rng(0).normal(size=(5, 4))
    draws[2, 1] = UNKNOWN
    assert np.allclose(standing(draws), [standing(draw) for draw in draws], equal_nan=True)
    prior = {"benchmark": numbers(1, 2, 3, 4)}
    whole = combine({"probe": draws}, prior).score
    assert np.allclose(whole, [combine({"probe": draw}, prior).score for draw in draws])


def test_results_on_other_sets_stand_as_mean_ranks_where_all_ran_on_all():
    results = [numbers(90, 80, 70, 60), numbers(0.5, 0.7, 0.6, 0.4)]
    found, often = past_standing(results)
    ranks = numbers(4 + 2, 3 + 4, 2 + 3, 1 + 1) / 2
    assert np.allclose(found, (2 * ranks - 5) / 4 * np.sqrt(3)) and (often == 2).all()


def test_a_rank_among_the_best_few_is_not_taken_for_one_among_all():
    # The second best ran against the best alone, and lost each time.
    results = [numbers(9, 8, 7, 6, 5)] + [numbers(9, 8, UNKNOWN, UNKNOWN, UNKNOWN)] * 4
    found, often = past_standing(results)
    assert (np.diff(found) < 0).all() and often.tolist() == [5, 5, 1, 1, 1]
    assert np.isnan(past_standing([numbers(1, UNKNOWN, UNKNOWN)])[0]).all()


def test_the_more_past_results_the_more_they_weigh_and_the_less_the_priors():
    scores, priors = {"probe": numbers(1, 2, 3)}, {"benchmark": numbers(1, 2, 3)}
    against = Past(numbers(3, 2, UNKNOWN))
    one, four = (combine(scores, priors, [against] * count) for count in (1, 4))
    assert np.isnan(one.parts[PAST]).tolist() == [False, False, True]
    assert four.parts[PAST][0] > one.parts[PAST][0] > 0
    assert 0 > four.parts["benchmark"][0] > one.parts["benchmark"][0]
    assert combine(scores, priors).score[0] < one.score[0] < four.score[0]


def test_weights_are_learnt_where_past_results_say_that_they_help():
    dice = np.random.default_rng(0)
    past = []
    for _ in range(12):
        good, said = world(dice, 12, probe=0.3)
        past.append(Past(good, {**said, "logme": -good + dice.normal(size=12)}))
    weights = learnt(past, {})
    assert weights is not None and weights["logme"] < 0.05 < 0.8 < weights["probe"]
    assert learnt(past[:7], {}) is None  # too few


def test_fixed_weights_stay_where_learnt_ones_are_no_better():
    dice = np.random.default_rng(1)
    good = dice.normal(size=12)

    def noisy() -> np.ndarray:
        return good + 0.5 * dice.normal(size=12)

    past = [Past(noisy(), {"probe": noisy(), "logme": noisy()}) for _ in range(10)]
    assert learnt(past, {}) is None


def test_those_that_differ_by_less_than_their_draws_are_tied():
    dice = np.random.default_rng(0)
    rows = dice.normal(size=(1000, 1))  # hard and easy rows, the same for all
    found = ties(numbers(0.9, 0.89, 0.7) + rows + 0.01 * dice.normal(size=(1000, 3)))
    assert found.best.tolist() == [True, True, False]
    assert (found.low < found.high).all() and (found.high - found.low > 3).all()
    assert ties(np.ones((10, 1))).best.all() and ties(np.ones((10, 3))).best.all()
    exact = ties(np.tile(numbers(2, 2, 1), (10, 1)))
    assert exact.best.tolist() == [True, True, False]


def test_those_within_one_standard_error_of_the_highest_score_are_level():
    dice = np.random.default_rng(0)
    scores, rows = numbers(0.9, 0.8, 0.7), dice.normal(size=(1000, 1))
    apart = dice.normal(size=(1000, 3)) * numbers(0, 0.15, 0.15)  # how far from the first
    assert level(scores + rows + apart, scores).tolist() == [True, True, False]
    assert level(np.ones((10, 3)), np.ones(3)).all()


@pytest.mark.parametrize("gap", [0.0, 0.1, 0.3])
def test_the_best_is_among_the_tied_in_95_of_100_worlds(gap):
    dice = np.random.default_rng(0)
    true = numbers(gap, 0, 0, 0, -0.2, -1)
    kept, sizes, inside = [], [], []
    for _ in range(300):
        rows = true + dice.normal(size=(80, 1)) + 0.6 * dice.normal(size=(80, 6))
        drawn = dice.multinomial(80, np.full(80, 1 / 80), 300) @ rows / 80
        found = ties(drawn, rows.mean(axis=0))
        kept.append(found.best[0])
        sizes.append(found.best.sum())
        inside.append((found.low <= true) & (true <= found.high))
    assert np.mean(kept) >= 0.94
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)
    assert np.mean(sizes) < (4.8 if gap < 0.3 else 2.5)


@pytest.fixture(scope="module")
def tables():
    path = Path(__file__).parent.parent / "benchmarks" / "rank_tables.py"
    spec = importlib.util.spec_from_file_location("rank_tables", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_published_figures_come_out_of_the_tables_again(tables):
    tasks = [task for task in tables.read("cnn") if task.ours()]

    def tau(of) -> float:
        return round(float(np.mean([t for t, _ in tables.each(tasks, of)])), 3)

    found = {name: tau(lambda task, _, name=name: task.scores[name]) for name in tasks[0].scores}
    assert found == {
        "h_score": 0.631, "logme": 0.508, "nleep": 0.634, "leep": 0.522, "nce": 0.455,
        "otce": 0.510, "pactran": 0.701, "gbc": 0.400, "lfc": 0.207,
    }  # fmt: skip
    scored = ~np.isnan(tasks[0].scores["logme"])

    def standing_of_scored(task, others):
        past = past_standing([other.accuracy[scored] for other in others])[0]
        return np.where(scored, np.insert(past, np.flatnonzero(~scored), UNKNOWN), UNKNOWN)

    assert tau(lambda task, _: np.where(scored, task.priors["parameters"], UNKNOWN)) == 0.700
    assert tau(lambda task, _: np.where(scored, task.priors["benchmark"], UNKNOWN)) == 0.713
    assert tau(standing_of_scored) == 0.888


@pytest.mark.parametrize(
    ("name", "regret", "worst"),
    [("cnn", 0.1, 0.5), ("mixed", 0.5, 2.6), ("glue", 0.1, 0.1), ("encoders", 0.7, 2.9)],
)
def test_the_ensembles_first_choice_is_near_the_best_of_each_table(name, regret, worst, tables):
    missed = [lost for _, lost in tables.each(tables.read(name), tables.ensemble)]
    assert np.mean(missed) <= regret and max(missed) <= worst


def test_features_that_are_the_same_but_turned_are_tied_and_noise_is_not():
    dice = np.random.default_rng(0)
    classes = np.arange(120) % 3
    good = dice.normal(size=(120, 6)) + 1.5 * np.eye(6)[classes]
    turned = good @ np.linalg.qr(dice.normal(size=(6, 6)))[0]
    samples = [sample_of(x, classes) for x in (good, turned, dice.normal(size=(120, 6)))]
    scores = {
        name: resampled([rate(sample) for sample in samples])
        for name, rate in (("logme", evidence), ("neighbours", neighbours))
    }
    assert ties(combine(scores, {}).score).best.tolist() == [True, True, False]
