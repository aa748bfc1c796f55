"""The scorer `logme`: the evidence of a Bayesian linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import Scorer, hookimpl
from . import ByRow

if TYPE_CHECKING:
    from ...transfer.scoring import Sample, Scored

ABOUT = "evidence of a Bayesian linear model"


def rate(sample: Sample) -> Scored:
    """Return what `transfer.evidence` says of a sample."""
    from ...transfer.evidence import evidence

    return evidence(sample)


@hookimpl
def register_scorers() -> list[Scorer]:
    """Offer LogME."""
    return [ByRow("logme", ABOUT, ("class", "classes", "number"), rate)]
