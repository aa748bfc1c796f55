"""Which layer's output tells the classes apart best: a probe on each, with the base as it is.

Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016
(arXiv 1610.01644): layers above the best one serve what the base was trained for, so those are the
ones to train.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry.errors import BadData
from .cut import Uncut, depth
from .features import Labelled
from .layered import Layered
from .network import Network, batches
from .start import Session
from .trunk import POSITIONS, ROWS

MOST = 1000  # rows that are probed where the layers to train are chosen by it
LOOK = 200  # and where it is only to be looked at, in seconds and not in minutes


def losses_by_layer(
    network: Network, session: Session, folds: int, most: int = MOST
) -> list[float]:
    """Return the cross-validated log loss, in nats, of a head on what each layer is given.

    The first is that of the second layer's input, the last that of what the head sees. A layer's
    states are pooled by their mean. So many rows to train on, at most, are drawn by the seed.
    Raises Uncut where the layers hand on no row of states for each input or the head judges each
    position, BadData where no row can be held out.
    """
    dice = np.random.default_rng(session.seed)
    count = len(session.train)
    chosen = np.sort(dice.permutation(count)[:most])
    rows = [session.train[int(number)] for number in chosen]
    targets, groups = session.targets(rows), session.groups(rows)
    found = []
    for features in _features(network, [row.input for row in rows], session):
        labelled = Labelled(features, np.arange(len(rows)), targets, np.ones(len(rows)), groups)
        head = session.goal.fit_head(labelled, len(session.labels), folds=folds, seed=session.seed)
        if head.loss is None:
            raise BadData("no row can be held out to judge by")
        found.append(head.loss)
    return found


def _features(network: Network, inputs: list[str], session: Session) -> list[Any]:
    """Return, for each layer from the second on and for the head, [inputs, width]."""
    import torch

    network.body.eval()
    sizes = network.sizes(inputs)
    found: list[list[Any]] = [[None] * len(inputs) for _ in range(depth(network))]
    done = 0
    with torch.inference_mode():
        for numbers in batches(sizes, ROWS, POSITIONS, alike=network.alike):
            with Layered(network) as layers:
                last = network.features(network.collate([inputs[n] for n in numbers]))
            if last.ndim != 2:
                raise Uncut("its head judges each position, and no row as a whole")
            pooled = layers.pooled([sizes[number] for number in numbers])
            for place, number in enumerate(numbers):
                for states, features in zip((*pooled, last), found, strict=True):
                    features[number] = states[place].cpu().numpy()
            done += len(numbers)
            session.progress("probing each layer", done, len(inputs))
    return [np.stack(features).astype(np.float32) for features in found]
