"""What models reach: each adapted to rows as `hubtl adapt` does, and judged by others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..adapt.adapting import Adapting
from .sets import Row


def reached(
    model: str,
    base: Path,
    task: str,
    recipe: str,
    train: Sequence[Row],
    test: Sequence[Row],
    every: Sequence[str],
    seed: int,
) -> str:
    """Return for each test row whether a base that was adapted to the others is right: 1 or 0.

    `every` are the inputs of all seeds' rows, in one order, of which frozen features are kept.
    """
    import torch

    from hubtl.registry.places import trunks
    from hubtl.transfer.quiet import quiet_libraries
    from hubtl.transfer.split import Example
    from hubtl.transfer.start import Session, features
    from hubtl.transfer.trunk import Shelf

    labels = sorted({row.label for row in train})
    shelf = Shelf(*trunks())
    adapting = Adapting.of(recipe, task, base, labels, {}, seed, (model, base.name))
    network = adapting.network
    kept = None
    if getattr(adapting.method, "frozen", False):
        places = {each: place for place, each in enumerate(every)}
        made = features(network, every, Session((), (), labels, seed, shelf))
        kept = made[[places[row.input] for row in test]]
    examples = [Example(str(n), row.input, row.label) for n, row in enumerate(train)]
    with quiet_libraries():
        adapting.learn(examples, shelf)
    if kept is None:
        said = adapting.predicted([row.input for row in test])
    else:
        with torch.inference_mode():
            said = [labels[n] for n in network.head(kept).argmax(1).tolist()]
    return "".join(str(int(a == row.label)) for a, row in zip(said, test, strict=True))
