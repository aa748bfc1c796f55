"""Rows of features, and what each is to be told as: what a head is fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 4096  # rows at once


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of features [all rows, features], mapped from a disk or not, and the target of each.

    `rows` are the numbers of those that count, `weights` how much each does; `targets` are
    the numbers of classes, or numbers that are labels themselves; they may have a column a class,
    where a row may have several, but not to fit a head to. `groups` are numbers,
    and rows of one group are never on two sides of a fold.
    """

    features: NDArray[np.float32]
    rows: NDArray[np.int64]
    targets: NDArray[Any]
    weights: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)

    def some(self, places: NDArray[Any]) -> Labelled:
        """Return the rows at these places."""
        groups = None if self.groups is None else self.groups[places]
        rows, targets, weights = self.rows[places], self.targets[places], self.weights[places]
        return Labelled(self.features, rows, targets, weights, groups)

    @property
    def one_block(self) -> bool:
        """Whether they are few enough to be taken at once."""
        return len(self) <= BLOCK

    def blocks(self) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Yield (features, targets, weights) of some rows at a time."""
        for start in range(0, len(self), BLOCK):
            at = slice(start, start + BLOCK)
            yield self.features[self.rows[at]], self.targets[at], self.weights[at]
