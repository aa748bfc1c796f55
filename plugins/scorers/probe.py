"""The scorer `probe`: a linear head, judged on rows held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import Scorer, hookimpl
from . import ByRow

if TYPE_CHECKING:
    from ...transfer.scoring import Sample, Scored

ABOUT = "log likelihood of rows held out, by a linear head"


def rate(sample: Sample) -> Scored:
    """Return what `transfer.crossed` says of a sample."""
    from ...transfer.crossed import crossed

    return crossed(sample)


@hookimpl
def register_scorers() -> list[Scorer]:
    """Offer the probe."""
    return [ByRow("probe", ABOUT, ("class", "classes", "number"), rate)]
