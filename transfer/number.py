"""Labels that are numbers: how far off what is said is counts, and not whether it is the same."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.errors import BadData
from .features import Labelled
from .goal import Goal
from .measure import Metric
from .network import Network
from .probe import LinearHead
from .ridge import STRENGTHS, fit_ridge

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

NAME = "number"
LARGEST = 1e30  # fp32, in which numbers are told, ends not far above
FINEST = 1e-3  # of the mean: in fp32 numbers of that size hold no finer unit to a ten-thousandth
ROOM = 1 << 22  # ranks at once: 32 MB


def one_name(classes: Sequence[str]) -> str:
    """Return the one name that numbers of a model have; raises BadData for several, or none."""
    if len(classes) != 1:
        raise BadData(f"numbers have one name, and this model has {len(classes)}", "adapt again")
    return classes[0]


class Numbers(Goal):
    """One number a row, by its name, with the mean and the deviation of those to learn from.

    Logits are the number itself [rows, 1], in the unit that labels are in.
    """

    metrics: Mapping[str, Metric]
    ordered = True
    worst_by = "how far off"
    loss_in = " (squared error by the labels' variance)"

    def __init__(self, name: str = NAME, mean: float = 0.0, deviation: float = 1.0) -> None:
        self.name, self.mean, self.deviation = name, mean, deviation
        self.metrics = {"mse": _mse, "r2": _r2, "spearman": spearman}

    @property
    def unit(self) -> float:
        """By how much numbers have to differ to be called different, as far as fp32 holds that."""
        return math.hypot(self.deviation, FINEST * self.mean)

    def of(self, labels: Iterable[str], name: str = "") -> Numbers:
        """Return the goal of such a name, which knows how the labels to learn from deviate."""
        found = np.array([float(label) for label in labels])
        return Numbers(name or self.name, float(found.mean()), float(found.std()) or 1.0)

    def noted(self) -> Mapping[str, Any]:
        """Return the mean and the deviation, by which numbers are compared."""
        return {"numbers": {"mean": self.mean, "deviation": self.deviation}}

    def recalled(self, noted: Mapping[str, Any], classes: Sequence[str]) -> Numbers:
        """Return the goal of that mean and deviation; this one where none were noted."""
        told = noted.get("numbers")
        name = one_name(classes)
        return Numbers(name, float(told["mean"]), float(told["deviation"])) if told else self

    def read(self, cell: str) -> str:
        """Return the number that a cell is, written one way."""
        try:
            found = math.nan if "_" in cell else float(cell)  # 1_000 is one to Python alone
        except ValueError:
            found = math.nan
        if not abs(found) <= LARGEST:
            raise ValueError("no finite number")
        return self.said(found)

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the one name of what is told."""
        return (self.name,)

    def shown(self, label: str) -> Any:
        """Return the number."""
        return float(label)

    def said(self, answer: Any) -> str:
        """Return the number as a text from which it comes back the same."""
        return repr(float(answer) + 0.0)

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return the number by its name."""
        return dict(zip(classes, logits, strict=True))

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> None:
        """Return nothing: a number does not tell how sure it is."""

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how far off the number is."""
        return abs(float(true) - float(label))

    def slack(self, metric: float, gap: float, said: Sequence[str] = ()) -> float:
        """Return how far off a mean squared error may be where numbers are by a gap of their unit.

        One of m is off by no more than 2 m^½ times that, and its square.
        """
        off = gap * self.unit
        return 2 * math.sqrt(max(0.0, metric)) * off + off * off

    @contextlib.contextmanager
    def even(self, head: nn.Linear) -> Iterator[None]:
        """Let a head learn in deviations from the mean, so that rates suit any unit.

        It says the same all the while: its weights are made of others, which the optimizer sees.
        """
        from torch.nn.utils import parametrize

        parametrize.register_parametrization(head, "weight", _scaled(self.deviation, 0.0))
        parametrize.register_parametrization(head, "bias", _scaled(self.deviation, self.mean))
        try:
            yield
        finally:
            for name in ("weight", "bias"):
                parametrize.remove_parametrizations(head, name, leave_parametrized=True)

    def likeliest(self, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
        """Return the one logit itself."""
        return [self.said(number) for number in logits[:, 0].tolist()]

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return that there are none: numbers are as near as they are."""
        return np.zeros(len(logits), np.bool_)

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return the numbers themselves [rows]."""
        return np.array([float(label) for label in labels])

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return how many rows there are."""
        return np.array([len(targets)])

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Return a head by ridge regression."""
        return fit_ridge(rows, folds=folds, seed=seed, strengths=strengths)

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return that all rows count alike."""
        return weights.new_ones(len(targets))

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the squared error of each row by the variance of the rows to learn from."""
        import torch

        said = network.head(features.float())[:, 0]
        true = torch.as_tensor(targets, dtype=said.dtype, device=said.device)
        missed: Tensor = (said - true) / self.deviation
        return missed**2


def _scaled(scale: float, shift: float) -> nn.Module:
    """Return what makes weights of those that are learnt, and these of those."""
    from torch import nn

    class Scaled(nn.Module):
        """Weights that are learnt in another unit than they are used in."""

        def forward(self, learnt: Tensor) -> Tensor:
            return learnt * scale + shift

        def right_inverse(self, used: Tensor) -> Tensor:
            return (used - shift) / scale

    return Scaled()


def _mse(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean squared error."""
    missed = (true.astype(np.float64) - predicted.astype(np.float64)) ** 2
    return np.asarray(weights @ missed / weights.sum(axis=1))


def _r2(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the share of variance explained, 0 where there is none."""
    numbers = true.astype(np.float64)
    numbers = numbers - numbers.mean()
    total = weights.sum(axis=1)
    spread = weights @ numbers**2 / total - (weights @ numbers / total) ** 2
    varies = spread > 1e-12 * np.square(numbers).max(initial=0.0)
    missed = _mse(true, predicted, weights)
    share = np.divide(missed, spread, out=np.ones_like(spread), where=varies)
    return np.asarray(1 - share)


def spearman(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the correlation of ranks, tied ones sharing theirs; 0 where a side is constant."""
    a, b = (
        np.unique(side.astype(np.float64), return_inverse=True)[1] for side in (true, predicted)
    )
    parts = in_parts(weights)
    return np.concatenate([correlated(_ranks(a, each), _ranks(b, each), each) for each in parts])


def in_parts(weights: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield some resamples at a time, of weights [resamples, rows], for their memory."""
    step = max(1, ROOM // max(1, weights.shape[1]))
    return (weights[start : start + step] for start in range(0, len(weights), step))


def _ranks(places: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each row in each resample, given its place among different values."""
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    drawn = np.add.reduceat(weights[:, order], starts, axis=1)
    found: NDArray[np.float64] = (np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, places]
    return found


def correlated(
    a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted correlation of rows [resamples, rows]."""
    total = weights.sum(axis=1, keepdims=True)
    a, b = (each - (weights * each).sum(axis=1, keepdims=True) / total for each in (a, b))
    both = (weights * a * b).sum(axis=1)
    apart = np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
    varies = apart > 1e-9 * weights.shape[1]
    return np.asarray(np.divide(both, apart, out=np.zeros_like(both), where=varies))


NUMBERS = Numbers()
