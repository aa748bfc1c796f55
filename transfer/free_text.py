"""Labels that are free text: what goals of such labels have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.errors import BadOption
from .features import Labelled
from .goal import Goal
from .probe import STRENGTHS, LinearHead

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class FreeText(Goal):
    """A text of any words: there are no classes, and a network tells the loss of each text.

    `what` names such a text. Of a row's logits the first `leading` are log probabilities, and the
    others count something.
    """

    leading = 1
    what: str

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: there is nothing to choose from."""
        return ()

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return nothing: there are no classes."""
        return {}

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float:
        """Return how probable a token of the text is, in the geometric mean over them."""
        return math.exp(min(0.0, logits[0]))

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return that nothing is known of ties: the numbers tell of no other text."""
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
        raise BadOption(f"no linear head on frozen features makes a {self.what}", "--recipe lora")

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return that all rows count alike."""
        return weights.new_ones(len(targets))

    def losses(
        self, network: Any, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the mean cross-entropy of each text's tokens, as the network makes them."""
        found: Tensor = network.text_losses(features, list(targets))
        return found
