"""Clips as `hubtl check` looks at them: by their length, and the course of their MFCCs."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.alike import alike_vectors
from .clips import read_clip
from .rivals import RATE, mfcc, statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

COSINE = 0.9
PIECES = 24  # of a clip's sound, each the mean of its MFCCs


class Clips:
    """Clips that were looked at, by their paths; the silence round them does not count."""

    near = f"the courses of their MFCCs, each less its mean, correlate by {COSINE} or more"
    plain = "MFCC"

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def measures(self) -> Mapping[str, Sequence[float]]:
        """Return how many seconds of sound each clip has."""
        return {"seconds": [seconds for _, _, seconds in self._heard]}

    def traits(self) -> Mapping[str, Sequence[str]]:
        """Return nothing."""
        return {}

    def alike(self) -> Sequence[tuple[int, int]]:
        """Return pairs of clips with the same course, whatever their loudness."""
        import numpy

        courses = numpy.stack([course for _, course, _ in self._heard])
        # What all clips have in common says nothing of two.
        courses = courses - courses.mean(axis=0)
        lengths = numpy.linalg.norm(courses, axis=1, keepdims=True)
        return alike_vectors(courses / numpy.maximum(lengths, 1e-6), COSINE)

    def features(self) -> Any:
        """Return statistics of MFCCs."""
        import numpy

        return numpy.stack([facts for facts, _, _ in self._heard])

    @functools.cached_property
    def _heard(self) -> list[tuple[NDArray[Any], NDArray[Any], float]]:
        """Statistics of MFCCs, their course, and the seconds of each clip."""
        import numpy

        found = []
        for path in self._paths:
            samples = read_clip(path, RATE, trim=True)
            coefficients = mfcc(samples)
            # The first is how loud it is.
            pieces = numpy.array_split(coefficients[:, 1:], PIECES)
            means = [part.mean(axis=0) if len(part) else part.sum(axis=0) for part in pieces]
            course = numpy.stack(means)
            course = (course - course.mean(axis=0)).ravel()
            found.append((statistics(coefficients), course, len(samples) / RATE))
        return found
