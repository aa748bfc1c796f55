"""Labels that are free text, such as what is said in a clip; judged by edits against the truth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .free_text import FreeText
from .measure import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOWN = 1 << 16  # pairs of texts whose edits are kept


class Transcript(FreeText):
    """A text of any words. Whatever differs only by the normaliser is the same."""

    metrics: Mapping[str, Metric]
    what = "transcript"
    worst_by = "words to mend"

    def __init__(self, normalise: Callable[[str], str]) -> None:
        self._normalise = normalise
        self._edits = functools.lru_cache(KNOWN)(self._count)
        self.metrics = {"wer": self._error_rate(0, 1), "cer": self._error_rate(2, 3)}

    def read(self, cell: str) -> str:
        """Return the text with single spaces."""
        return " ".join(cell.split())

    def shown(self, label: str) -> Any:
        """Return the text."""
        return label

    def said(self, answer: Any) -> str:
        """Return the text with single spaces."""
        return self.read(str(answer))

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how many words have to be put in, taken out or changed."""
        return float(self._edits(true, label)[0])

    def _error_rate(self, edits: int, length: int) -> Metric:
        """Return a metric: edits over all rows by the length of all true texts."""

        def rate(
            true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]
        ) -> NDArray[Any]:
            pairs = zip(true, predicted, strict=True)
            counts = np.array([self._edits(str(a), str(b)) for a, b in pairs], np.float64)
            totals = np.maximum(weights @ counts[:, length], 1.0)
            return np.asarray(weights @ counts[:, edits] / totals)

        return rate

    def _count(self, true: str, predicted: str) -> tuple[int, int, int, int]:
        """Return edits and length in words, then in characters (Levenshtein, 1966)."""
        from rapidfuzz.distance.Levenshtein import distance

        a, b = self._normalise(true), self._normalise(predicted)
        words = a.split()
        return distance(words, b.split()), len(words), distance(a, b), len(a)
