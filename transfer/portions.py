"""How much of a batch goes through the network at once, so that it fits into memory.

A batch that is too much is trained on in portions whose gradients are added up: the step is the
same, and takes less memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .feed import Rows
from .network import Network
from .resources import free_memory

if TYPE_CHECKING:
    from torch import Tensor

SHARE = 0.5  # of the memory that is free now: the rest is for what else there is
COPIES = 5  # of what is trained: its gradient, two of the optimizer's, the best, one being written
ENOUGH = 2048  # positions that keep a processor as busy as more would


@dataclass(frozen=True, slots=True)
class Taken:
    """The bytes that training keeps for the way back: of the longest row, and of each more."""

    first: int
    more: int
    longest: int

    def by(self, rows: int) -> int:
        """Return the bytes of so many of the longest rows."""
        return self.first + (rows - 1) * self.more


def positions_at_once(network: Network, rows: int, taken: Taken, room: int) -> int:
    """Return how many positions, of a batch of `rows`, go through the network at once.

    A processor gets as many as keep it busy, a GPU all of them; fewer where they would not fit into
    `room` bytes, and never fewer than the longest row has.
    """
    free = room * SHARE - COPIES * trained_bytes(network)
    most = ENOUGH // taken.longest if network.device.type == "cpu" else rows
    rows = max(1, min(rows, most))
    while rows > 1 and taken.by(rows) > free:
        rows = (rows + 1) // 2
    return rows * taken.longest


def holds(network: Network, rows: Rows, count: int) -> bool:
    """Return whether what `count` of the longest rows need for the way back fits into memory."""
    free = free_memory(network.device.type) * SHARE - COPIES * trained_bytes(network)
    return taken(network, rows).by(count) <= free


def portions(
    numbers: Sequence[int], sizes: Sequence[int], positions: int | None
) -> Iterator[Sequence[int]]:
    """Yield the rows of a batch in portions that have at most so many positions, with padding."""
    longest = max(sizes[number] for number in numbers)
    rows = max(1, positions // longest) if positions else len(numbers)
    for start in range(0, len(numbers), rows):
        yield numbers[start : start + rows]


def trained_bytes(network: Network) -> int:
    """Return the bytes of the weights that are trained, but for the head's."""
    learning = (weight for weight in network.body.parameters() if weight.requires_grad)
    return sum(weight.numel() * weight.element_size() for weight in learning)


def taken(network: Network, rows: Rows) -> Taken:
    """Return what training takes of memory, counted on the longest row twice, without training."""
    sizes = rows.feed.sizes
    longest = max(range(len(sizes)), key=lambda number: sizes[number])
    one, two = (kept_bytes(network, rows, [longest] * count) for count in (1, 2))
    return Taken(one, two - one, sizes[longest])


def kept_bytes(network: Network, rows: Rows, numbers: Sequence[int]) -> int:
    """Return how many bytes a forward pass over these rows keeps for the backward pass."""
    import torch
    from torch.autograd.graph import saved_tensors_hooks

    weights = {w.untyped_storage().data_ptr() for w in network.body.parameters()}
    sizes: dict[int, int] = {}
    held: list[Tensor] = []  # as long as they are there, no address is given twice

    def see(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            held.append(tensor)
        return tensor

    with saved_tensors_hooks(see, lambda tensor: tensor):
        features = rows.feed.features(numbers)
        counts = torch.ones(network.head.out_features, device=features.device)
        rows.goal.losses(network, features, rows.targets[list(numbers)], counts)
    return sum(sizes.values())
