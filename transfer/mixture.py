"""N-LEEP: how well the clusters that features fall into tell rows' classes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from .scoring import Sample, Scored, shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENERGY = 0.8  # of the variance, in the principal components that are kept
WIDEST = 64  # components at most: the more there are, the fewer rows each cluster is told by
A_CLASS = 5  # clusters a class
A_CLUSTER = 4  # rows a cluster at least


def mixture(sample: Sample) -> Scored:
    """Return the log likelihood in nats, in the mean over rows, of their classes by clusters.

    Li et al., "Ranking Neural Checkpoints", CVPR 2021: principal components with 80 % of the
    variance, a Gaussian mixture with 5 clusters a class, and the class by the clusters. Unlike
    there, neither a row nor its group has a say in what it is judged by, since else many clusters
    of a row each would be taken for perfect, and clusters have their own variance in each
    component, not covariances.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    features, told = sample.features.astype(np.float64), sample.outputs()
    if not np.ptp(features, axis=0).any():
        return shared(_told_apart(np.ones((len(told), 1)), told, sample.groups))
    most = min(WIDEST, *features.shape)
    parts = PCA(most, svd_solver="full").fit(features)
    kept = 1 + int((parts.explained_variance_ratio_.cumsum() < ENERGY - 1e-9).sum())
    low = parts.transform(features)[:, : min(kept, most)]
    low /= low.std()
    clusters = max(1, min(A_CLASS * told.shape[1], len(low) // A_CLUSTER))
    model = GaussianMixture(clusters, covariance_type="diag", random_state=sample.seed)
    with warnings.catch_warnings():  # a mixture that still moves a little judges as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        likely = model.fit(low).predict_proba(low)
    return shared(_told_apart(likely, told, sample.groups))


def _told_apart(
    likely: NDArray[np.float64], told: NDArray[np.float64], groups: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return the log likelihood of rows' classes by clusters [rows, clusters], without their group.

    Each cluster has seen one more row, of all classes as often as they are.
    """
    often = told.mean(axis=0)
    seen = likely.T @ told + often  # [clusters, classes]
    own = told.argmax(axis=1)
    group = np.arange(len(own)) if groups is None else np.unique(groups, return_inverse=True)[1]
    right = seen[:, own].T - _summed(likely, group * told.shape[1] + own)
    return np.asarray(
        np.log((likely * right / (seen.sum(axis=1) - _summed(likely, group))).sum(axis=1))
    )


def _summed(likely: NDArray[np.float64], parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each row the sum over the rows of its part [rows, clusters]."""
    names, part = np.unique(parts, return_inverse=True)
    sums = np.zeros((len(names), likely.shape[1]))
    np.add.at(sums, part, likely)
    return sums[part]
