"""The scorer `h_score`: how far apart means for each target are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import Scorer, hookimpl
from . import ByRow

if TYPE_CHECKING:
    from ...transfer.scoring import Sample, Scored

ABOUT = "how far apart means for each target are, by features' own spread"


def rate(sample: Sample) -> Scored:
    """Return what `transfer.separation` says of a sample."""
    from ...transfer.separation import separation

    return separation(sample)


@hookimpl
def register_scorers() -> list[Scorer]:
    """Offer the H-score."""
    return [ByRow("h_score", ABOUT, ("class", "classes", "number"), rate)]
