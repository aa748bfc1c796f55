"""Ask a scorer, be it a plain function of two tensors or one that tells each row's share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..registry.errors import BadData, BadOption
from .hookspecs import RowScorer, Scorer

if TYPE_CHECKING:
    from ..transfer.scoring import Sample, Scored

PLAIN = ("class",)


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
