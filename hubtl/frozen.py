"""What a base makes of inputs before it is adapted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .lineage import traced
from .plugins.hookspecs import Task
from .registry.places import trunks
from .sources import find_model, pull
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries
from .transfer.start import Session, features
from .transfer.trunk import Shelf


def frozen_features(
    task: Task,
    model: str,
    hub: str | None,
    inputs: Sequence[str],
    labels: Sequence[str],
    options: Mapping[str, Any],
    progress: Progress,
) -> Any:
    """Return the features of inputs by a model on a hub [inputs, features], kept for `adapt`.

    Of an adapter, its changes are in. Raises UnknownName, or BadOption for what can't be built
    upon.
    """
    source, entry, upon = traced(*find_model(model, hub), hub)
    with quiet_libraries():
        folder = pull(source, entry, progress=progress)
        network = task.network(folder, entry, labels, None, options)
        if upon:
            upon.put_into(network, progress)
        session = Session((), (), labels, 0, Shelf(*trunks()), progress)
        return features(network, inputs, session).numpy()
