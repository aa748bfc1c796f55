"""H-score: how far apart features' means for each target are, measured by features' own spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .evidence import principal
from .scoring import Sample, Scored, influenced

if TYPE_CHECKING:
    from numpy.typing import NDArray


def separation(sample: Sample) -> Scored:
    """Return the H-score, the covariance of features shrunk as Ledoit and Wolf do (2004).

    Bao et al., "An Information-Theoretic Approach to Transferability", ICIP 2019; Ibrahim et al.,
    "Newer is not always better", 2021. Means for classes are the fits of features by targets, so
    several classes a row and numbers have a score too. As in the second paper, features that vary
    in all directions alike, as far as can be seen, score 0.
    """
    centred = sample.features.astype(np.float64)
    centred -= centred.mean(axis=0)
    rows, width = centred.shape
    basis, size = principal(centred)
    if not len(size):
        return Scored(0.0, np.zeros(rows))  # constant features tell nothing
    told = sample.informative()
    told = principal(told - told.mean(axis=0))[0]
    seen = basis * np.sqrt(size)
    even = float(size.sum()) / rows / width
    share, steeper = _shrinkage(seen, size / rows, width)
    spread = (1 - share) * size / rows + share * even
    fits = told @ (told.T @ seen)
    half = fits.T @ fits / rows
    apart = np.diagonal(half) / spread
    # The trace of spread^-1 fits' fits, and its slope by each row's weight: by what it does to
    # fits and spread, to how far the spread is shrunk, and to what it is shrunk to.
    scaled = seen / spread
    slopes = ((2 * seen - fits) * fits / spread).sum(1)
    slopes -= (1 - share) * ((scaled @ half) * scaled).sum(1)
    slopes += steeper * float((apart * (size / rows - even) / spread).sum())
    slopes -= share * float((apart / spread).sum()) * (seen**2).sum(1) / width
    slopes = (1 - share) * slopes - steeper * apart.sum()
    factor = rows / (rows - 1)
    return influenced(factor * (1 - share) * float(apart.sum()), factor * slopes)


def _shrinkage(
    seen: NDArray[np.float64], eigenvalues: NDArray[np.float64], width: int
) -> tuple[float, NDArray[np.float64]]:
    """Return how much of the covariance to replace by the same in all directions, 0 to 1.

    And its slope by each row's weight [rows]; `seen` is rows in the covariance's own axes.
    """
    rows, even = len(seen), float(eigenvalues.sum()) / width
    norms, along = (seen**2).sum(axis=1), (seen**2) @ eigenvalues
    total, fourth = float((eigenvalues**2).sum()), float((norms**2).mean())
    apart = total / width - even**2
    noise = (fourth - total) / (width * rows)
    if apart <= 1e-12 * even**2 or noise >= apart:
        return 1.0, np.zeros(rows)
    apart_slopes = 2 * (along / width - even * norms / width)
    slopes = ((norms**2 - 2 * along) / (width * rows) - noise / apart * apart_slopes) / apart
    return max(0.0, noise / apart), slopes - slopes.mean() if noise > 0 else np.zeros(rows)
