"""The scorer `nleep`: what clusters of features tell of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import Scorer, hookimpl
from . import ByRow

if TYPE_CHECKING:
    from ...transfer.scoring import Sample, Scored

ABOUT = "log likelihood of classes by the clusters of features"


def rate(sample: Sample) -> Scored:
    """Return what `transfer.mixture` says of a sample."""
    from ...transfer.mixture import mixture

    return mixture(sample)


@hookimpl
def register_scorers() -> list[Scorer]:
    """Offer N-LEEP."""
    return [ByRow("nleep", ABOUT, ("class",), rate)]
