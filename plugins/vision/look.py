"""Pictures as `hubtl check` looks at them: by small copies."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.alike import alike_vectors
from .pictures import read_picture
from .rivals import small_copy

if TYPE_CHECKING:
    from numpy.typing import NDArray

COSINE = 0.99


class Pictures:
    """Pictures that were looked at, by their paths."""

    near = f"small copies, each less its mean, correlate by {COSINE} or more"
    plain = "pixels"

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def measures(self) -> Mapping[str, Sequence[float]]:
        """Return how many pixels wide and high each picture is."""
        return {
            "pixels wide": [width for _, (width, _) in self._read],
            "pixels high": [height for _, (_, height) in self._read],
        }

    def traits(self) -> Mapping[str, Sequence[str]]:
        """Return nothing."""
        return {}

    def alike(self) -> Sequence[tuple[int, int]]:
        """Return pairs of pictures whose small copies are alike, whatever their brightness."""
        import numpy

        copies = self.features().astype("float32")
        copies = copies - copies.mean(axis=1, keepdims=True)
        lengths = numpy.linalg.norm(copies, axis=1, keepdims=True)
        return alike_vectors(copies / numpy.maximum(lengths, 1e-6), COSINE)

    def features(self) -> Any:
        """Return the pixels of small copies."""
        import numpy

        return numpy.stack([copy for copy, _ in self._read])

    @functools.cached_property
    def _read(self) -> list[tuple[NDArray[Any], tuple[int, int]]]:
        """The small copy and the size of each picture."""
        found = []
        for path in self._paths:
            picture = read_picture(path)
            found.append((small_copy(picture), picture.size))
        return found
