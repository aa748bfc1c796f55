"""Score features by a linear head, each row judged by a head that was not fitted to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .cross_validation import folded
from .evidence import principal
from .features import Labelled
from .measure import values
from .probe import cross_validated
from .scoring import CLASS, CLASSES, Sample, Scored, shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
STRENGTHS = (0.01, 1.0, 100.0)  # coarser than to keep a head: it is to compare, not to be used
# Relative change of the loss at which a fit is done: scores differ by some thousandths from those
# of fits to the end, a tenth of their standard errors, and take half as long.
TOLERANCE = 1e-3
WIDEST = 512  # principal components that a head is fitted to at most
RIDGES = 10.0 ** np.arange(-6, 4)  # of the mean squared singular value


def crossed(sample: Sample) -> Scored:
    """Return the log likelihood a row in nats of what rows held out are, in the mean over classes.

    For numbers, the share of variance explained by ridge regression. Of features that are wider
    than there are rows, or than 512, their principal components: as many as rows hold all that they
    differ in, and take a fraction of the time. Raises BadData where no row can be held out.
    """
    sample = replace(sample, features=_narrow(sample.features))
    if sample.kind == CLASS:
        return _classes(sample)
    if sample.kind == CLASSES:
        told = sample.informative().astype(np.int64)
        each = np.stack([_likely(sample, column, 2)[0] for column in told.T])
        known = ~np.isnan(each)  # the only row of a class is never held out for that class
        count = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
        return shared(np.nan_to_num(each).sum(axis=0) / count)
    return _numbers(sample)


def _narrow(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features, in their first principal components where those are fewer."""
    rows, width = features.shape
    if width <= min(rows, WIDEST):
        return features
    basis, size = principal(features - features.mean(axis=0, dtype=np.float64))
    return np.asarray((basis * np.sqrt(size))[:, -WIDEST:], np.float32)


def _classes(sample: Sample) -> Scored:
    """Return the score for a class a row, with accuracy and macro F1 of rows held out."""
    from .goal import ONE_CLASS

    likely, said = _likely(sample, sample.targets, int(sample.targets.max()) + 1)
    judged = ~np.isnan(likely)
    true, told = ([str(n) for n in numbers[judged]] for numbers in (sample.targets, said))
    facts = values(true, told, ONE_CLASS.metrics) if judged.any() else {}
    right = np.where(judged, said == sample.targets, np.nan)
    return replace(shared(likely, facts), right=right)


def _likely(
    sample: Sample, targets: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the log likelihood of rows' classes, NaN where not held out, and the likeliest."""
    count = len(targets)
    rows = Labelled(sample.features, np.arange(count), targets, np.ones(count), sample.groups)
    found = cross_validated(
        rows, classes, folds=FOLDS, seed=sample.seed, strengths=STRENGTHS, tolerance=TOLERANCE
    )
    likely, said = np.full(count, np.nan), np.full(count, -1)
    for (weight, bias), others in found.heads:
        for start in range(0, len(others), 4096):
            at = others.rows[start : start + 4096]
            logits = sample.features[at] @ weight.T + bias
            logits -= logits.max(axis=1, keepdims=True)
            right = logits[np.arange(len(at)), targets[at]]
            likely[at] = right - np.log(np.exp(logits).sum(axis=1))
            said[at] = logits.argmax(axis=1)
    return likely, said


def _numbers(sample: Sample) -> Scored:
    """Return the share of variance that ridge regression explains, its strength the best of all."""
    told, x = sample.informative(), sample.features.astype(np.float64)
    alike = np.zeros(len(x), np.int64)
    rows = Labelled(sample.features, np.arange(len(x)), alike, np.ones(len(x)), sample.groups)
    folds = FOLDS if sample.groups is None else min(FOLDS, len(np.unique(sample.groups)))
    missed = np.full((len(RIDGES), *told.shape), np.nan)
    for train, others in folded(rows, min(folds, len(x)), sample.seed):
        centre, middle = x[train].mean(axis=0), told[train].mean(axis=0)
        left, size, axes = np.linalg.svd(x[train] - centre, full_matrices=False)
        seen, new = left.T @ (told[train] - middle), (x[others] - centre) @ axes.T
        for number, ridge in enumerate(RIDGES * max(float((size**2).mean()), 1e-30)):
            fits = new @ ((size / (size**2 + ridge))[:, None] * seen) + middle
            missed[number, others] = (fits - told[others]) ** 2
    known = ~np.isnan(missed[0, :, 0])
    if not known.any():
        return shared(missed[0, :, 0])
    parts = 1 - missed / told.var(axis=0)
    best = parts[int(parts[:, known].mean(axis=(1, 2)).argmax())]
    return shared(best.mean(axis=1))
