"""Features of a set's inputs: made once for all draws, and shelved for each as its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..adapt.adapting import Adapting
from .sets import Row

Draw = tuple[Sequence[Row], Sequence[Row]]


def shelve(model: str, base: Path, task: str, drawn: Sequence[Draw]) -> list[str]:
    """Return all inputs, in one order, of which features of a frozen base are kept.

    They are kept of all inputs together, and of the rows to train on of each draw, as a ranking
    and a recipe that freezes the base ask for them. Of draws that share rows this takes a fraction
    of the time; features differ by rounding from those that are made of a draw alone.
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
    whole = shelf.find(network, every, None) or shelf.make(network, every, None)
    for inputs in learnt:
        shelf.join(network, inputs, [whole])
    return every
