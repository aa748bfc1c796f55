"""How many rows candidates are judged on: all at once, or by halves as a time budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .rating import Rated
from .transfer.split import Example, Split, at_most, joined

# Where nothing else is asked, and there is no time budget: more choose hardly better and take in
# proportion (docs/measured.md).
ROWS = 400
PLACES = (
    10_000  # such as words, where those are judged: of more, scoring takes longer than it tells
)
MOST = 5000  # under a time budget: beyond, scoring takes longer than it tells
LEAST, OF_A_CLASS = 64, 8  # rows to begin with under a time budget
SPARE = 1.2  # times what is reckoned


def sizes_of(available: int, classes: int, asked: int | None, *, budget: bool) -> list[int]:
    """Return how many rows there may be in each round, doubling; one where there is no budget."""
    total = min(available, asked or (MOST if budget else ROWS))
    if not budget:
        return [total]
    found = [min(total, max(LEAST, OF_A_CLASS * classes))]
    while found[-1] < total:
        found.append(min(total, 2 * found[-1]))
    return found


def rows_of_places(rows: Sequence[Example]) -> int:
    """Return how many rows have about PLACES places, the same for whatever base.

    What stands between white space is taken for one.
    """
    places = sum(len(row.input.split()) for row in rows)
    return min(ROWS, max(LEAST, PLACES * len(rows) // max(1, places)))


def chunks_of(split: Split, sizes: Sequence[int], seed: int, *, strata: bool) -> list[Split]:
    """Return the rows that come with each size; those of all sizes up to one are stratified.

    Of one size that is all rows the parts stay as they are: so `adapt` finds its features.
    """
    nested = [at_most(split, size, seed, strata=strata) for size in sizes]
    if len(nested) == 1:
        return [replace(nested[0], test=())]
    seen: set[str] = set()
    found = []
    for each in nested:
        new = [row for row in joined(each.train, each.validation) if row.id not in seen]
        seen |= {row.id for row in new}
        found.append(Split(new, (), (), split.how))
    return found


def next_round(
    ordered: Sequence[Rated], sizes: Sequence[int], done: int, left: float
) -> tuple[list[Rated], int] | None:
    """Return who goes on and to which of the sizes, given the seconds left; None if nobody can.

    `done` is the number of the size that all had. All go on where there is time for them on all
    rows; else the better half, on as many rows as its share of the time allows.
    """
    last = len(sizes) - 1
    if done == last or len(ordered) < 2:
        return None
    if _takes(ordered, sizes, done, last) <= left:
        return list(ordered), last
    kept = list(ordered)
    while True:
        kept = kept[: max(2, (len(kept) + 1) // 2)]
        rounds = max(1, (len(kept) - 1).bit_length())
        fit = [
            n for n in range(done + 1, last + 1) if _takes(kept, sizes, done, n) <= left / rounds
        ]
        if fit:
            return kept, fit[-1]
        if len(kept) == 2:
            return None


def _takes(some: Sequence[Rated], sizes: Sequence[int], done: int, to: int) -> float:
    """Return the seconds reckoned; endless where how long features take is not known yet.

    What was found kept tells nothing of the next: then it is one size at a time. Scoring grows no
    faster than rows do: from 64 to 4,800 rows of 384 features by 37 for 75 times as many.
    """
    if to > done + 1 and any(each.pace is None for each in some):
        return float("inf")
    grown = sizes[to] / sizes[done]
    seconds = sum(
        each.loading + each.scoring * grown + (each.pace or 0.0) * (sizes[to] - sizes[done])
        for each in some
    )
    return SPARE * seconds
