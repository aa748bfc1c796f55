"""Fit a linear head on frozen features: logistic regression, its strength cross-validated."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


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
    backbone; the scale is folded into the weights. A class with a single row stays in training.
    """
    import torch
    from sklearn.linear_model import LogisticRegression

    scale = float(features.std()) or 1.0
    x = features.numpy().astype(np.float64) / scale
    y = np.asarray(targets)
    counts = np.bincount(y, minlength=classes)
    folds = int(max(2, min(folds, np.median(counts[counts > 0]))))

    def fitted(rows: np.ndarray, strength: float) -> LogisticRegression:
        # The solver's bound is no failure: it is near enough, and the data are what they are.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LogisticRegression(C=strength, max_iter=500).fit(x[rows], y[rows])

    losses = {strength: 0.0 for strength in STRENGTHS}
    for train, held_out in _folds(y, folds, seed):
        for strength in STRENGTHS:
            model = fitted(train, strength)
            probability = np.full((len(held_out), classes), 1e-12)
            probability[:, model.classes_] = model.predict_proba(x[held_out])
            right = probability[np.arange(len(held_out)), y[held_out]]
            losses[strength] -= float(np.log(np.maximum(right, 1e-12)).sum())
    strength = min(STRENGTHS, key=lambda each: losses[each])
    model = fitted(np.arange(len(y)), strength)
    weight, bias = _per_class(model, classes)
    return LinearHead(
        torch.tensor(weight / scale, dtype=torch.float32),
        torch.tensor(bias, dtype=torch.float32),
        strength,
        folds,
    )


def _folds(y: np.ndarray, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return stratified (train, held out) row numbers; a class's only row is never held out."""
    generator = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=int)
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        fold[rows] = np.arange(len(rows)) % folds if len(rows) > 1 else -1
    pairs = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
    return [(train, held_out) for train, held_out in pairs if len(held_out)]


def _per_class(model: object, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one row of weights a class; two classes share one row in scikit-learn."""
    coefficients = model.coef_  # type: ignore[attr-defined]
    intercepts = model.intercept_  # type: ignore[attr-defined]
    if classes == 2:
        half = coefficients[0] / 2
        return np.stack([-half, half]), np.array([-intercepts[0] / 2, intercepts[0] / 2])
    return coefficients, intercepts
