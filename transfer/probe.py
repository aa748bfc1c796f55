"""Fit a linear head on frozen features: logistic regression, its strength cross-validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
ROUGH, FINE = 1e-5, 1e-9  # relative change of the loss at which a fit is done: to choose, to keep
MANY = 1000  # rows from which three folds tell strengths apart as well as five
MOST = 50_000  # rows that choose the strength


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Weight [labels, features] and bias [labels] of a head, and the C that was chosen."""

    weight: Tensor
    bias: Tensor
    strength: float
    folds: int


def fit_head(
    features: Tensor, targets: Sequence[int], classes: int, *, folds: int = 5, seed: int = 0
) -> LinearHead:
    """Return the multinomial logistic head whose C has the least cross-validated log loss.

    Features are scaled by one number (their standard deviation), so that C means the same for every
    backbone; the scale is folded into the weights. A class with a single row stays in training. The
    strength is chosen on at most 50,000 rows, drawn by the seed.
    """
    import torch

    scale = float(features.std()) or 1.0
    x = features.numpy().astype(np.float64) / scale
    y = np.asarray(targets)
    counts = np.bincount(y, minlength=classes)
    folds = 3 if len(y) > MANY and folds == 5 else folds
    folds = int(max(2, min(folds, np.median(counts[counts > 0]))))
    some = np.arange(len(y))
    if len(y) > MOST:
        some = np.sort(np.random.default_rng(seed).choice(len(y), MOST, replace=False))
    fits = [
        (_Fitting(x[some][train], y[some][train], classes, np.float32), some[held_out])
        for train, held_out in _folds(y[some], folds, seed)
    ]
    losses: dict[float, float] = {}
    for strength in STRENGTHS:
        found = [(fitting.solve(strength, ROUGH), rows) for fitting, rows in fits]
        losses[strength] = sum(_loss(x[rows], y[rows], *head) for head, rows in found)
        # Log loss falls, then rises with C: what is weaker than this is no better, only slower.
        if losses[strength] > min(losses.values()):
            break
    strength = min(losses, key=lambda each: losses[each])
    weight, bias = _Fitting(x, y, classes, np.float64).solve(strength, FINE)
    return LinearHead(
        torch.tensor(weight / scale, dtype=torch.float32),
        torch.tensor(bias, dtype=torch.float32),
        strength,
        folds,
    )


def _loss(
    x: NDArray[np.float64], y: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any]
) -> float:
    """Return the summed log loss of rows in nats."""
    scores = x @ weight.T + bias
    scores -= scores.max(axis=1, keepdims=True)
    right = scores[np.arange(len(y)), y]
    return float((np.log(np.exp(scores).sum(axis=1)) - right).sum())


class _Fitting:
    """Multinomial logistic regression on the same rows, again and again with another C.

    The Hessian of the loss is at most half the rows' covariance (Boehning, 1992), so in the
    covariance's own axes, each scaled by that bound, every direction is about as steep: L-BFGS
    takes some twenty steps, whatever the features are. Each C starts where the last one ended.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        y: NDArray[Any],
        classes: int,
        precision: type[np.floating[Any]],
    ) -> None:
        self.mean = x.mean(axis=0)
        centred = x - self.mean
        self.steep, self.axes = np.linalg.eigh(centred.T @ centred)
        self.rows = (centred @ self.axes).astype(precision)
        self.truth = np.zeros((len(y), classes), precision)
        self.truth[np.arange(len(y)), y] = 1.0
        # A class without a row here must not be thought likely.
        self.weight = np.zeros((classes, x.shape[1]))
        self.bias = np.where(self.truth.any(axis=0), 0.0, -20.0)

    def solve(self, strength: float, tolerance: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weight [classes, features] and bias [classes] for a C."""
        from scipy.optimize import minimize

        classes, width = self.weight.shape
        if classes == 2:
            strength = strength / 2  # as if one row of weights told two classes apart
        scale = 1 / np.sqrt(1 + strength * np.maximum(self.steep, 0) / 2)
        bias_scale = 1 / np.sqrt(1e-6 + strength * len(self.rows) / 2)

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weight = flat[:-classes].reshape(classes, width) * scale
            scores = self.rows @ weight.astype(self.rows.dtype).T
            scores += (flat[-classes:] * bias_scale).astype(self.rows.dtype)
            scores -= scores.max(axis=1, keepdims=True)
            likely = np.exp(scores)
            sums = likely.sum(axis=1, keepdims=True)
            fits = np.log(sums).sum(dtype=np.float64) - (scores * self.truth).sum(dtype=np.float64)
            value = strength * fits
            wrong = (likely / sums - self.truth) * self.rows.dtype.type(strength)
            slope = (wrong.T @ self.rows + weight) * scale
            bias_slope = wrong.sum(axis=0, dtype=np.float64) * bias_scale
            total = value + 0.5 * (weight**2).sum()
            return total, np.concatenate([slope.ravel(), bias_slope])

        start = np.concatenate([(self.weight / scale).ravel(), self.bias / bias_scale])
        options = {"ftol": tolerance, "gtol": 1e-8, "maxiter": 300}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
        self.weight = found[:-classes].reshape(classes, width) * scale
        self.bias = found[-classes:] * bias_scale
        outer = self.weight @ self.axes.T
        return outer, self.bias - outer @ self.mean


def _folds(y: np.ndarray, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return stratified (train, held out) row numbers; a class's only row is never held out."""
    generator = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=int)
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        fold[rows] = np.arange(len(rows)) % folds if len(rows) > 1 else -1
    pairs = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
    return [(train, held_out) for train, held_out in pairs if len(held_out)]
