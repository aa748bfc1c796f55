"""hubtl's own scorers: each a function of features and targets that tells every row's share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ...transfer.scoring import Sample, Scored


@dataclass(slots=True)
class ByRow:
    """A scorer that tells each row's share, made of a function; a plain one may call it too."""

    name: str
    about: str
    kinds: tuple[str, ...]
    rate: Callable[[Sample], Scored]

    def score(self, sample: Sample) -> Scored:
        """Return the score with each row's share in it; raises BadData."""
        return self.rate(sample)

    def __call__(self, features: Tensor, targets: Tensor) -> float:
        """Return the score of features [rows, features] for targets; raises BadData."""
        from ...transfer.scoring import sample_of

        return self.rate(sample_of(features, targets)).value
