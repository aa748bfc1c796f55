"""How well a row's nearest neighbours tell what it is: nothing is fitted, so nothing overfits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .scoring import CLASS, Sample, Scored, shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 5
ROOM = 1 << 23  # similarities at once: 32 MB


def neighbours(sample: Sample, nearest: int = NEAREST) -> Scored:
    """Return the share of rows that the vote of their nearest neighbours is right on.

    Each row is asked of all others but those of its group, by the cosine of centred features; a
    tie of m classes is right by 1/m. For several classes a row, or numbers, the share of variance
    that the mean of neighbours explains. Memory does not grow with rows. Raises BadData where no
    row has another.
    """
    unit = sample.features - sample.features.mean(axis=0)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    told = sample.informative()
    group = np.arange(len(unit)) if sample.groups is None else sample.groups
    found = np.full(len(unit), np.nan)
    step = max(1, ROOM // len(unit))
    for start in range(0, len(unit), step):
        at = slice(start, start + step)
        alike = unit[at] @ unit.T
        alike[group[at, None] == group] = -np.inf
        found[at] = _judged(sample, alike, told, told[at], nearest)
    return shared(found, {"accuracy": float(np.nanmean(found))} if sample.kind == CLASS else {})


def _judged(
    sample: Sample,
    alike: NDArray[np.float32],
    told: NDArray[np.float64],
    own: NDArray[np.float64],
    nearest: int,
) -> NDArray[np.float64]:
    """Return how right the nearest by similarities [some rows, rows] are; NaN where none are."""
    count = min(nearest, alike.shape[1])
    places = np.argpartition(-alike, count - 1, axis=1)[:, :count]
    counts = np.isfinite(np.take_along_axis(alike, places, axis=1))
    asked = counts.sum(axis=1)
    total = (told[places] * counts[:, :, None]).sum(axis=1)
    if sample.kind == CLASS:
        most = total == total.max(axis=1, keepdims=True)
        right = (most * own).sum(axis=1) / most.sum(axis=1)
    else:
        missed = (own - total / np.maximum(asked, 1)[:, None]) ** 2
        right = (1 - missed / told.var(axis=0)).mean(axis=1)
    return np.where(asked > 0, right, np.nan)
