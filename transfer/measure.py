"""How good predicted labels are, with bootstrap intervals, alone and in pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.comparing import BELOW_ZERO, LOWER
from .skew import mended

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2000
TAIL = 0.025
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
class Draws:
    """How many rows of each kind each resample has [resamples, kinds], and in the mean [1, kinds].

    `tail` is the share of resamples that lies beyond each end of a 95 % interval.
    """

    weights: NDArray[np.float64]
    expected: NDArray[np.float64]
    tail: float = TAIL


@dataclass(frozen=True, slots=True)
class Resampled:
    """The kinds of rows there are [columns, kinds], how many of each [1, kinds], and resamples.

    Those are of rows, and of whole origins too where rows of one origin are not independent.
    """

    kinds: NDArray[Any]
    counts: NDArray[np.float64]
    draws: tuple[Draws, ...]

    def interval(
        self,
        of: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
        least: float,
        most: float,
        name: str,
    ) -> Interval:
        """Return a metric, a function of kinds and weights, as {value, low, high}.

        Resamples are `mended` as the metric of that name wants. By origins one is never surer than
        by rows.
        """

        def ready(drawn: Draws) -> NDArray[Any]:
            centre, found = float(of(self.kinds, drawn.expected)[0]), of(self.kinds, drawn.weights)
            return np.asarray(np.clip(mended(found, centre, name), least, most))

        value, (low, high) = float(of(self.kinds, self.counts)[0]), self.ends(ready)
        return {"value": value, "low": min(value, low), "high": max(value, high)}

    def ends(self, of: Callable[[Draws], NDArray[Any]]) -> tuple[float, float]:
        """Return the lower and the upper end of a function of resamples, the widest of all."""
        found = np.array([np.quantile(of(d), [d.tail, 1 - d.tail]) for d in self.draws])
        return float(found[:, 0].min()), float(found[:, 1].max())


def measure(
    true: Sequence[str],
    predicted: Sequence[str],
    metrics: Mapping[str, Metric],
    seed: int = 0,
    origins: Sequence[str] = (),
) -> dict[str, Interval]:
    """Return each metric as {value, low, high}: a 95 % bootstrap interval over rows.

    With `origins`, such as each row's speaker, it is over those as well, for rows of one are alike.

    Efron, "Bootstrap methods", Annals of Statistics 1979, with mends (`skew.mended`, `resampled`)
    without which the truth is outside far more often than it says where rows are few.
    """
    drawn = resampled(seed, true, predicted, surprised=_by_row(metrics), origins=origins)
    most = 1.0 if _by_row(metrics) else math.inf
    return {
        name: drawn.interval(
            partial(_alone, metric),
            BELOW_ZERO.get(name, 0.0),
            1.0 if name in BELOW_ZERO else most,
            name,
        )
        for name, metric in metrics.items()
    }


def values(
    true: Sequence[str], predicted: Sequence[str], metrics: Mapping[str, Metric]
) -> dict[str, float]:
    """Return each metric's value alone."""
    a, b = np.asarray(true, object), np.asarray(predicted, object)
    return {name: float(metric(a, b, np.ones((1, len(a))))[0]) for name, metric in metrics.items()}


def difference(
    true: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    metrics: Mapping[str, Metric],
    name: str,
    seed: int = 0,
    origins: Sequence[str] = (),
) -> Interval:
    """Return (ours - theirs) of one of the metrics as {value, low, high}, by a paired bootstrap.

    Both are scored on the same rows and the same resamples, so what is hard for both cancels out.
    Labels that are all the same differ by nothing, whatever the rows.
    """
    if list(ours) == list(theirs):
        return dict.fromkeys(("value", "low", "high"), 0.0)
    drawn = resampled(seed, true, ours, theirs, surprised=_by_row(metrics), origins=origins)
    most = 1.0 if _by_row(metrics) else math.inf
    return drawn.interval(partial(_apart, metrics[name]), -most, most, name)


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
    origins: Sequence[str] = (),
) -> Interval:
    """Return by how much ours are better in the main metric, the first, as {value, low, high}."""
    name = next(iter(metrics))
    if name in LOWER:
        ours, theirs = theirs, ours
    return difference(true, ours, theirs, metrics, name, seed, origins)


def best(scores: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """Return whose score in a metric is the best."""
    choose = min if metric in LOWER else max
    return choose(scores, key=lambda name: scores[name][metric])


def resampled(
    seed: int, *labels: Sequence[str], surprised: bool = False, origins: Sequence[str] = ()
) -> Resampled:
    """Return resamples of rows, each with a true label and one or two that were said of it.

    Rows with the same labels are the same to every metric, so whole kinds are drawn: the same
    distribution, in memory that does not grow with the rows. If `surprised`, some rows are drawn
    that were not seen: right ones and wrong ones, two of each (Agresti and Coull, The American
    Statistician 1998); of a pair, such as only one is right in (Agresti and Min, Statistics in
    Medicine 2005). Else thirty right answers of thirty would be taken for certainty. With
    `origins`, one a row and an empty one for a row that is alone, those are drawn whole as well.
    """
    # As numbers, since an array of texts is as wide in each row as its longest is.
    names = sorted({label for each in labels for label in each})
    known = {name: number for number, name in enumerate(names)}
    told = np.array([[known[label] for label in each] for each in labels], np.int64)
    numbered, place, counts = np.unique(told, axis=1, return_inverse=True, return_counts=True)
    seen = np.array(names, object)[numbered]
    kinds, more = _with_surprises(seen, counts) if surprised else (seen, np.zeros(len(counts)))
    rows = np.pad(counts.astype(np.float64), (0, kinds.shape[1] - len(counts)))
    expected = rows + more
    total, dice = round(expected.sum()), np.random.default_rng(seed)
    weights = dice.multinomial(total, expected / expected.sum(), RESAMPLES).astype(np.float64)
    draws = [Draws(weights, expected[None])]
    if len(numbers := _numbered(origins)):
        draws += _whole(numbers, place.ravel(), rows, dice)
    return Resampled(kinds, rows[None], tuple(draws))


def mean(values: Sequence[float], origins: Sequence[str] = ()) -> Interval:
    """Return the mean as {value, low, high}: 95 % by its standard error, of origins if there are.

    Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 1986.
    """
    from scipy import stats

    found, numbers = np.asarray(values, np.float64), _numbered(origins)
    value = float(found.mean())
    sums = np.bincount(numbers if len(numbers) else np.arange(len(found)), found - value)
    count = len(sums)
    if count == 1:
        return {"value": value, "low": -math.inf, "high": math.inf}
    error = math.sqrt(count / (count - 1) * float(sums @ sums)) / len(found)
    margin = float(stats.t.ppf(1 - TAIL, count - 1)) * error
    return {"value": value, "low": value - margin, "high": value + margin}


def known_origins(origins: Sequence[str]) -> int:
    """Return how many origins rows are of; 0 where each row is alone."""
    numbers = _numbered(origins)
    return int(numbers.max(initial=-1)) + 1


def _numbered(origins: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each row's origin, a new one for an empty one; none if all differ."""
    named = [origin or (number,) for number, origin in enumerate(origins)]
    numbers = {origin: number for number, origin in enumerate(dict.fromkeys(named))}
    if len(numbers) == len(named):
        return np.zeros(0, np.int64)
    return np.array([numbers[origin] for origin in named])


def _whole(
    origins: NDArray[np.int64],
    kinds: NDArray[np.int64],
    rows: NDArray[np.float64],
    dice: np.random.Generator,
) -> list[Draws]:
    """Return resamples of whole origins; none where there is but one, which tells of no other.

    Few origins differ less among themselves than those that are to come: more so the fewer they
    are, which Hesterberg's expanded quantiles make up for (The American Statistician 2015).
    """
    from scipy import sparse, stats

    count = int(origins.max()) + 1
    if count == 1:
        return []
    shape = (count, len(rows))
    within = sparse.csr_array((np.ones(len(kinds)), (origins, kinds)), shape=shape)
    drawn = dice.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float64)
    wider = math.sqrt(count / (count - 1)) * stats.t.ppf(1 - TAIL, count - 1)
    return [Draws(drawn @ within, rows[None], float(stats.norm.cdf(-wider)))]


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
    return not metrics.keys() & {*LOWER, *BELOW_ZERO}


def _alone(metric: Metric, kinds: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return metric(kinds[0], kinds[1], weights)


def _apart(metric: Metric, kinds: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return metric(kinds[0], kinds[1], weights) - metric(kinds[0], kinds[2], weights)
