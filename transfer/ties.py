"""Which candidates can't be told apart from the best, by draws of their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .scoring import TAIL

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING = 1e-9  # of the scores' size: what differs by less differs by rounding


@dataclass(frozen=True, slots=True)
class Ties:
    """The 95 % interval of each candidate's score [candidates], and which may be the best one."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    best: NDArray[np.bool_]


def level(draws: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which are within one standard error of the highest score [candidates].

    The error is of how far the highest is ahead, by draws of the same rows for all; to take the
    simplest of these is the rule of Breiman et al., "Classification and regression trees", 1984.
    """
    first = int(scores.argmax())
    error = (draws[:, [first]] - draws).std(axis=0)
    return np.asarray(scores[first] - scores <= np.maximum(error, _rounding(scores)))


def ties(draws: NDArray[np.float64], scores: NDArray[np.float64] | None = None) -> Ties:
    """Return intervals, and the candidates of which one is the best in 95 of 100 worlds.

    `draws` [draws, candidates] are of the same rows for all, so what is hard for all cancels out.
    `scores` are those of all rows, else the mean of draws. One is left out where another is ahead
    of it by more than by chance any other would seem to be, the largest lead counted in its own
    standard error (Hsu, "Simultaneous confidence intervals for all distances from the best",
    1981, with the bootstrap's quantile). How far leads fall short is what is counted: in ranks the
    first has no place to rise to, so they hardly grow.
    """
    centre = draws.mean(axis=0) if scores is None else scores
    low, high = np.quantile(draws, [TAIL, 1 - TAIL], axis=0)
    rounding = _rounding(centre)
    best = np.ones(len(centre), np.bool_)
    for number in range(len(centre)):
        lead = np.delete(centre - centre[number], number)
        if not len(lead):
            break
        moved = np.delete(draws - draws[:, [number]], number, axis=1)
        moved = moved - moved.mean(axis=0)
        error = np.maximum(moved.std(axis=0), rounding)
        by_chance = np.quantile((-moved / error).max(axis=1), 1 - 2 * TAIL)
        best[number] = (lead / error).max() <= max(by_chance, 1.0)
    return Ties(np.minimum(low, centre), np.maximum(high, centre), best)


def _rounding(scores: NDArray[np.float64]) -> float:
    return NOTHING * max(1.0, float(np.abs(scores).max()))
