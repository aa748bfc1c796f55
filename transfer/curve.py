"""Whether more rows are worth it: a linear head on what is kept of the rows, learnt from fewer.

Each fold's head learns from an eighth, a quarter, a half and all of the rows that are not held out,
drawn anew for each fold, whole groups together; all are judged on the same rows that none of them
saw. What twice the rows would bring is read off a power law of the error through the last three
(Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017), with an interval by
drawing the judged rows anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.comparing import LOWER
from ..registry.errors import BadData
from .features import Labelled
from .measure import measure, resampled
from .split import Example, folds, hold_out
from .start import Session
from .trunk import Trunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
FOLDS = 5
STRENGTH_FOLDS = 3
LEAST_ROWS, LEAST_A_CLASS = 10, 2  # to learn from: fewer are no point of a curve
SECONDS = 10.0  # that it may take, about
WORTH = 0.01  # of the metric: what is surely less is not worth twice the rows


def learning_curve(session: Session, trunk: Trunk, seconds: float = SECONDS) -> dict[str, Any]:
    """Return {rows, value, low, high} of each size, and what twice the rows would bring.

    `seconds` are about how long it may take: as many of five folds are judged as fit. Raises
    BadData where there are too few rows for a curve, or they can't be divided.
    """
    rows = session.train
    most = len(rows) * (1 - 1 / FOLDS)
    least = max(LEAST_ROWS, LEAST_A_CLASS * len(session.labels))
    shares = [share for share in SHARES if share * most >= least]
    if len(shares) < 3:
        raise BadData("too few rows for a curve")
    judged: list[Example] = []
    said: list[list[str]] = [[] for _ in shares]
    sizes = np.zeros(len(shares))
    count, began = 0, time.monotonic()
    parts = folds(rows, FOLDS, session.seed + 2, strata=session.goal.divides)
    for number, (kept, held) in enumerate(parts):
        known = session.choices.get("folds of the curve")
        spent = time.monotonic() - began
        if number >= known if known else number and spent * (1 + 1 / number) > seconds:
            break
        judged += held
        for place, share in enumerate(shares):
            some = _some(session, kept, share, number)
            sizes[place] += len(some)
            said[place] += _said(session, trunk, some, held)
        count = number + 1
        session.progress("learning from fewer rows", count, FOLDS)
    session.choices.put("folds of the curve", count)
    sizes = np.round(sizes / count)
    return {**_told(session, sizes, judged, said), "folds": count}


def _some(session: Session, kept: Sequence[Example], share: float, draw: int) -> Sequence[Example]:
    """Return a share of rows, whole groups together, another for each draw."""
    if share == 1:
        return kept
    seed = session.seed + 1000 * (draw + 1)
    return hold_out(kept, share, seed, strata=session.goal.divides)[1]


def _said(
    session: Session, trunk: Trunk, some: Sequence[Example], held: Sequence[Example]
) -> list[str]:
    """Return what a head says of rows that were held out, learnt from some of the others."""
    assert trunk.pooled is not None, "a linear head sees one row of each input"
    labelled = Labelled(
        trunk.pooled,
        trunk.rows_of([row.input for row in some]),
        session.targets(some),
        np.ones(len(some)),
        session.groups(some),
    )
    classes = session.labels
    head = session.goal.fit_head(labelled, len(classes), folds=STRENGTH_FOLDS, seed=session.seed)
    features = trunk.pooled[trunk.rows_of([row.input for row in held])]
    logits = features @ head.weight.numpy().T + head.bias.numpy()
    return session.goal.likeliest(logits, classes)


def _told(
    session: Session, sizes: NDArray[Any], held: Sequence[Example], said: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Return the points, what twice the rows would bring, and that in a sentence."""
    # What is fitted goes up to 1: of an error in a unit, the share of variance explained does.
    metrics = session.goal.metrics
    name, metric = next(each for each in metrics.items() if each[0] not in LOWER)
    true, origins = [row.label for row in held], [row.origin for row in held]
    points = [
        {"rows": int(size), **measure(true, labels, metrics, session.seed, origins)[name]}
        for size, labels in zip(sizes, said, strict=True)
    ]
    drawn = resampled(session.seed, true, *said, origins=origins)
    actual, *answers = drawn.kinds

    def gained(weights: NDArray[Any]) -> NDArray[Any]:
        values = np.stack([metric(actual, each, weights) for each in answers[-3:]])
        return _twice(sizes[-3:], values, 0.5 / len(held))

    low, high = drawn.ends(lambda each: gained(each.weights))
    twice = {"value": float(gained(drawn.counts)[0]), "low": low, "high": high}
    return {"metric": name, "points": points, "twice": twice, "says": says(name, twice)}


def _twice(sizes: NDArray[Any], values: NDArray[Any], floor: float) -> NDArray[Any]:
    """Return by how much values [sizes, resamples] grow with twice the rows, by a power law."""
    x = np.log(sizes) - np.log(sizes[-1])
    y = np.log(np.maximum(1 - values, floor))
    centred = x - x.mean()
    slope = centred @ (y - y.mean(axis=0)) / (centred**2).sum()
    now = np.exp(y.mean(axis=0) - slope * x.mean())
    found: NDArray[Any] = now * (1 - 2.0**slope)
    return found


def says(metric: str, twice: dict[str, float]) -> str:
    """Return one sentence on whether more rows of the kind are worth it."""
    value, low, high = (100 * twice[key] for key in ("value", "low", "high"))
    brings = f"about {value:+.1f} points of {metric} ({low:+.1f} to {high:+.1f})"
    if twice["low"] > 0 and twice["value"] >= WORTH / 2:
        return f"Twice the rows would bring a linear head on this base {brings}."
    if twice["high"] < WORTH:
        return (
            f"More rows of this kind are not worth it for a linear head: twice as many, {brings}."
        )
    return f"Whether more rows are worth it can't be told from these: twice as many, {brings}."
