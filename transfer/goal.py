"""What a row's label is: how it is written, told apart, learned and judged.

Whoever works with labels asks the goal what it has to know of them, so a new kind is one file.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .features import Labelled
from .measure import Metric, accuracy, macro_f1
from .network import Network
from .probe import STRENGTHS, LinearHead, fit_head

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

NEAR_TIE = 1e-4


class Goal(Protocol):
    """A kind of label. Labels are texts everywhere; a goal knows what they mean.

    One that names this class as its own has what stands here for whatever it does not say.
    """

    metrics: Mapping[str, Metric]  # what judges labels, the main one first
    worst_by: str  # what `wrong` counts
    divides: bool = False  # whether rows have one class, of which each side can get its share
    ordered: bool = False  # whether labels are numbers, near ones nearly right, and no classes
    whole: bool = True  # whether a label is of the whole row; else the goal is `Placed`
    lists: bool = False  # whether a row may have several classes, and its cell be a list
    nested: bool = False  # whether a cell may be a list or an object though it is one label
    given: bool = False  # whether the head comes with a network, and has a unit of its own
    compared: bool = False  # whether a row's loss is by the others that are given with it
    leading: int | None = None  # how many of a row's logits are such, if others count something
    loss_in: str = " in nats"  # what losses are in, put behind the word

    @property
    def unit(self) -> float:
        """By how much logits have to differ to be called different, times a tolerance."""
        return 1.0

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

    def of(self, labels: Iterable[str], name: str = "") -> Goal:
        """Return the goal that knows of labels to learn from, and their column's name, if any."""
        return self

    def noted(self) -> Mapping[str, Any]:
        """Return what `of` told it, to be written down of the data: nothing of any one row."""
        return {}

    def recalled(self, noted: Mapping[str, Any], classes: Sequence[str]) -> Goal:
        """Return the goal that knows what was `noted`, as it was checked when it was read."""
        return self

    def even(self, head: nn.Linear) -> AbstractContextManager[None]:
        """Let a head learn in units that suit any labels, for as long as it is trained."""
        return contextlib.nullcontext()

    def likeliest(self, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
        """Return the label that each row of logits [rows, classes] means."""
        return [classes[number] for number in logits.argmax(axis=1)]

    def counted(
        self, true: Sequence[str], said: Sequence[str], classes: Sequence[str]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return how often rows have a class, are said to, and rightly so [rows, classes] each."""
        tables = [self.targets(each, classes) for each in (true, said)]
        a, b = (np.eye(len(classes))[each] if each.ndim == 1 else each for each in tables)
        return a, b, a * b

    def slack(self, metric: float, gap: float, said: Sequence[str] = ()) -> float:
        """Return by how much a main metric may differ where logits do by a gap, as they compare.

        Labels that stay the same change nothing, unless it is made of numbers.
        """
        return 0.0

    def shares(self, true: Sequence[str], said: Sequence[str], metric: float) -> NDArray[Any]:
        """Return the part of each row [rows] in a main metric, which is the mean of them."""
        wrong = np.array([self.wrong(a, b, (), ()) for a, b in zip(true, said, strict=True)])
        return metric * wrong / wrong.mean() if wrong.any() else np.zeros(len(wrong))

    def unlike(self, said: Sequence[str], other: Sequence[str]) -> str:
        """Return why what two models say of the same rows can't be compared, or nothing."""
        return ""


class OneClass(Goal):
    """One of several classes."""

    metrics: Mapping[str, Metric] = {"accuracy": accuracy, "macro_f1": macro_f1}
    divides = True
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


def other_kind(goal: Goal, other: Goal) -> str:
    """Return that labels are of two kinds, such as numbers and classes, or nothing."""
    return "" if type(goal) is type(other) else "its labels are of another kind"


ONE_CLASS = OneClass()
