"""How good predicted labels are, with bootstrap intervals, alone and in pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.comparing import LOWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2000
SURPRISES = 2.0  # rows of each kind that a resample may hold though none was seen
Interval = dict[str, float]  # {value, low, high}
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


@dataclass(frozen=True, slots=True)
class Resampled:
    """The kinds of rows there are [columns, kinds], how many of each [1, kinds], and resamples.

    `expected` [1, kinds] is how many of each a resample [resamples, kinds] has in the mean.
    """

    kinds: NDArray[Any]
    counts: NDArray[np.float64]
    expected: NDArray[np.float64]
    draws: NDArray[np.float64]

    def interval(self, of: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> Interval:
        """Return a function of kinds and weights as {value, low, high}, its bias taken off.

        A mean over classes is lower in a sample than in the world where classes have few rows, and
        lower again in a resample, by as much: so resamples are moved by twice of what they lost.
        """
        value, centre = (float(of(self.kinds, each)[0]) for each in (self.counts, self.expected))
        found = of(self.kinds, self.draws)
        low, high = np.quantile(found - 2 * (found.mean() - centre), [0.025, 0.975])
        return {"value": value, "low": min(value, float(low)), "high": max(value, float(high))}


def measure(
    true: Sequence[str], predicted: Sequence[str], metrics: Mapping[str, Metric], seed: int = 0
) -> dict[str, Interval]:
    """Return each metric as {value, low, high}: a 95 % bootstrap interval over rows.

    Efron, "Bootstrap methods", Annals of Statistics 1979, with two mends (`Resampled.interval`,
    `resampled`) without which the truth is outside far more often than it says where rows are few.
    """
    drawn = resampled(seed, true, predicted, surprised=_by_row(metrics))
    return {name: drawn.interval(partial(_alone, metric)) for name, metric in metrics.items()}


def values(
    true: Sequence[str], predicted: Sequence[str], metrics: Mapping[str, Metric]
) -> dict[str, float]:
    """Return each metric's value alone."""
    a, b = np.asarray(true), np.asarray(predicted)
    return {name: float(metric(a, b, np.ones((1, len(a))))[0]) for name, metric in metrics.items()}


def difference(
    true: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    metrics: Mapping[str, Metric],
    name: str,
    seed: int = 0,
) -> Interval:
    """Return (ours - theirs) of one of the metrics as {value, low, high}, by a paired bootstrap.

    Both are scored on the same rows and the same resamples, so what is hard for both cancels out.
    Labels that are all the same differ by nothing, whatever the rows.
    """
    if list(ours) == list(theirs):
        return dict.fromkeys(("value", "low", "high"), 0.0)
    drawn = resampled(seed, true, ours, theirs, surprised=_by_row(metrics))
    return drawn.interval(partial(_apart, metrics[name]))


def apart(ours: Interval, theirs: Interval) -> Interval:
    """Return (ours - theirs) as {value, low, high}, each being measured on rows of its own.

    By the two intervals (Zou and Donner, Statistics in Medicine 2008, after Newcombe, 1998).
    """
    value = ours["value"] - theirs["value"]
    down = ours["value"] - ours["low"], theirs["high"] - theirs["value"]
    up = ours["high"] - ours["value"], theirs["value"] - theirs["low"]
    return {"value": value, "low": value - math.hypot(*down), "high": value + math.hypot(*up)}


def gain(
    true: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    metrics: Mapping[str, Metric],
    seed: int = 0,
) -> Interval:
    """Return by how much ours are better in the main metric, the first, as {value, low, high}."""
    name = next(iter(metrics))
    if name in LOWER:
        ours, theirs = theirs, ours
    return difference(true, ours, theirs, metrics, name, seed)


def best(scores: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """Return whose score in a metric is the best."""
    choose = min if metric in LOWER else max
    return choose(scores, key=lambda name: scores[name][metric])


def resampled(seed: int, *labels: Sequence[str], surprised: bool = False) -> Resampled:
    """Return resamples of rows, each with a true label and one or two that were said of it.

    Rows with the same labels are the same to every metric, so whole kinds are drawn: the same
    distribution, in memory that does not grow with the rows. If `surprised`, some rows are drawn
    that were not seen: right ones and wrong ones, two of each (Agresti and Coull, The American
    Statistician 1998); of a pair, such as only one is right in (Agresti and Min, Statistics in
    Medicine 2005). Else thirty right answers of thirty would be taken for certainty.
    """
    seen, counts = np.unique(
        np.stack([np.asarray(each) for each in labels]), axis=1, return_counts=True
    )
    kinds, more = _with_surprises(seen, counts) if surprised else (seen, np.zeros(len(counts)))
    rows = np.pad(counts.astype(np.float64), (0, kinds.shape[1] - len(counts)))
    expected = rows + more
    total = round(expected.sum())
    draws = np.random.default_rng(seed).multinomial(total, expected / expected.sum(), RESAMPLES)
    return Resampled(kinds, rows[None], expected[None], draws.astype(np.float64))


def _with_surprises(
    kinds: NDArray[Any], counts: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return kinds [columns, kinds] with unseen ones after them, and how many more of each.

    They have the true labels that rows have, as often; what is wrong is the label most said of
    others. Where no other label is known there is nothing to be surprised by.
    """
    true, place = np.unique(kinds[0], return_inverse=True)
    often = np.bincount(place, counts) / counts.sum()
    names, said = np.unique(kinds[1:], return_inverse=True)
    times = np.bincount(said.ravel(), np.tile(counts, len(kinds) - 1))
    order = names[np.argsort(-times, kind="stable")]
    wrong = np.array([next((n for n in order if n != label), label) for label in true])
    pairs = [(true, wrong), (wrong, true)] if len(kinds) == 3 else [(true,), (wrong,)]
    new = np.concatenate([np.stack([true, *pair]) for pair in pairs], axis=1)
    more = np.tile(often * SURPRISES, len(pairs)) * np.tile(true != wrong, len(pairs))
    return np.concatenate([kinds, new], axis=1), np.concatenate([np.zeros(len(counts)), more])


def _by_row(metrics: Mapping[str, Metric]) -> bool:
    """Return whether metrics count rows as right or wrong, and not how far off each is."""
    return LOWER.isdisjoint(metrics)


def _alone(metric: Metric, kinds: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return metric(kinds[0], kinds[1], weights)


def _apart(metric: Metric, kinds: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return metric(kinds[0], kinds[1], weights) - metric(kinds[0], kinds[2], weights)
