"""Multinomial logistic regression on the same rows, with one strength after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .resources import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from .features import Labelled

    Block = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


class Logistic:
    """Multinomial logistic regression on the same rows, again and again with another C.

    The Hessian of the loss is at most half the rows' covariance (Boehning, 1992), so in the
    covariance's own axes, each scaled by that bound, every direction is about as steep: L-BFGS
    takes some twenty steps, whatever the features are. Each C starts where the last one ended.
    """

    def __init__(
        self, rows: Labelled, classes: int, scale: float, precision: type[np.floating[Any]]
    ) -> None:
        self.rows, self.scale, self.precision = rows, scale, precision
        self.total = float(rows.weights.sum())
        width = rows.features.shape[1]
        total, spread = np.zeros(width), np.zeros((width, width))
        for x, _, weights in rows.blocks():
            total += weights @ x.astype(np.float64)
        self.mean = total / self.total
        for x, _, weights in rows.blocks():
            centred = (x - self.mean) * np.sqrt(weights)[:, None]
            spread += centred.T @ centred
        steep, axes = np.linalg.eigh(spread / scale**2)
        self.steep, self.turn = np.maximum(steep, 0), axes / scale
        # What is a single block is centred and turned into the axes once, not again at each step.
        self.turned = list(self._turned()) if rows.one_block else None
        # A class without a row here must not be thought likely.
        there = np.bincount(rows.targets, minlength=classes) > 0
        self.weight = np.zeros((classes, width))
        self.bias = np.where(there, 0.0, -20.0)

    def _centred(self) -> Iterator[Block]:
        """Yield (features less their mean, targets, weights) of some rows at a time."""
        mean = self.mean.astype(self.precision)
        for x, y, weights in self.rows.blocks():
            yield x.astype(self.precision) - mean, y, weights

    def _turned(self) -> Iterator[Block]:
        """Yield the same with features in the axes of their covariance."""
        turn = self.turn.astype(self.precision)
        for centred, y, weights in self._centred():
            yield centred @ turn, y, weights

    def solve(self, strength: float, tolerance: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weight [classes, features] and bias [classes] for a C."""
        from scipy.optimize import minimize

        classes, width = self.weight.shape
        if classes == 2:
            strength = strength / 2  # as if one row of weights told two classes apart
        scale = 1 / np.sqrt(1 + strength * self.steep / 2)
        bias_scale = 1 / np.sqrt(1e-6 + strength * self.total / 2)

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weight = flat[:-classes].reshape(classes, width) * scale
            fits, slope, bias_slope = self._slope(weight, flat[-classes:] * bias_scale)
            inner = (strength * slope + weight) * scale
            value = strength * fits + 0.5 * (weight**2).sum()
            return value, np.concatenate([inner.ravel(), strength * bias_slope * bias_scale])

        start = np.concatenate([(self.weight / scale).ravel(), self.bias / bias_scale])
        options = {"ftol": tolerance, "gtol": 1e-8, "maxiter": 300}
        with one_blas_thread():
            found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
        self.weight = found[:-classes].reshape(classes, width) * scale
        self.bias = found[-classes:] * bias_scale
        outer = self.weight @ self.turn.T
        return outer, self.bias - outer @ self.mean

    def _slope(
        self, weight: NDArray[Any], bias: NDArray[Any]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the weighted log loss, and its slope by bias and by weight in the axes."""
        if self.turned:
            return self._slope_of(self.turned, weight, bias)
        fits, slope, bias_slope = self._slope_of(self._centred(), weight @ self.turn.T, bias)
        return fits, slope @ self.turn, bias_slope

    def _slope_of(
        self, blocks: Iterable[Block], weight: NDArray[Any], bias: NDArray[Any]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the weighted log loss of blocks, and its slope by weight and bias."""
        fits, slope, bias_slope = 0.0, np.zeros_like(weight), np.zeros_like(bias)
        weight, bias = weight.astype(self.precision), bias.astype(self.precision)
        for features, y, weights in blocks:
            scores = features @ weight.T
            scores += bias
            scores -= scores.max(axis=1, keepdims=True)
            at = np.arange(len(y)), y
            right = scores[at].astype(np.float64)
            likely = np.exp(scores)
            sums = likely.sum(axis=1, keepdims=True)
            fits += float(weights @ (np.log(sums[:, 0]) - right))
            likely /= sums
            likely[at] -= 1.0
            likely *= weights[:, None].astype(self.precision)
            slope += likely.T @ features
            bias_slope += likely.sum(axis=0, dtype=np.float64)
        return fits, slope, bias_slope
