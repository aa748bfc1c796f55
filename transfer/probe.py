"""Fit a linear head on frozen features: logistic regression, its strength cross-validated.

Rows are read in blocks, so the memory it takes does not grow with them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .cross_validation import folded
from .features import Labelled
from .logistic import Logistic
from .split import evenly
from .temperature import ENOUGH, HeldOut, held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Head = tuple[NDArray[Any], NDArray[Any]]

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
ROUGH, FINE = 1e-5, 1e-9  # relative change of the loss at which a fit is done: to choose, to keep
MANY = 1000  # rows from which three folds tell strengths apart as well as five
MOST = 50_000  # rows that choose the strength


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Weight [labels, features] and bias [labels] of a head, and the C that was chosen.

    `loss` is that of rows that were held out, in the mean over them: the log loss in nats, or of
    numbers the squared error by their variance. `held_out` is what was said of some of them, of
    classes alone. None where none could be: each class has one row, or all are of one group.
    """

    weight: Tensor
    bias: Tensor
    strength: float
    folds: int
    loss: float | None
    held_out: HeldOut | None = None


def balanced(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a weight a class, given how many rows each has: all with rows weigh the same.

    A row weighs one on average.
    """
    rows = counts.sum()
    found: NDArray[np.float64] = rows / (np.count_nonzero(counts) * np.maximum(1, counts))
    return found


def fit_head(
    rows: Labelled,
    classes: int,
    *,
    folds: int = 5,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
) -> LinearHead:
    """Return the multinomial logistic head whose C has the least cross-validated log loss.

    Features are scaled by one number (their standard deviation), so that C means the same for every
    backbone; the scale is folded into the weights. A class with a single row stays in training;
    where none can be held out, C is the middle one. It is chosen on at most 50,000 rows, drawn by
    the seed.
    """
    import torch

    found = cross_validated(rows, classes, folds=folds, seed=seed, strengths=strengths)
    fitting = Logistic(rows, classes, found.scale, np.float64)
    weight, bias = fitting.solve(found.strength, FINE)
    return LinearHead(
        torch.tensor(weight, dtype=torch.float32),
        torch.tensor(bias, dtype=torch.float32),
        found.strength,
        found.folds,
        found.loss,
        _held_out(found.heads) if found.heads else None,
    )


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The best C, its log loss in nats on rows held out, and the head of each fold with its rows.

    Nothing is held out where there are no folds; C is then the middle one. `scale` is what C takes
    features by.
    """

    strength: float
    scale: float
    folds: int
    loss: float | None
    heads: Sequence[tuple[Head, Labelled]]


def cross_validated(
    rows: Labelled,
    classes: int,
    *,
    folds: int = 5,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
    tolerance: float = ROUGH,
) -> CrossValidated:
    """Return the C that says most of rows held out, and the heads that said it.

    `tolerance` is the relative change of the loss at which a fit is done.
    """
    scale = deviation(rows)
    counts = np.bincount(rows.targets, minlength=classes)
    folds = 3 if len(rows) > MANY and folds == 5 else folds
    folds = int(max(2, min(folds, np.median(counts[counts > 0]))))
    if rows.groups is not None:
        folds = min(folds, len(np.unique(rows.groups)))
    some = rows
    if len(rows) > MOST:
        drawn = np.random.default_rng(seed).choice(len(rows), MOST, replace=False)
        some = rows.some(np.sort(drawn))
    fits = [
        (Logistic(some.some(train), classes, scale, np.float32), some.some(others))
        for train, others in folded(some, folds, seed)
    ]
    weighed = sum(others.weights.sum() for _, others in fits)
    losses: dict[float, float] = {}
    best: list[tuple[Head, Labelled]] = []
    for strength in strengths if fits else ():
        found = [(fitting.solve(strength, tolerance), others) for fitting, others in fits]
        losses[strength] = sum(_loss(others, *head) for head, others in found) / weighed
        if losses[strength] == min(losses.values()):
            best = found
        # Log loss falls, then rises with C: what is weaker than this is no better, only slower.
        if losses[strength] > min(losses.values()):
            break
    strength = min(losses, key=lambda each: losses[each], default=strengths[len(strengths) // 2])
    return CrossValidated(strength, scale, len(fits), losses.get(strength), best)


def _held_out(found: Sequence[tuple[Head, Labelled]]) -> HeldOut:
    """Return what the heads of the folds say of some of the rows that each was not fitted to."""
    most = ENOUGH // len(found)
    logits, targets = [], []
    for (weight, bias), rows in found:
        few = rows.some(np.array(evenly(len(rows), most)))
        logits.append(few.features[few.rows] @ weight.T + bias)
        targets.append(few.targets)
    told = np.concatenate(targets)
    how = f"{len(told)} rows out of the folds of its cross-validation"
    return held_out(np.concatenate(logits), told, how)


def deviation(rows: Labelled) -> float:
    """Return the standard deviation of all numbers in the features, or 1 where they are alike."""
    count, total, squares = 0, 0.0, 0.0
    for x, _, _ in rows.blocks():
        count += x.size
        total += float(x.sum(dtype=np.float64))
        squares += float(np.square(x, dtype=np.float64).sum())
    variance = (squares - total * total / count) / max(1, count - 1)
    return float(np.sqrt(variance)) if variance > 0 else 1.0


def _loss(rows: Labelled, weight: NDArray[Any], bias: NDArray[Any]) -> float:
    """Return the summed and weighted log loss of rows in nats."""
    total = 0.0
    for x, y, weights in rows.blocks():
        scores = x @ weight.T + bias
        scores -= scores.max(axis=1, keepdims=True)
        right = scores[np.arange(len(y)), y]
        total += float((weights * (np.log(np.exp(scores).sum(axis=1)) - right)).sum())
    return total


@functools.cache  # `auto` asks for each recipe
def seconds_to_fit(rows: int, width: int, classes: int, folds: int) -> float:
    """Return about how many seconds a head takes to fit, by fitting one to fewer, made-up rows."""
    tried = min(rows, MANY)
    dice = np.random.default_rng(0)
    targets = np.arange(tried) % classes
    features = dice.normal(size=(tried, width)) + 0.5 * dice.normal(size=(classes, width))[targets]
    made = Labelled(features.astype(np.float32), np.arange(tried), targets, np.ones(tried))
    began = time.perf_counter()
    fit_head(made, classes, folds=folds)
    return (time.perf_counter() - began) * rows / tried
