"""What scorers said is kept, and results on the same data tell later which to believe."""

from __future__ import annotations

import numpy as np
import pytest

import hubtl
from hubtl.candidates import Candidate
from hubtl.rating import Rated
from hubtl.registry.entry import Entry
from hubtl.registry.ledger import Ledger
from hubtl.registry.past import Past
from hubtl.registry.places import ledger
from hubtl.standings import Earlier, standings
from hubtl.transfer.scoring import Scored
from hubtl.transfer.split import Example

TASK = "text-classification"
BASES = tuple("abcdefg")
ROWS = [Example(str(n), f"text {n}", "good") for n in range(8)]


def test_the_newest_scores_of_each_base_and_data_are_kept(tmp_path):
    book = Ledger(tmp_path / "ledger")
    assert book.scores(TASK) == {}
    book.note_scores(TASK, {("x", "a"): {"probe": 0.1}, ("x", "b"): {"probe": 0.2}})
    book.note_scores(TASK, {("x", "a"): {"probe": 0.3}, ("y", "a"): {"probe": 0.4}})
    book.note_scores("another", {("x", "a"): {"probe": 0.9}})
    assert book.scores(TASK) == {
        ("x", "a"): {"probe": 0.3},
        ("x", "b"): {"probe": 0.2},
        ("y", "a"): {"probe": 0.4},
    }
    assert book.all() == ()


def test_a_ranking_keeps_what_scorers_said_of_each_base(shelf, moods):
    found = hubtl.rank(TASK, moods, candidates=["acme/tiny-bert"], hub=shelf.name)
    (((_, base), said),) = Ledger(ledger()).scores(TASK).items()
    assert (base, said) == ("acme/tiny-bert", dict(found.ranking[0].scores))


def told(right: float, wrong: float, name: str) -> Rated:
    scores = {"right": Scored(right), "wrong": Scored(wrong)}
    return Rated(Candidate(name, Entry(name)), scores, {}, 1, 8, 0.1, 0.1, None, 1.0, "", None)


def seen(sets: int) -> Earlier:
    """Return results on so many sets, where one scorer was right each time and the other wrong."""
    dice = np.random.default_rng(0)
    results, scores = [], {}
    for number in range(sets):
        data = f"data {number}"
        for base, value in zip(BASES, dice.permutation(len(BASES)), strict=True):
            work, reached = f"{data} {base}", 0.1 * float(value)
            results.append(Past(work, base, TASK, "accuracy", reached, fingerprint=data))
            scores[data, base] = {"right": float(value), "wrong": -float(value)}
    return Earlier(results, scores)


@pytest.mark.parametrize(("sets", "learnt"), [(0, False), (7, False), (9, True)])
def test_eight_sets_teach_which_scorer_to_believe(sets, learnt):
    rated = [told(number, -number, name) for number, name in enumerate(BASES)]
    found = standings(rated, ROWS, seen(sets), seed=0)
    weights = found.combined.weights
    assert (found.past_sets, found.learnt) == (sets, learnt)
    if learnt:
        assert weights["right"] > 10 * weights["wrong"]
        assert found.combined.score.argmax() == len(BASES) - 1
    else:
        assert weights["right"] == weights["wrong"] == 1 / 2
