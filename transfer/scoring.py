"""What a scorer is given and tells: rows of features, a number for them, each row's share in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.errors import BadData

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASS, CLASSES, NUMBER = "class", "classes", "number"
DRAWS = 1000
TAIL = 0.025  # beyond each end of an interval
BLOCK = 100  # draws at once, so that memory does not grow with their number


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to judge a backbone by: features [rows, features], and what each row is.

    `kind` says what targets are: the number of a `class` [rows], which `classes` there are
    [rows, classes], or a `number` [rows, outputs]. Rows of one group are never on two sides of a
    fold, and are drawn together.
    """

    features: NDArray[np.float32]
    targets: NDArray[Any]
    kind: str = CLASS
    groups: NDArray[np.int64] | None = None
    seed: int = 0

    def outputs(self) -> NDArray[np.float64]:
        """Return targets as columns [rows, outputs]: 0 or 1 for each class, or numbers."""
        if self.kind == CLASS:
            return np.asarray(np.eye(int(self.targets.max()) + 1)[self.targets])
        return np.asarray(self.targets, np.float64)

    def informative(self) -> NDArray[np.float64]:
        """Return the columns of `outputs` that are not the same in all rows."""
        told = self.outputs()
        return told[:, np.ptp(told, axis=0) > 0]


@dataclass(frozen=True, slots=True)
class Scored:
    """A score, of which more is better, and the share of each row [rows], whose mean it is.

    A share is NaN where a row could not be judged; all of them are None where a scorer can't tell.
    `facts` is what else was found, for people to read. `right` is 1 where a row that was held out
    got its class [rows], 0 where another and NaN where it was not, of scorers that tell classes.
    """

    value: float
    rows: NDArray[np.float64] | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    right: NDArray[np.float64] | None = None


def shared(rows: NDArray[np.float64], facts: Mapping[str, float] | None = None) -> Scored:
    """Return the score that is the mean of rows' shares; raises BadData if none was judged."""
    if np.isnan(rows).all():
        why = "no row can be held out: each class has a single row, or all are of one group"
        raise BadData(why, "add rows: two of each class are the least")
    return Scored(float(np.nanmean(rows)), rows, facts or {})


def influenced(value: float, slopes: NDArray[np.float64]) -> Scored:
    """Return a score that is no mean, with shares by how it changes with each row's weight.

    To first order, what it is for a resample is then the mean of the shares of the rows drawn
    (Efron's infinitesimal jackknife, 1982).
    """
    return Scored(value, value + slopes - slopes.mean())


def sample_of(
    features: Any,
    targets: Any,
    *,
    kind: str | None = None,
    groups: Any = None,
    seed: int = 0,
) -> Sample:
    """Return rows as scorers take them, from arrays or tensors.

    Unless said, whole numbers [rows] are classes, a table of 0 and 1 is which classes there are,
    and all else are numbers. Raises BadData where there is nothing to judge by: features that are
    no numbers, rows without targets, or all rows of one class.
    """
    with np.errstate(over="ignore"):  # what is too large for float32 is told below
        x, y = _array(features).astype(np.float32), _array(targets)
    if x.ndim != 2 or len(x) != len(y):
        why = f"features {list(x.shape)} and targets {list(y.shape)} are not of the same rows"
        raise BadData(why, "give features [rows, features] and a target a row")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        why = f"the features of {bad.sum()} of {len(x)} rows are not numbers (NaN or infinite)"
        raise BadData(why, "its weights are broken, or its precision too low: try another base")
    if kind is None:
        whole = y.ndim == 1 and np.issubdtype(y.dtype, np.integer)
        kind = CLASS if whole else CLASSES if y.ndim == 2 and np.isin(y, (0, 1)).all() else NUMBER
    if kind == CLASS:
        y = np.unique(y, return_inverse=True)[1].astype(np.int64)
    elif y.ndim == 1:
        y = y[:, None]
    found = Sample(x, y, kind, None if groups is None else _array(groups), seed)
    if kind != CLASS and not np.isfinite(found.targets).all():
        raise BadData("some targets are not numbers", "leave these rows out")
    if len(x) < 2 or not found.informative().shape[1]:
        why = f"all {len(x)} rows have the same target: there is nothing to tell apart"
        raise BadData(why, "give rows of two classes at least")
    return found


def _array(values: Any) -> NDArray[Any]:
    if hasattr(values, "detach"):  # a tensor: on whatever device, of whatever precision
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    return np.asarray(values)


@dataclass(frozen=True, slots=True)
class Layers:
    """What each layer scores, which is the best, and what the mean of all layers scores.

    The mean is None where layers differ in width.
    """

    each: tuple[Scored, ...]
    best: int
    averaged: Scored | None


def by_layer(
    layers: Sequence[NDArray[np.float32]], sample: Sample, rate: Callable[[Sample], Scored]
) -> Layers:
    """Return how each layer's features [rows, features] rate, and the mean of all layers'.

    The mean of layers agreed best with fine-tuning of all in Garbas et al., "Choose Your
    Transformer" (Findings of ACL 2024). It is of layers as they are, as there.
    """
    each = tuple(rate(replace(sample, features=features)) for features in layers)
    best = int(np.argmax([scored.value for scored in each]))
    averaged = None
    if len({features.shape for features in layers}) == 1:
        total = np.zeros(layers[0].shape, np.float64)
        for features in layers:
            total += features
        averaged = rate(replace(sample, features=(total / len(layers)).astype(np.float32)))
    return Layers(each, best, averaged)


def resampled(
    scored: Sequence[Scored],
    *,
    groups: NDArray[np.int64] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return what scores would be on other rows [draws, candidates], the same rows for all.

    Whole groups are drawn where there are groups. A score without shares of rows is the same in
    every draw.
    """
    shares = {n: s.rows for n, s in enumerate(scored) if s.rows is not None}
    found = np.tile([each.value for each in scored], (draws, 1)).astype(np.float64)
    if not shares:
        return found
    table = np.stack(list(shares.values()), axis=1)
    group = np.arange(len(table)) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(group.max()) + 1
    sums, counts = np.zeros((units, table.shape[1])), np.zeros((units, table.shape[1]))
    np.add.at(sums, group, np.nan_to_num(table))
    np.add.at(counts, group, (~np.isnan(table)).astype(np.float64))
    dice = np.random.default_rng(seed)
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        drawn = dice.multinomial(units, np.full(units, 1 / units), size).astype(np.float64)
        within = drawn @ counts
        means = np.divide(drawn @ sums, within, out=np.full_like(within, np.nan), where=within > 0)
        known = np.where(np.isnan(means), np.nanmean(table, axis=0), means)
        found[start : start + size, list(shares)] = known
    return found


def spread(scored: Sequence[Scored], draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 95 % intervals of scores [2, candidates] from draws; NaN where no share is known."""
    known = np.array([each.rows is not None for each in scored])
    values = np.array([each.value for each in scored])
    low, high = np.quantile(draws, [TAIL, 1 - TAIL], axis=0)
    found = np.stack([np.minimum(low, values), np.maximum(high, values)])
    return np.where(known, found, np.nan)
