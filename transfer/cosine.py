"""Labels that are scores of how alike two things are, which the cosines of their vectors follow.

What counts is order: two rows of which one has the higher score should have cosines in that order,
whatever unit scores are in. So the loss is CoSENT: Huang et al., "CoSENT: Consistent Sentence
Embedding via Similarity Ranking", IEEE/ACM TASLP 2024; here each row has its own, by the others of
its batch, where the paper has one of all, so that rows can be judged one by one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .measure import Metric
from .network import Network
from .number import NAME, NUMBERS, Numbers, correlated, in_parts, one_name, spearman

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

SCALE = 20.0  # of cosines, as in the paper
DIGITS = 6  # of a cosine, as far as fp32 tells it
NOTED = ("mean", "deviation", "least", "most")


class Cosines(Numbers):
    """A score a row, by its name; what is said of a row is a cosine, from -1 to 1.

    `least` and `most` are the ends of the scores to learn from.
    """

    metrics: Mapping[str, Metric]
    given = True
    compared = True
    worst_by = "how far its cosine is from the score, scaled to 0 to 1"
    loss_in = " (CoSENT)"

    def __init__(
        self,
        name: str = NAME,
        mean: float = 0.0,
        deviation: float = 1.0,
        least: float = 0.0,
        most: float = 1.0,
    ) -> None:
        super().__init__(name, mean, deviation)
        self.least, self.most = least, most
        self.metrics = {"spearman": spearman, "pearson": _pearson}

    @property
    def unit(self) -> float:
        """Cosines are in a unit of their own, whatever that of scores is."""
        return 1.0

    def of(self, labels: Iterable[str], name: str = "") -> Cosines:
        """Return the goal of such a name, which knows how the scores to learn from lie."""
        found = [float(label) for label in labels]
        known = super().of(map(repr, found), name)
        return Cosines(known.name, known.mean, known.deviation, min(found), max(found))

    def noted(self) -> Mapping[str, Any]:
        """Return the mean, the deviation and the ends of the scores."""
        told = super().noted()["numbers"]
        return {"numbers": {**told, "least": self.least, "most": self.most}}

    def recalled(self, noted: Mapping[str, Any], classes: Sequence[str]) -> Cosines:
        """Return the goal of scores that lie so; this one where nothing was noted."""
        told, name = noted.get("numbers"), one_name(classes)
        if not told:
            return self
        lie = {**vars(self), **told}
        return Cosines(name, *(float(lie[each]) for each in NOTED))

    def read(self, cell: str) -> str:
        """Return the score that a cell is, written one way."""
        return NUMBERS.read(cell)

    def said(self, answer: Any) -> str:
        """Return a cosine by as many digits as fp32 has: of the same texts it is one everywhere."""
        return repr(round(float(answer), DIGITS) + 0.0)

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how far a cosine is from the score, whose ends are 0 and 1."""
        wide = self.most - self.least
        return abs((float(true) - self.least) / wide - float(label)) if wide else 0.0

    def slack(self, metric: float, gap: float, said: Sequence[str] = ()) -> float:
        """Return how far off the correlation of ranks may be where cosines are by a gap.

        A row's rank moves by no more than there are others within twice that. As ranks are at most
        half of all rows from their mean, n rows whose ranks move by d together make 6 d / n^2.
        """
        cosines = np.sort([float(each) for each in said])
        if not len(cosines):
            return 0.0
        near = 2 * gap + 10.0**-DIGITS
        low = np.searchsorted(cosines, cosines - near, "left")
        high = np.searchsorted(cosines, cosines + near, "right")
        return float(6 * (high - low - 1).sum() / len(cosines) ** 2)

    def shares(self, true: Sequence[str], said: Sequence[str], metric: float) -> NDArray[Any]:
        """Return the correlation, and how it changes with each row's weight, to first order.

        That is a b - r (a^2 + b^2) / 2 of a row's ranks in deviations from their means; their mean
        is 0, since a correlation is no mean over rows.
        """
        from scipy.stats import rankdata

        a, b = (rankdata([float(each) for each in side]) for side in (true, said))
        a, b = ((side - side.mean()) / (side.std() or 1.0) for side in (a, b))
        return np.asarray(metric + a * b - metric * (a**2 + b**2) / 2)

    @contextlib.contextmanager
    def even(self, head: nn.Linear) -> Iterator[None]:
        """Do nothing: the head has no weights."""
        yield

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return of each row how far it is out of order among the others given with it.

        That is log(1 + sum exp(20 (a - b))) over the others with another score, where `a` is the
        cosine of whichever of the two has the lower score, and `b` that of the other.
        """
        import torch

        cosines = SCALE * network.head(features.float())[:, 0]
        true = torch.as_tensor(targets, dtype=cosines.dtype, device=cosines.device)
        order = torch.sign(true[:, None] - true)
        amiss = (order * (cosines - cosines[:, None])).masked_fill(order == 0, -torch.inf)
        even = amiss.new_zeros(len(amiss), 1)
        found: Tensor = torch.cat([even, amiss], dim=1).logsumexp(dim=1)
        return found


def _pearson(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the correlation of scores and cosines themselves; 0 where a side is constant."""
    rows = ((each - each.mean())[None] for each in (true.astype(float), predicted.astype(float)))
    a, b = (each / (np.abs(each).max() or 1.0) for each in rows)
    return np.concatenate([correlated(a, b, each) for each in in_parts(weights)])


COSINES = Cosines()
