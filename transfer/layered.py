"""What each layer makes of inputs, pooled to a row each, seen while the network runs anyway."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .cut import Tap, Uncut, depth
from .network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Layered:
    """Sees what each layer from the second on is given, as `with Layered(network) as layers`."""

    def __init__(self, network: Network) -> None:
        self._taps = [Tap(network, layer) for layer in range(1, depth(network))]
        self._all = contextlib.ExitStack()

    def __enter__(self) -> Layered:
        """Begin to see."""
        for tap in self._taps:
            self._all.enter_context(tap)
        return self

    def __exit__(self, *_: object) -> None:
        """See no more."""
        self._all.close()

    def pooled(self, sizes: Sequence[int]) -> list[Tensor]:
        """Return the states of inputs of these sizes, [rows, width] a layer; raises Uncut."""
        return [_pooled(tap.states, sizes) for tap in self._taps]


class Looked:
    """Some inputs of many, by number, and what layers make of them: gathered batch by batch.

    The last layer is what the head sees. There are none where a network has no stack of layers, or
    these hand on no row of states for each input.
    """

    def __init__(self, network: Network, numbers: Sequence[int]) -> None:
        self._network = network
        self._places = {number: place for place, number in enumerate(numbers)}
        self._found: list[Any] = []
        self._none = not numbers or depth(network) < 2
        self.numbers = frozenset() if self._none else frozenset(numbers)

    @contextlib.contextmanager
    def watching(self, numbers: Sequence[int], sizes: Sequence[int]) -> Iterator[list[Any]]:
        """See a batch of inputs of these numbers and sizes; what the head sees is put in the list.

        One of which no input is looked at runs as it would without.
        """
        rows = [row for row, number in enumerate(numbers) if number in self._places]
        head: list[Any] = []
        if self._none or not rows:
            yield head
            return
        with Layered(self._network) as layers:
            yield head
        try:
            pooled = [each.float().cpu().numpy() for each in layers.pooled(sizes)]
        except Uncut:
            self._none = True
            return
        places = [self._places[numbers[row]] for row in rows]
        for layer, states in enumerate((*pooled, *head)):
            if layer == len(self._found):
                self._found.append(np.zeros((len(self._places), states.shape[1]), np.float32))
            self._found[layer][places] = states[rows]

    def write(self, path: Path) -> None:
        """Write what was found, if anything."""
        if not self._none:
            numbers = np.array(list(self._places), np.int64)
            np.savez(path, numbers, *self._found)


def read_layers(path: Path) -> tuple[NDArray[np.int64], list[NDArray[np.float32]]]:
    """Return the numbers of inputs that were looked at, and [inputs, width] of each layer."""
    with np.load(path) as kept:
        numbers, *layers = (kept[name] for name in kept.files)
        return numbers, layers


def _pooled(states: Tensor | None, sizes: Sequence[int]) -> Tensor:
    """Return the mean over each row's own positions, [rows, width]; raises Uncut where none is."""
    import torch

    if states is None or states.ndim not in (3, 4) or len(states) != len(sizes):
        raise Uncut("its layers hand on no row of states for each input")
    if states.ndim == 4:  # channels first, as transformers' convolutional networks have them
        return states.mean((2, 3))
    if states.shape[1] != max(sizes):  # sizes count something else, which is alike in all rows
        return states.mean(1)
    lengths = torch.tensor(sizes, device=states.device)[:, None, None]
    own = torch.arange(states.shape[1], device=states.device)[None, :, None] < lengths
    return (states * own).sum(1) / lengths[:, 0]
