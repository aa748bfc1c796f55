"""Whether a model is as often right as it says: the expected calibration error.

Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015; Guo et
al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15  # of equal width, as Guo et al. have them


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of which a model is about as sure: between which bounds, how many, how many are right.

    `confidence` and `accuracy` are means over the rows.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def calibration(sure: Sequence[float], right: Sequence[bool]) -> dict[str, float | int]:
    """Return {ece, confidence, accuracy, bins}, given how sure each label was, and if it was right.

    `ece` is the mean gap between confidence and accuracy over bins, each by its share of the rows.
    """
    confidences, hits = np.asarray(sure, np.float64), np.asarray(right, np.float64)
    gaps = np.bincount(_places(confidences), confidences - hits, minlength=BINS)
    return {
        "ece": float(np.abs(gaps).sum() / len(hits)),
        "confidence": float(confidences.mean()),
        "accuracy": float(hits.mean()),
        "bins": BINS,
    }


def reliability(sure: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Return the bins that have rows, the least sure first; the ECE is the mean of their gaps."""
    confidences, hits = np.asarray(sure, np.float64), np.asarray(right, np.float64)
    places = _places(confidences)
    return [
        Bin(
            number / BINS,
            (number + 1) / BINS,
            int(inside.sum()),
            float(confidences[inside].mean()),
            float(hits[inside].mean()),
        )
        for number in range(BINS)
        if (inside := places == number).any()
    ]


def log_likely(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of each class's probability, [rows, classes]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _places(confidences: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each row's bin."""
    return np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
