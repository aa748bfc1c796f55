"""What a bootstrap has to make up for, metric by metric, where resamples lie askew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.comparing import LOWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORRELATIONS = frozenset(("spearman", "pearson"))


def mended(found: NDArray[Any], centre: float, name: str) -> NDArray[Any]:
    """Return resamples of a metric, or of a difference in it, whose quantiles end an interval.

    A mean over classes is lower in a sample than in the world where classes have few rows, and
    lower again in a resample, by as much: so resamples are moved by twice of what they lost. A
    correlation's mean is lower for its long tail alone, which its quantiles know of: moved up, its
    lower end is above the truth three times as often as its upper end is below.
    """
    if name in CORRELATIONS:
        return found
    found = found - 2 * (found.mean() - centre)
    return lengthened(found, centre) if name in LOWER else found


def lengthened(found: NDArray[Any], centre: float) -> NDArray[Any]:
    """Return resamples of a mean of rows, with the longer of their two tails made longer.

    Where few rows are far off, most samples have too few of these, so both the mean and its spread
    are too small at once, and a quantile of resamples goes only part of the way. What is missing of
    the skewness is spread * skew * (z^2 + 2) / 6, by which Hall's corrected end is beyond it (The
    Bootstrap and Edgeworth Expansion, 1992, section 3.6). It is added on the side of the tail
    alone: at the other end too, where rows are few it would take away more than was missing.
    """
    off = found - centre
    spread = float(off.std())
    if not 0 < spread < np.inf:
        return found
    steps = off / spread
    skew = float((steps**3).mean())
    return np.asarray(found + (steps * skew > 0) * spread * skew * (steps**2 + 2) / 6)
