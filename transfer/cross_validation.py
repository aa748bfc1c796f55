"""Divide the rows that a head is fitted to, so that each part is judged by a head of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .features import Labelled


def folded(
    rows: Labelled, folds: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield stratified (train, held out) places; no row is held out from rows without its class.

    That is so of a class's only row, and where groups are bound of one that is all in a fold: a
    head that never saw a class says nothing of how far features tell it. None where there are fewer
    than two folds.
    """
    if folds < 2:
        return
    divided = _by_group if rows.groups is not None else _by_row
    fold = divided(rows, folds, np.random.default_rng(seed))
    for number in range(folds):
        train, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        held_out = held_out[np.isin(rows.targets[held_out], rows.targets[train])]
        if len(held_out):
            yield train, held_out


def _by_row(rows: Labelled, folds: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold of each row, -1 where it is never held out."""
    fold = np.empty(len(rows), dtype=np.int64)
    for label in np.unique(rows.targets):
        mine = dice.permutation(np.flatnonzero(rows.targets == label))
        fold[mine] = np.arange(len(mine)) % folds if len(mine) > 1 else -1
    return fold


def _by_group(rows: Labelled, folds: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold of each row, whole groups together; larger ones are dealt out first."""
    assert rows.groups is not None, "who has no groups is divided by row"
    names, group = np.unique(rows.groups, return_inverse=True)
    sizes = np.bincount(group)
    order = np.lexsort((dice.permutation(len(names)), -sizes))
    room = np.zeros(folds)
    of_group = np.empty(len(names), dtype=np.int64)
    for each in order:
        of_group[each] = int(room.argmin())
        room[of_group[each]] += sizes[each]
    fold: NDArray[np.int64] = of_group[group]
    return fold
