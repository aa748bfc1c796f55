"""Labels that are free text, such as what is said in a clip; judged by edits against the truth."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.errors import BadOption
from .measure import Metric
from .probe import STRENGTHS, Labelled, LinearHead

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

KNOWN = 1 << 16  # pairs of texts whose edits are kept


class Transcript:
    """A text of any words. Whatever differs only by the normaliser is the same."""

    metrics: Mapping[str, Metric]
    divides = False
    lists = False
    worst_by = "words to mend"

    def __init__(self, normalise: Callable[[str], str]) -> None:
        self._normalise = normalise
        self._edits = functools.lru_cache(KNOWN)(self._count)
        self.metrics = {"wer": self._error_rate(0, 1), "cer": self._error_rate(2, 3)}

    def read(self, cell: str) -> str:
        """Return the text with single spaces."""
        return " ".join(cell.split())

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: there is nothing to choose from."""
        return ()

    def shown(self, label: str) -> Any:
        """Return the text."""
        return label

    def said(self, answer: Any) -> str:
        """Return the text with single spaces."""
        return self.read(str(answer))

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return nothing: there are no classes."""
        return {}

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float:
        """Return how probable a token of the text is, in the geometric mean over them."""
        return math.exp(min(0.0, logits[0]))

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how many words have to be put in, taken out or changed."""
        return float(self._edits(true, label)[0])

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return that nothing is known of ties: the one number tells of no other text."""
        return np.zeros(len(logits), np.bool_)

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return the texts themselves [rows]."""
        return np.array(labels, object)

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return nothing: there are no classes."""
        return np.zeros(0, np.int64)

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Raise BadOption: no linear head makes a text."""
        raise BadOption("no linear head on frozen features makes a transcript", "--recipe lora")

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return that all rows count alike."""
        return weights.new_ones(len(targets))

    def losses(
        self, network: Any, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the mean cross-entropy of each text's tokens, as the network makes them."""
        found: Tensor = network.text_losses(features, list(targets))
        return found

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
