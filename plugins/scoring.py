"""What a scorer is, be it a plain function of two tensors or one that tells each row's share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..registry.errors import BadData, BadOption

if TYPE_CHECKING:
    from torch import Tensor

    from ..transfer.scoring import Sample, Scored

PLAIN = ("class",)


class Scorer(Protocol):
    """A guess, made without training, of how well a backbone will transfer; more is better."""

    name: str

    def __call__(self, features: Tensor, targets: Tensor) -> float:
        """Return the score of features [rows, features] for class numbers [rows]."""
        ...


@runtime_checkable
class RowScorer(Protocol):
    """A scorer that tells the share of each row, so that intervals cost no second scoring.

    `kinds` are those of targets that it can judge: `class`, `classes` and `number`; `about` is what
    its number is.
    """

    name: str
    about: str
    kinds: Sequence[str]

    def __call__(self, features: Tensor, targets: Tensor) -> float:
        """Return the score of features [rows, features] for targets; raises BadData."""
        ...

    def score(self, sample: Sample) -> Scored:
        """Return the score of a sample, which has its kind, groups and seed; raises BadData."""
        ...


def judges(scorer: Scorer, kind: str) -> bool:
    """Return whether a scorer can judge targets of a kind; a plain one judges classes alone."""
    return kind in getattr(scorer, "kinds", PLAIN)


def score(scorer: Scorer, sample: Sample) -> Scored:
    """Return what a scorer makes of a sample.

    Raises BadOption where it can't judge targets of that kind, and BadData where the features have
    no score.
    """
    if not judges(scorer, sample.kind):
        able = ", ".join(getattr(scorer, "kinds", PLAIN))
        why = f"the scorer `{scorer.name}` can't judge targets of the kind `{sample.kind}`"
        raise BadOption(why, f"it judges: {able}")
    found = scorer.score(sample) if isinstance(scorer, RowScorer) else _plain(scorer, sample)
    if not math.isfinite(found.value):
        why = f"the scorer `{scorer.name}` gives no number for these features: {found.value}"
        raise BadData(why, "leave it out, or tell its author")
    return found


def _plain(scorer: Scorer, sample: Sample) -> Scored:
    """Return what a plain function of two tensors says; it knows of no rows."""
    import torch

    from ..transfer.scoring import Scored

    features, targets = torch.from_numpy(sample.features), torch.from_numpy(sample.targets)
    return Scored(float(scorer(features, targets)))
