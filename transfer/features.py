"""Run the frozen part of a network once over all inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .network import Network, batches

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Show nothing."""


def trunk_features(
    network: Network, inputs: Sequence[str], *, rows: int = 32, progress: Progress = silent
) -> Tensor:
    """Return what the head sees of each input, [inputs, features] in fp32 on the CPU.

    The body runs in evaluation mode: no dropout, stored statistics.
    """
    import torch

    network.body.eval()
    found: Tensor | None = None
    done = 0
    progress("features", 0, len(inputs))
    with torch.inference_mode():
        for numbers in batches(network.sizes(inputs), rows):
            batch = network.collate([inputs[number] for number in numbers])
            features = network.features(batch).float().cpu()
            if found is None:
                found = torch.empty(len(inputs), features.shape[1])
            found[torch.tensor(numbers)] = features
            done += len(numbers)
            progress("features", done, len(inputs))
    assert found is not None, "there is at least one input: the table was checked"
    return found.clone()
