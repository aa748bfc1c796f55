"""Rows whose label is doubtful: a plain model that did not learn from a row contradicts it.

Confident learning: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021. A class counts as said where it is as probable as it is on average for
rows of that label. How much more probable than the row's own it must be, the model says too: so
much that of labels drawn by its own probabilities, which are all sound, next to none is doubted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
SOUND = 0.005  # of rows with sound labels, how many may be doubted
SURE = 0.9  # is said, however sure a model usually is
ODDS = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)
SPARSE_STRENGTHS, DENSE_STRENGTHS = (3.0, 10.0, 30.0), (0.001, 0.01, 0.1)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row, the class that its features speak for, how probable that is, and that its own is."""

    row: int
    other: int
    sure: float
    own: float


def suspects(
    features: Any, targets: NDArray[Any], *, seed: int = 0, progress: Progress = silent
) -> list[Suspect]:
    """Return the rows whose label is doubtful, the most doubtful first.

    Every class must have two rows or more.
    """
    import numpy

    likely = _tempered(_likely(features, targets, seed, progress), targets)
    rows = numpy.arange(len(targets))
    own = likely[rows, targets]
    usual = numpy.minimum(numpy.bincount(targets, own) / numpy.bincount(targets), SURE)
    others = likely.copy()
    others[rows, targets] = 0
    best = others.argmax(axis=1)
    sure = others[rows, best]
    found = numpy.flatnonzero((sure >= usual[best]) & (sure > _odds(likely, usual) * own))
    order = found[numpy.argsort(own[found] / sure[found], kind="stable")]
    return [Suspect(int(r), int(best[r]), float(sure[r]), float(own[r])) for r in order]


def _odds(likely: NDArray[Any], usual: NDArray[Any]) -> float:
    """Return the least of ODDS by which at most SOUND of sound labels would be doubted, or more."""
    top, said = likely.max(axis=1, keepdims=True), likely.argmax(axis=1)
    judged = top[:, 0] >= usual[said]
    for odds in ODDS:
        if (likely * (top > odds * likely)).sum(axis=1)[judged].sum() <= SOUND * len(likely):
            return odds
    return float("inf")


def _tempered(likely: NDArray[Any], targets: NDArray[Any]) -> NDArray[Any]:
    """Return the probabilities as sure as they are right, by one temperature for all."""
    import numpy
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logs = numpy.log(numpy.maximum(likely, 1e-12))
    rows = numpy.arange(len(targets))

    def loss(slope: float) -> float:
        return -float(log_softmax(slope * logs, axis=1)[rows, targets].mean())

    slope = minimize_scalar(loss, bounds=(0.05, 5.0), method="bounded").x
    found: NDArray[Any] = numpy.exp(log_softmax(slope * logs, axis=1))
    return found


def _likely(features: Any, targets: NDArray[Any], seed: int, progress: Progress) -> NDArray[Any]:
    """Return the probability of each class by models that did not learn from the row."""
    import numpy
    from scipy.sparse import issparse
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold

    classes = int(targets.max()) + 1
    likely = numpy.zeros((len(targets), classes))
    folds = int(min(FOLDS, numpy.bincount(targets).min()))
    divided = StratifiedKFold(folds, shuffle=True, random_state=seed).split(targets, targets)
    strengths = SPARSE_STRENGTHS if issparse(features) else DENSE_STRENGTHS
    strength: float | None = None
    for number, (train, rest) in enumerate(divided):
        progress("looking for doubtful labels", number, folds)
        if strength is None:
            tried = {each: _fitted(features, targets, train, rest, each) for each in strengths}
            names = list(range(classes))
            losses = {c: log_loss(targets[rest], said, labels=names) for c, said in tried.items()}
            strength = min(losses, key=lambda each: losses[each])
            likely[rest] = tried[strength]
        else:
            likely[rest] = _fitted(features, targets, train, rest, strength)
    progress("looking for doubtful labels", folds, folds)
    return likely


def _fitted(
    features: Any,
    targets: NDArray[Any],
    train: NDArray[Any],
    rest: NDArray[Any],
    strength: float,
) -> NDArray[Any]:
    from scipy.sparse import issparse
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(C=strength, max_iter=300)
    if not issparse(features):
        model = make_pipeline(StandardScaler(), model)
    with warnings.catch_warnings(action="ignore"):
        found: NDArray[Any] = model.fit(features[train], targets[train]).predict_proba(
            features[rest]
        )
    return found
