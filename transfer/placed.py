"""Heads that judge each place of an input, such as its words, where others judge it as a whole.

What such a network's head sees ends in two numbers, where in the input the place is: from which
letter to which. Both are 0 where a position is no place of its own, such as padding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from .features import Labelled
from .scoring import Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

NONE = -100  # the tag of a position that is no place
WHERE = 2  # numbers behind the features
MOST = 100_000  # positions whose features are kept to fit a head to: of more rows some are drawn
ABOUT, FEATURES, PLACES = "placed.json", "placed.npy", "places.npy"


@runtime_checkable
class Placed(Protocol):
    """A goal whose labels say something of places within an input."""

    def outputs(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Return what the head has a logit for, given the classes."""
        ...

    def by_output(self, weights: Tensor, outputs: int) -> Tensor:
        """Return how much each output counts, given how much each class does."""
        ...

    def tags(self, places: NDArray[Any], target: Any) -> NDArray[np.int64]:
        """Return the number of the output that is right at each place, or NONE."""
        ...

    def read_off(self, features: Tensor, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
        """Return the label of each row that logits [rows, positions, outputs] mean."""
        ...


def apart(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the head sees [rows, positions, width], and the places [rows, positions, 2]."""
    return features[..., :-WHERE], features[..., -WHERE:].detach()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the head sees at the positions of some inputs, by their numbers, and where those are."""

    starts: dict[int, tuple[int, int]]
    features: NDArray[np.float32]
    places: NDArray[np.float32]

    def labelled(
        self,
        goal: Placed,
        inputs: NDArray[np.int64],
        targets: NDArray[Any],
        weights: NDArray[np.float64],
        groups: NDArray[np.int64] | None,
    ) -> Labelled:
        """Return the places of those of the inputs that are kept, as a head is fitted to them.

        `weights` are those of outputs. Places of one input are never on two sides of a fold.
        """
        at, tags, bound = [], [], []
        for row, (number, target) in enumerate(zip(inputs.tolist(), targets, strict=True)):
            if number not in self.starts:
                continue
            start, end = self.starts[number]
            found = goal.tags(np.asarray(self.places[start:end]), target)
            there = np.flatnonzero(found != NONE)
            at.append(start + there)
            tags.append(found[there])
            bound.append(np.full(len(there), row if groups is None else groups[row]))
        numbers = np.concatenate(tags)
        return Labelled(
            self.features, np.concatenate(at), numbers, weights[numbers], np.concatenate(bound)
        )


def by_row(found: Scored, rows: NDArray[np.int64], count: int) -> Scored:
    """Return a score of places with the share of each of so many rows, whose mean it is as well.

    `rows` are those of the places; a row without a place that could be judged has no share (NaN).
    A row counts as its places do: for other rows, the mean of the shares is to first order what the
    mean over their places would be (that of a ratio), however many each has.
    """

    def shares(of_places: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if of_places is None:
            return None
        judged = ~np.isnan(of_places)
        places = np.bincount(rows[judged], minlength=count)
        sums = np.bincount(rows[judged], of_places[judged], minlength=count)
        told, mean = places > 0, of_places[judged].mean() if judged.any() else np.nan
        of_row = (told.sum() / max(1, judged.sum())) * (sums - mean * places)
        return np.where(told, mean + of_row, np.nan)

    return replace(found, rows=shares(found.rows), right=shares(found.right))


class Gathered:
    """Features at the places of some inputs, written into a room batch by batch.

    The inputs are drawn, always the same of those of these sizes, up to MOST positions.
    """

    def __init__(self, room: Path, sizes: Sequence[int]) -> None:
        self._room, self._files = room, list[Any]()
        order = np.random.default_rng(0).permutation(len(sizes))
        ends = np.cumsum(np.asarray(sizes)[order])
        count = max(1, int(np.searchsorted(ends, MOST, "right")))
        drawn = np.sort(order[:count])
        ends = np.cumsum(np.asarray(sizes)[drawn]).tolist()
        starts = [0, *ends[:-1]]
        self._spans = dict(zip(drawn.tolist(), zip(starts, ends, strict=True), strict=True))
        self._total = ends[-1]

    def add(self, numbers: Sequence[int], features: NDArray[np.float32]) -> None:
        """Keep what the head sees of a batch of inputs of these numbers, as far as drawn."""
        if not self._files:
            self._files = [
                _new(self._room / FEATURES, (self._total, features.shape[2] - WHERE)),
                _new(self._room / PLACES, (self._total, WHERE)),
            ]
        for row, number in enumerate(numbers):
            if number in self._spans:
                start, end = self._spans[number]
                self._files[0][start:end] = features[row, : end - start, :-WHERE]
                self._files[1][start:end] = features[row, : end - start, -WHERE:]

    def close(self) -> int:
        """Write what there is to the disk, and return how many bytes it is."""
        if not self._files:
            return 0
        (self._room / ABOUT).write_text(json.dumps(list(self._spans.items())), "utf-8")
        for each in self._files:
            each.flush()
        return sum(each.nbytes for each in self._files)


def read_kept(folder: Path) -> Kept | None:
    """Return what was gathered in a folder; None where nothing was."""
    if not (folder / ABOUT).exists():
        return None
    starts = {number: tuple(span) for number, span in json.loads((folder / ABOUT).read_text())}
    features, places = (np.load(folder / name, mmap_mode="c") for name in (FEATURES, PLACES))
    return Kept(starts, features, places)


def _new(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
