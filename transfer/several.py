"""Labels that are several classes at once, or one, as `cat|dog`: each class is told by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Labelled
from .goal import NEAR_TIE, Goal
from .measure import Metric, accuracy
from .network import Network
from .probe import STRENGTHS, LinearHead, fit_head

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

BETWEEN = "|"
NONE = "none"  # how a row without any class is written


class SomeClasses(Goal):
    """Any of several classes, each present or not."""

    metrics: Mapping[str, Metric]
    lists = True
    worst_by = "how sure it was"

    def __init__(self) -> None:
        self.metrics = {"f1": _f1, "macro_f1": _macro_f1, "accuracy": accuracy}

    def read(self, cell: str) -> str:
        """Return the classes of `cat|dog`, or of a list in JSON, sorted."""
        text = cell.strip()
        if text.startswith("["):
            listed = json.loads(text)
            if not all(isinstance(each, str) for each in listed):
                raise ValueError("a list of texts is wanted")
        else:
            listed = text.split(BETWEEN)
        return _written(each for each in listed if each.strip().casefold() != NONE)

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return all classes that any label has, sorted."""
        return tuple(sorted({each for label in labels for each in _parts(label)}))

    def shown(self, label: str) -> Any:
        """Return a list of classes."""
        return _parts(label)

    def said(self, answer: Any) -> str:
        """Return a list of classes as one text."""
        return _written(answer)

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return the sigmoid of logits."""
        return {
            name: 1 / (1 + math.exp(-max(-700.0, logit)))
            for name, logit in zip(classes, logits, strict=True)
        }

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float:
        """Return the probability of what is least sure: that a class is there, or that it isn't."""
        there, scores = _parts(label), self.scores(logits, classes)
        return min(x if name in there else 1 - x for name, x in scores.items())

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how sure it was of classes that are not the true ones."""
        return 0.0 if label == true else self.sure(label, logits, classes)

    def likeliest(self, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
        """Return all classes that are likelier than not."""
        pairs = (zip(classes, row, strict=True) for row in logits.tolist())
        return [self.said([name for name, logit in row if logit > 0]) for row in pairs]

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where any logit is nearer to zero than 1e-4."""
        return np.asarray((np.abs(logits) < NEAR_TIE).any(axis=1))

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return 1 for each class that a label has, else 0 [rows, classes]."""
        return _table(labels, classes).astype(np.float32)

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return how many rows have each class."""
        return np.asarray(targets.sum(axis=0), np.int64)

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Return a logistic head for each class against all else, each with its own strength."""
        import torch

        heads = []
        for number in range(classes):
            targets = rows.targets[:, number].astype(np.int64)
            some = replace(rows, targets=targets)
            heads.append(fit_head(some, 2, folds=folds, seed=seed, strengths=strengths))
        losses = [head.loss for head in heads if head.loss is not None]
        return LinearHead(
            torch.stack([head.weight[1] - head.weight[0] for head in heads]),
            torch.stack([head.bias[1] - head.bias[0] for head in heads]),
            float(np.median([head.strength for head in heads])),
            heads[0].folds,
            float(np.mean(losses)) if losses else None,
        )

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return the mean weight of classes, for each row."""
        return weights.mean().expand(len(targets))

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the mean binary cross-entropy over classes, for each row."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits as entropy

        logits = network.head(features.float())
        wanted = torch.as_tensor(targets).to(logits.device)
        return (entropy(logits, wanted, reduction="none") * weights).mean(dim=1)


def _parts(label: str) -> list[str]:
    return [] if label == NONE else label.split(BETWEEN)


def _written(classes: Iterable[str]) -> str:
    return BETWEEN.join(sorted({each.strip() for each in classes if each.strip()})) or NONE


def _table(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.bool_]:
    sets = [set(_parts(str(label))) for label in labels]
    return np.array([[name in each for name in classes] for each in sets], np.bool_)


def _both(true: NDArray[Any], predicted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return which rows [rows, classes] have a class in both, and in how many of the two."""
    classes = sorted({each for label in (*true, *predicted) for each in _parts(str(label))})
    a, b = _table(true, classes), _table(predicted, classes)
    return (a & b).astype(np.float64), a.astype(np.float64) + b


def _f1(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return micro-averaged F1: over all classes of all rows at once."""
    both, either = _both(true, predicted)
    total = weights @ either.sum(axis=1)
    hits = 2 * (weights @ both.sum(axis=1))
    return np.asarray(np.divide(hits, total, out=np.ones_like(hits), where=total > 0))


def _macro_f1(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean F1 over the classes that occur."""
    both, either = _both(true, predicted)
    total = weights @ either
    scores = np.divide(
        2 * (weights @ both), total, out=np.full_like(total, np.nan), where=total > 0
    )
    occurs = ~np.isnan(scores).all(axis=1)
    found = np.ones(len(scores))
    found[occurs] = np.nanmean(scores[occurs], axis=1)
    return found


SOME_CLASSES = SomeClasses()
