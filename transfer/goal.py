"""What a row's label is: how it is written, told apart, learned and judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .measure import Metric, accuracy, macro_f1
from .network import Network
from .probe import STRENGTHS, Labelled, LinearHead, fit_head

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

NEAR_TIE = 1e-4


class Goal(Protocol):
    """A kind of label. Labels are texts everywhere; a goal knows what they mean.

    `metrics` judge them, the main one first. `divides` is whether rows can be divided so that each
    side has its share of every label; `lists` is whether a cell may be a list. `worst_by` says what
    `wrong` counts.
    """

    metrics: Mapping[str, Metric]
    divides: bool
    lists: bool
    worst_by: str

    def read(self, cell: str) -> str:
        """Return the label that a cell means, written one way; raises ValueError with what not."""
        ...

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return what there is to choose from, by the labels of rows to train on."""
        ...

    def shown(self, label: str) -> Any:
        """Return a label as users get it: a text, or a list of texts."""
        ...

    def said(self, answer: Any) -> str:
        """Return the label that a model's answer is; the inverse of `shown`."""
        ...

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return the probability of each class."""
        ...

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float | None:
        """Return how probable a label is; None where that is not told."""
        ...

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how bad a label is for a row whose true one is known; 0 where nothing is wrong."""
        ...

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for which rows of logits [rows, classes] the label hangs on rounding."""
        ...

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return labels as numbers: [rows], or [rows, classes]."""
        ...

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return how many rows each class has."""
        ...

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Return the linear head that fits rows best, its strength cross-validated."""
        ...

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return how much each row counts [rows], given how much each class does."""
        ...

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return each row's weighted loss [rows], of classes in nats, by what the head sees."""
        ...


class OneClass:
    """One of several classes."""

    metrics: Mapping[str, Metric] = {"accuracy": accuracy, "macro_f1": macro_f1}
    divides = True
    lists = False
    worst_by = "how sure it was"

    def read(self, cell: str) -> str:
        """Return the class without the spaces round it."""
        return cell.strip()

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return all labels, sorted."""
        return tuple(sorted(set(labels)))

    def shown(self, label: str) -> Any:
        """Return the class."""
        return label

    def said(self, answer: Any) -> str:
        """Return the class."""
        return str(answer)

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return the softmax of logits."""
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = sum(powers)
        return {name: power / total for name, power in zip(classes, powers, strict=True)}

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float:
        """Return the probability of the class."""
        return self.scores(logits, classes)[label]

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how sure it was of a class that is not the true one."""
        return 0.0 if label == true else self.sure(label, logits, classes)

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where the two best logits are nearer than 1e-4."""
        if logits.shape[1] < 2:
            return np.zeros(len(logits), np.bool_)
        top = np.sort(logits, axis=1)[:, -2:]
        return np.asarray(top[:, 1] - top[:, 0] < NEAR_TIE)

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return the number of each label's class [rows]."""
        numbers = {name: number for number, name in enumerate(classes)}
        return np.array([numbers[label] for label in labels], np.int64)

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return how many rows each class has."""
        return np.bincount(targets, minlength=classes)

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Return a multinomial logistic head."""
        return fit_head(rows, classes, folds=folds, seed=seed, strengths=strengths)

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return the weight of each row's class."""
        return weights[targets]

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the cross-entropy of each row."""
        import torch
        from torch.nn.functional import cross_entropy

        logits = network.head(features.float())
        numbers = torch.as_tensor(targets).to(logits.device)
        return cross_entropy(logits, numbers, weight=weights, reduction="none")


ONE_CLASS = OneClass()
