"""The scorer `neighbours`: the vote of a row's nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import Scorer, hookimpl
from . import ByRow

if TYPE_CHECKING:
    from ...transfer.scoring import Sample, Scored

ABOUT = "rows that their nearest neighbours tell right"


def rate(sample: Sample) -> Scored:
    """Return what `transfer.neighbours` says of a sample."""
    from ...transfer.neighbours import neighbours

    return neighbours(sample)


@hookimpl
def register_scorers() -> list[Scorer]:
    """Offer nearest neighbours."""
    return [ByRow("neighbours", ABOUT, ("class", "classes", "number"), rate)]
