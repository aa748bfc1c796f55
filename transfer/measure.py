"""How good predicted labels are, with bootstrap intervals, alone and in pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.comparing import LOWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2000
# A metric of true and predicted labels [rows], and how often each row was drawn [resamples, rows].
Metric = Callable[["NDArray[Any]", "NDArray[Any]", "NDArray[Any]"], "NDArray[Any]"]


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


def measure(
    true: Sequence[str], predicted: Sequence[str], metrics: Mapping[str, Metric], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return each metric as {value, low, high}: the 95 % percentile bootstrap over rows.

    The intervals are those of Efron, "Bootstrap methods", Annals of Statistics 1979.
    """
    (a, b), counts, draws = resampled(seed, true, predicted)
    measured = {}
    for name, metric in metrics.items():
        low, high = np.quantile(metric(a, b, draws), [0.025, 0.975])
        value = metric(a, b, counts)[0]
        measured[name] = {"value": float(value), "low": float(low), "high": float(high)}
    return measured


def values(
    true: Sequence[str], predicted: Sequence[str], metrics: Mapping[str, Metric]
) -> dict[str, float]:
    """Return each metric's value alone."""
    a, b = np.asarray(true), np.asarray(predicted)
    return {name: float(metric(a, b, np.ones((1, len(a))))[0]) for name, metric in metrics.items()}


def difference(
    true: Sequence[str], ours: Sequence[str], theirs: Sequence[str], metric: Metric, seed: int = 0
) -> dict[str, float]:
    """Return (ours - theirs) of a metric as {value, low, high}, by a paired 95 % bootstrap.

    Both are scored on the same rows and the same resamples, so what is hard for both cancels out.
    """
    (a, b, c), counts, draws = resampled(seed, true, ours, theirs)
    low, high = np.quantile(metric(a, b, draws) - metric(a, c, draws), [0.025, 0.975])
    value = metric(a, b, counts)[0] - metric(a, c, counts)[0]
    return {"value": float(value), "low": float(low), "high": float(high)}


def apart(
    ours: tuple[Sequence[str], Sequence[str]],
    theirs: tuple[Sequence[str], Sequence[str]],
    metric: Metric,
    seed: int = 0,
) -> dict[str, float]:
    """Return (ours - theirs) of a metric as {value, low, high}, each being (true, predicted).

    The rows are not the same ones, so each side is resampled by itself.
    """
    values, resamples = [], []
    for number, (true, predicted) in enumerate((ours, theirs)):
        (a, b), counts, draws = resampled(2 * seed + number, true, predicted)
        values.append(metric(a, b, counts)[0])
        resamples.append(metric(a, b, draws))
    low, high = np.quantile(resamples[0] - resamples[1], [0.025, 0.975])
    return {"value": float(values[0] - values[1]), "low": float(low), "high": float(high)}


def gain(
    true: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    metrics: Mapping[str, Metric],
    seed: int = 0,
) -> dict[str, float]:
    """Return by how much ours are better in the main metric, the first, as {value, low, high}."""
    name, metric = next(iter(metrics.items()))
    if name in LOWER:
        ours, theirs = theirs, ours
    return difference(true, ours, theirs, metric, seed)


def best(scores: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """Return whose score in a metric is the best."""
    choose = min if metric in LOWER else max
    return choose(scores, key=lambda name: scores[name][metric])


def resampled(seed: int, *labels: Sequence[str]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
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
