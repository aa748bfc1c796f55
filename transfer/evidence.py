"""LogME: how probable targets are to a Bayesian linear model on features, its priors optimal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .scoring import Sample, Scored, influenced

if TYPE_CHECKING:
    from numpy.typing import NDArray

TINY = 1e-12  # of the largest eigenvalue: a direction below is none
FLOOR = 1e-7  # of the sum of squares: features can't be believed to fit better than this
GRID = np.linspace(-16.0, 6.0, 45)  # log10 of prior over noise, features being of size 1
STEPS = 40  # of the golden section between neighbours on the grid: to 1e-8


def evidence(sample: Sample) -> Scored:
    """Return the log evidence a row in nats, in the mean over targets' columns.

    You et al., "LogME", ICML 2021; no intercept, as there. For a ratio t of the prior's precision
    to the noise's, the best noise has a closed form, so the evidence is maximised over t alone, on
    a grid and between its points: the maximum, whatever the scale of features, where the fixed
    point of the paper stops near one.
    """
    basis, size = principal(sample.features.astype(np.float64))
    told = sample.informative()
    rows = len(told)
    seen = basis.T @ told
    squares, rest = seen**2, (told**2).sum(0) - (seen**2).sum(0)
    rest = np.maximum(rest, 0) + FLOOR * (told**2).sum(0)
    scale = size.mean() if len(size) else 1.0
    ratio = scale * 10 ** _best(size / scale, squares, rest, rows)
    shrunk = size[:, None] / (size[:, None] + ratio)
    noise = (((1 - shrunk) * squares).sum(0) + rest) / rows
    # Slopes by each row's weight: prior, noise and map being at their best, these need no slope.
    missed = (told - basis @ (shrunk * seen)) ** 2 / noise + (basis**2) @ shrunk
    slopes = -0.5 * (np.log(2 * np.pi * noise) + missed).mean(axis=1)
    value = float(_evidence(size, squares, rest, rows, ratio).mean()) / rows
    return influenced(value, slopes)


def principal(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return left singular vectors [rows, rank] and squared singular values [rank] of features.

    By the eigenvectors of the smaller of the two products, in float64.
    """
    rows, width = features.shape
    if rows > width:
        size, axes = np.linalg.eigh(features.T @ features)
        kept = _kept(size)
        size = size[kept]
        return features @ axes[:, kept] / np.sqrt(size), size
    size, axes = np.linalg.eigh(features @ features.T)
    kept = _kept(size)
    return axes[:, kept], size[kept]


def _kept(size: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((size > TINY * size.max(initial=0)) & (size > 0))


def _evidence(size: Any, squares: Any, rest: Any, rows: int, ratio: Any) -> NDArray[np.float64]:
    """Return the log evidence of each column for a ratio of precisions each, the noise optimal."""
    share = ratio / (size[:, None] + ratio)
    noise = ((share * squares).sum(0) + rest) / rows
    fits = -0.5 * rows * (np.log(2 * np.pi * noise) + 1)
    return np.asarray(fits + 0.5 * np.log(share).sum(0))


def _best(size: Any, squares: Any, rest: Any, rows: int) -> NDArray[np.float64]:
    """Return the log10 of the ratio with the most evidence, for each column."""

    def found(power: NDArray[np.float64]) -> NDArray[np.float64]:
        return _evidence(size, squares, rest, rows, 10**power)

    columns = squares.shape[1]
    table = np.stack([found(np.full(columns, power)) for power in GRID])
    at, step = GRID[table.argmax(0)], GRID[1] - GRID[0]
    low, high, golden = at - step, at + step, (np.sqrt(5) - 1) / 2
    for _ in range(STEPS):
        inner, outer = high - golden * (high - low), low + golden * (high - low)
        left = found(inner) >= found(outer)
        low, high = np.where(left, low, inner), np.where(left, outer, high)
    return np.asarray((low + high) / 2)
