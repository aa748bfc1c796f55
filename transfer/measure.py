"""Accuracy and macro-F1 of predicted labels, with bootstrap intervals, alone and in pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2000


def accuracy(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the share of right labels; `weights` [resamples, rows] counts each row's draws."""
    hits = weights @ (true == predicted).astype(np.float64)
    return np.asarray(hits / weights.sum(axis=1))


def macro_f1(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean F1 over the labels that occur, as scikit-learn's `f1_score(macro)` does."""
    scores = []
    for label in np.unique(np.concatenate([true, predicted])):
        is_true, is_predicted = true == label, predicted == label
        both = weights @ (is_true & is_predicted).astype(np.float64)
        either = weights @ (is_true.astype(np.float64) + is_predicted)
        # A label that a resample drew neither as true nor as predicted is no label of it.
        scores.append(np.divide(2 * both, either, out=np.full_like(both, np.nan), where=either > 0))
    return np.asarray(np.nanmean(np.stack(scores), axis=0))


METRICS: dict[str, Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
}


def measure(
    true: Sequence[str], predicted: Sequence[str], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return each metric as {value, low, high}: the 95 % percentile bootstrap over rows.

    The intervals are those of Efron, "Bootstrap methods", Annals of Statistics 1979.
    """
    (a, b), counts, draws = _resampled(seed, true, predicted)
    measured = {}
    for name, metric in METRICS.items():
        low, high = np.quantile(metric(a, b, draws), [0.025, 0.975])
        value = metric(a, b, counts)[0]
        measured[name] = {"value": float(value), "low": float(low), "high": float(high)}
    return measured


def values(true: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Return each metric's value alone."""
    a, b = np.asarray(true), np.asarray(predicted)
    return {name: float(metric(a, b, np.ones((1, len(a))))[0]) for name, metric in METRICS.items()}


def difference(
    true: Sequence[str], ours: Sequence[str], theirs: Sequence[str], metric: str, seed: int = 0
) -> dict[str, float]:
    """Return (ours - theirs) of a metric as {value, low, high}, by a paired 95 % bootstrap.

    Both are scored on the same rows and the same resamples, so what is hard for both cancels out.
    """
    (a, b, c), counts, draws = _resampled(seed, true, ours, theirs)
    score = METRICS[metric]
    low, high = np.quantile(score(a, b, draws) - score(a, c, draws), [0.025, 0.975])
    value = score(a, b, counts)[0] - score(a, c, counts)[0]
    return {"value": float(value), "low": float(low), "high": float(high)}


def _resampled(
    seed: int, *labels: Sequence[str]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the kinds of rows there are, how many of each [1, kinds], and resamples of those.

    Rows with the same labels are the same to every metric, so whole kinds are drawn: the same
    distribution, in memory that does not grow with the rows.
    """
    rows = np.stack([np.asarray(each) for each in labels])
    kinds, counts = np.unique(rows, axis=1, return_counts=True)
    generator = np.random.default_rng(seed)
    total = int(counts.sum())
    draws = generator.multinomial(total, counts / total, size=RESAMPLES)
    return kinds, counts[None].astype(np.float64), draws.astype(np.float64)
