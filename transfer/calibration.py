"""Whether a model is as often right as it says: the expected calibration error.

Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015; Guo et
al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BINS = 15  # of equal width, as Guo et al. have them


def calibration(sure: Sequence[float], right: Sequence[bool]) -> dict[str, float | int]:
    """Return {ece, confidence, accuracy, bins}, given how sure each label was, and if it was right.

    `ece` is the mean gap between confidence and accuracy over bins, each by its share of the rows.
    """
    confidences, hits = np.asarray(sure, np.float64), np.asarray(right, np.float64)
    places = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(places, confidences - hits, minlength=BINS)
    return {
        "ece": float(np.abs(gaps).sum() / len(hits)),
        "confidence": float(confidences.mean()),
        "accuracy": float(hits.mean()),
        "bins": BINS,
    }
