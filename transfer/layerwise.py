"""Which layer's output tells the classes apart best: a probe on each, with the base as it is.

Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016
(arXiv 1610.01644): layers above the best one serve what the base was trained for, so those are the
ones to train.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from .cut import Tap, depth
from .network import Network, batches
from .probe import Labelled
from .start import Session
from .trunk import POSITIONS, ROWS

MOST = 1000  # rows that are probed


def losses_by_layer(network: Network, session: Session, folds: int) -> list[float]:
    """Return the cross-validated log loss, in nats, of a head on what each layer is given.

    The first is that of the second layer's input, the last that of what the head sees. A layer's
    states are pooled by their mean. At most 1,000 rows to train on are drawn by the seed.
    """
    dice = np.random.default_rng(session.seed)
    count = len(session.train)
    chosen = np.sort(dice.permutation(count)[:MOST])
    rows = [session.train[int(number)] for number in chosen]
    targets, groups = session.targets(rows), session.groups(rows)
    return [
        session.goal.fit_head(
            Labelled(features, np.arange(len(rows)), targets, np.ones(len(rows)), groups),
            len(session.labels),
            folds=folds,
            seed=session.seed,
        ).loss
        for features in _features(network, [row.input for row in rows], session)
    ]


def _features(network: Network, inputs: list[str], session: Session) -> list[Any]:
    """Return, for each layer from the second on and for the head, [inputs, width]."""
    import torch

    network.body.eval()
    sizes = network.sizes(inputs)
    layers = range(1, depth(network))
    found: list[list[Any]] = [[None] * len(inputs) for _ in (*layers, "head")]
    done = 0
    with torch.inference_mode():
        for numbers in batches(sizes, ROWS, POSITIONS, alike=network.alike):
            with contextlib.ExitStack() as stack:
                taps = [stack.enter_context(Tap(network, layer)) for layer in layers]
                last = network.features(network.collate([inputs[n] for n in numbers]))
            for place, number in enumerate(numbers):
                for tap, features in zip(taps, found, strict=False):
                    assert tap.states is not None, "the network has just run"
                    features[number] = tap.states[place, : sizes[number]].mean(0).cpu().numpy()
                found[-1][number] = last[place].cpu().numpy()
            done += len(numbers)
            session.progress("probing each layer", done, len(inputs))
    return [np.stack(features).astype(np.float32) for features in found]
