"""Features of a set's inputs: made once for all draws, each of which finds its own among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..adapt.adapting import Adapting
from .sets import Row

Draw = tuple[Sequence[Row], Sequence[Row]]


def shelve(model: str, base: Path, task: str, drawn: Sequence[Draw]) -> list[str]:
    """Return all inputs, in one order, of which features of a frozen base are kept.

    A ranking and a recipe that freezes the base find those of a draw among them. Of draws that
    share rows this takes a fraction of the time.
    """
    from hubtl.registry.places import trunks
    from hubtl.transfer.split import Example
    from hubtl.transfer.start import Session
    from hubtl.transfer.trunk import Shelf
    from hubtl.transfer.views import viewed

    labels = sorted({row.label for train, _ in drawn for row in train})
    network = Adapting.of("probe", task, base, labels, {}, 0, (model, base.name)).network
    shelf = Shelf(*trunks())
    sessions = [
        Session(
            [Example(str(n), e.input, e.label) for n, e in enumerate(train)], (), labels, 0, shelf
        )
        for train, _ in drawn
    ]
    learnt = [viewed(session, network).inputs for session in sessions]
    tested = [[row.input for row in test] for _, test in drawn]
    every = sorted({each for inputs in (*learnt, *tested) for each in inputs})
    if shelf.find(network, every, None) is None:
        shelf.make(network, every, None)
    return every
