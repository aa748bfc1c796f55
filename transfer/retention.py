"""How much of what a body could do it still can: by its features of the same inputs, then and now.

The overlap of nearest neighbours asks whether inputs that were alike still are, wherever they have
moved to. Linear CKA asks how alike the two clouds of features are as a whole, whatever their turn
and scale: Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .network import Network
from .placed import apart
from .trunk import Shelf

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 10
FEWEST = 3 * NEAREST  # rows; of fewer, a third and more are neighbours by chance
MOST = 1000  # rows: more take longer and tell the same


def neighbour_overlap(
    before: NDArray[Any], after: NDArray[Any], nearest: int = NEAREST
) -> NDArray[np.float64]:
    """Return for each row the share of its nearest rows, by cosine, that are the same in both."""
    kept = [_neighbours(each, nearest) for each in (before, after)]
    both = (kept[0][:, :, None] == kept[1][:, None, :]).any(axis=2)
    return np.asarray(both.mean(axis=1))


def by_chance(rows: int, nearest: int = NEAREST) -> float:
    """Return the overlap of features that have nothing to do with each other."""
    return nearest / (rows - 1)


def linear_cka(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    """Return the linear CKA of features [rows, width], from 0 to 1; None where one is constant."""
    x, y = (np.asarray(each, np.float64) - np.mean(each, axis=0) for each in (before, after))
    scale = float(np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    return float(np.linalg.norm(y.T @ x) ** 2) / scale if scale > 0 else None


def still_right(before: float, after: float) -> float | None:
    """Return the share of the words got right that still are, by two word error rates, at most 1.

    None where nothing was right before.
    """
    return min(1.0, max(0.0, 1 - after) / (1 - before)) if before < 1 else None


def features_now(network: Network, inputs: Sequence[str], shelf: Shelf) -> NDArray[Any]:
    """Return what a network's head sees of inputs [inputs, width], in fp32, kept on the shelf.

    Where it sees a row for each position, they are averaged.
    """
    trunk = shelf.find(network, inputs, None) or shelf.make(network, inputs, None)
    if trunk.pooled is not None:
        return np.asarray(trunk.pooled[trunk.rows_of(inputs)])
    return _averaged(network, inputs)


def _averaged(network: Network, inputs: Sequence[str]) -> NDArray[Any]:
    """Return the mean over each input's positions, one after the other: none has padding then."""
    import torch

    network.body.eval()
    with torch.inference_mode():
        made = (network.features(network.collate([each]))[0] for each in inputs)
        if getattr(network, "places", False):  # where they are is not what the head sees
            made = (apart(each)[0] for each in made)
        return np.stack([each.mean(0).cpu().numpy() for each in made])


def _neighbours(features: NDArray[Any], nearest: int) -> NDArray[np.int64]:
    rows = np.asarray(features, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.maximum(lengths, np.finfo(np.float64).tiny)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -np.inf)
    return np.argsort(-alike, axis=1, kind="stable")[:, :nearest]
