"""What a ranking advises is borne out by rows held out, or it says that it is not."""

from __future__ import annotations

import numpy as np
import pytest

from hubtl.candidates import Candidate
from hubtl.counsel import advice
from hubtl.rating import Rated
from hubtl.registry.entry import Entry
from hubtl.standings import Earlier, standings
from hubtl.transfer.scoring import Scored
from hubtl.transfer.split import Example

ROWS = 200
SURE = np.random.default_rng(0).normal(-1, 0.2, ROWS)  # log likelihoods of rows held out


def rated(
    name: str, ahead: float, right: int | None, params: int = 1, apart: float = 0.01
) -> Rated:
    """A candidate whose head is surer of each row by so much, and right on so many of them.

    `apart` is how far it is less sure of the first row than of the last.
    """
    told = None if right is None else (np.arange(ROWS) < right).astype(float)
    rows = SURE + ahead + np.linspace(-apart, apart, ROWS)
    scores = {"probe": Scored(float(rows.mean()), rows, right=told)}
    return Rated(
        Candidate(name, Entry(name)), scores, {}, params, ROWS, 0.1, 0.1, 0.1, 1.0, "", None
    )


def advised(*candidates: Rated, people: int = ROWS) -> str:
    rows = [
        Example(str(n), "x", "ab"[n % 2], group=f"voice {n * people // ROWS}") for n in range(ROWS)
    ]
    return advice(standings(candidates, rows, Earlier(), 0), behind=False)


AHEAD = "`a` is ahead of the others by more than chance: take it."


@pytest.mark.parametrize(
    ("right", "rival", "said"),
    [
        (
            160,
            120,
            " On rows held out its head is right in 80.0 %, +20.0 points (+14.4 to +25.6) over "
            "that of `b`.",
        ),
        (
            122,
            120,
            " On rows held out its head is right in 61.0 %, +1.0 points (-0.4 to +2.4) over that "
            "of `b`: in this they can't be told apart.",
        ),
        (None, None, ""),
    ],
)
def test_who_is_ahead_by_its_scores_is_held_against_how_often_heads_were_right(right, rival, said):
    assert advised(rated("a", 0.5, right), rated("b", 0.0, rival)) == AHEAD + said


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ((9, 2, 1), "`b` can't be told from `a`, `c` on your data: take `b`, the smallest within "
         "one standard error of the highest score."),
        ((9, 10, 1), "`a` can't be told from `b`, `c` on your data: take `a`, the smallest within "
         "one standard error of the highest score."),
        ((9, 2, 3), "`a` can't be told from `b`, `c` on your data: take `a`, which scores "
         "highest."),
        ((9, 2, 2), "`b` can't be told from `a`, `c` on your data: take `b`, than which none is "
         "smaller."),
    ],
)  # fmt: skip
def test_the_smallest_of_those_level_with_the_highest_score_is_taken(params, said):
    first, level, behind = params
    apart = np.sqrt(3 * ROWS) / 1.4  # c is behind by 1.4 standard errors: it may be chance
    assert advised(
        rated("a", 0.5, None, first), rated("b", 0.5, None, level, apart=0.02),
        rated("c", -0.5, None, behind, apart=apart), rated("d", -9, None),
    ) == said  # fmt: skip


def test_the_rival_is_the_one_that_was_right_most_often():
    found = advised(rated("a", 0.5, 160), rated("b", 0.2, 100), rated("c", 0.0, 150))
    assert found.startswith(AHEAD) and "over that of `c`" in found


def test_rows_of_one_voice_are_no_more_evidence_than_one_row():
    one, four = (advised(rated("a", 0.5, 160), rated("b", 0.0, 120), people=n) for n in (1, 4))
    assert one == AHEAD
    assert four.endswith("of `b`: in this they can't be told apart.")
