"""Fit a linear head to numbers: ridge regression in closed form, its strength cross-validated.

Hoerl and Kennard, "Ridge Regression", Technometrics 1970. Rows are read in blocks and summed up, so
the memory it takes does not grow with them; a fold is what all rows sum up to but its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .cross_validation import folded
from .features import Labelled
from .probe import LinearHead, deviation

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Each is free once a fold is solved for one: a finer choice than where each is a search.
STRENGTHS = tuple(10.0 ** (half / 2) for half in range(-12, 9))


def fit_ridge(
    rows: Labelled, *, folds: int = 5, seed: int = 0, strengths: Sequence[float] = STRENGTHS
) -> LinearHead:
    """Return the head, weight [1, features] and bias [1], whose C errs least on rows held out.

    The objective is that of scikit-learn's `Ridge` with `alpha` = 1 / C, on features that are
    scaled by one number, their standard deviation, which is folded into the weights. `loss` is the
    squared error of rows held out by the variance of all: 1 is what their mean gets. Where no row
    can be held out, C is the middle one.
    """
    import torch

    ridges = deviation(rows) ** 2 / np.array(strengths)
    centre = _centre(rows)
    whole = _Sums.of(rows, centre)
    groups = len(rows) if rows.groups is None else len(np.unique(rows.groups))
    # Numbers are no classes that each fold should have its share of.
    alike = replace(rows, targets=np.zeros(len(rows), np.int64))
    missed, count = np.zeros(len(ridges)), 0
    for _, others in folded(alike, min(folds, groups, len(rows)), seed):
        held = rows.some(others)
        weight, bias = (whole - _Sums.of(held, centre)).solved(ridges, centre)
        missed += _errors(held, weight, bias)
        count += 1
    best = int(missed.argmin()) if count else len(ridges) // 2
    weight, bias = whole.solved(ridges[best : best + 1], centre)
    variance = whole.variance or 1.0
    return LinearHead(
        torch.tensor(weight.T, dtype=torch.float32),
        torch.tensor(bias, dtype=torch.float32),
        float(strengths[best]),
        count,
        float(missed[best] / whole.weight / variance) if count else None,
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weighted sums over rows of x, y and their products, both taken from about their means."""

    weight: float
    x: NDArray[np.float64]
    y: float
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: float

    @classmethod
    def of(cls, rows: Labelled, centre: tuple[NDArray[np.float64], float]) -> _Sums:
        """Return the sums over some rows."""
        width = rows.features.shape[1]
        total = cls(0.0, np.zeros(width), 0.0, np.zeros((width, width)), np.zeros(width), 0.0)
        for features, targets, weights in rows.blocks():
            root = np.sqrt(weights)
            x, y = (features - centre[0]) * root[:, None], (targets - centre[1]) * root
            block = cls(float(root @ root), root @ x, float(root @ y), x.T @ x, y @ x, float(y @ y))
            total = total._with(block, 1)
        return total

    def __sub__(self, other: _Sums) -> _Sums:
        """Return the sums over the rows that are not among the others."""
        return self._with(other, -1)

    def _with(self, other: _Sums, sign: int) -> _Sums:
        return _Sums(
            self.weight + sign * other.weight,
            self.x + sign * other.x,
            self.y + sign * other.y,
            self.xx + sign * other.xx,
            self.xy + sign * other.xy,
            self.yy + sign * other.yy,
        )

    @property
    def variance(self) -> float:
        """The variance of y."""
        return max(0.0, self.yy / self.weight - (self.y / self.weight) ** 2)

    def solved(
        self, ridges: NDArray[np.float64], centre: tuple[NDArray[np.float64], float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights [features, ridges] and biases [ridges]."""
        mean, middle = self.x / self.weight, self.y / self.weight
        steep, axes = np.linalg.eigh(self.xx - self.weight * np.outer(mean, mean))
        seen = axes.T @ (self.xy - self.weight * mean * middle)
        found = axes @ (seen[:, None] / (np.maximum(steep, 0)[:, None] + ridges))
        return found, centre[1] + middle - (centre[0] + mean) @ found


def _centre(rows: Labelled) -> tuple[NDArray[np.float64], float]:
    """Return about the mean of x and y, from which sums lose no digits."""
    x, y, weight = np.zeros(rows.features.shape[1]), 0.0, 0.0
    for features, targets, weights in rows.blocks():
        x += weights @ features.astype(np.float64)
        y += float(weights @ targets)
        weight += float(weights.sum())
    return x / weight, y / weight


def _errors(rows: Labelled, weight: NDArray[Any], bias: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weighted squared errors of each of several heads [ridges], summed over rows."""
    total = np.zeros(len(bias))
    for features, targets, weights in rows.blocks():
        total += weights @ (features @ weight + bias - targets[:, None]) ** 2
    return total
