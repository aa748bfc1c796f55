"""Start a network at a layer of its stack, fed with what the frozen layers below made once.

The model's own forward still runs, so masks, positions, pooling and head are its own: the layers
below the cut only pass on what they get, and the first one above is given the kept states instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from .layers import layer_stack
from .network import Network

if TYPE_CHECKING:
    from torch import Tensor, nn

TOLERANCE = 1e-5


def depth(network: Network) -> int:
    """Return how many layers a network's stack has; 0 where there is no stack."""
    name = layer_stack(network.body)
    return len(list(network.body.get_submodule(name).children())) if name else 0


@dataclass(frozen=True, slots=True)
class Cut:
    """A layer to start at, and what the layers below hand on to it.

    They give so many things, where 0 is states and no tuple. A row of states has the `shape`; where
    that is empty it has as many positions as the input is long, each `width` numbers wide.
    """

    layer: int
    gives: int
    width: int
    shape: tuple[int, ...] = ()

    def positions(self, sizes: Sequence[int]) -> list[int]:
        """Return how many positions the states of inputs of these sizes have."""
        return [1] * len(sizes) if self.shape else list(sizes)

    def bytes_of(self, sizes: Sequence[int]) -> int:
        """Return how many bytes the states of inputs of these sizes are."""
        return sum(self.positions(sizes)) * self.width * 4


class Tap:
    """Sees what a layer of the stack is given, while the network runs as it is.

    `with Tap(network, 4) as tap: network.features(batch)`, then `tap.states` [rows, ...] is what
    layer 4 got.
    """

    def __init__(self, network: Network, layer: int) -> None:
        stack = _stack(network)
        self._layer, self._first, self._parts = stack[layer], stack[0], _parts(network)
        self.states: Tensor | None = None
        self.gives = 0

    def __enter__(self) -> Self:
        """Begin to see."""
        self._hooks = [
            self._layer.register_forward_pre_hook(self._see, with_kwargs=True),
            self._first.register_forward_hook(self._count),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        """See no more."""
        for hook in self._hooks:
            hook.remove()

    def _see(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states = args[0] if args else kwargs["hidden_states"]
        self.states = states if self._parts == 1 else _in_turn(states, self._parts)

    def _count(self, module: nn.Module, args: tuple[Any, ...], given: Any) -> None:
        self.gives = len(given) if isinstance(given, tuple) else 0


class Fed:
    """A network that starts at a layer: `features(batch, states)` runs what is above the cut."""

    def __init__(self, network: Network, cut: Cut) -> None:
        self.network, self.cut = network, cut
        self._stack = _stack(network)
        self._below = [self._stack[number] for number in range(cut.layer)]
        self._states: Tensor | None = None

    def __enter__(self) -> Self:
        """Take the layers below the cut out of the way."""
        for number in range(self.cut.layer):
            self._stack[number] = _passing(self.cut.gives)
        layer = self._stack[self.cut.layer]
        self._hook = layer.register_forward_pre_hook(self._give, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Put them back."""
        self._hook.remove()
        for number, layer in enumerate(self._below):
            self._stack[number] = layer

    def features(self, batch: Mapping[str, Tensor], states: Tensor) -> Tensor:
        """Return what the head sees, [rows, features], from states [rows, positions, width]."""
        self._states = self._shaped(states)
        try:
            return self.network.features(batch)
        finally:
            self._states = None

    def _shaped(self, states: Tensor) -> Tensor:
        import torch

        shape = self.cut.shape
        if not shape:
            parts = _parts(self.network)
            return states if parts == 1 else _one_by_one(states, parts)
        states = states.reshape(len(states), *shape)
        if states.ndim != 4:
            return states
        # Convolutions on a processor are faster where the channels of a place lie together.
        return states.contiguous(memory_format=torch.channels_last)

    def _give(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert self._states is not None, "features() has just set them"
        if args:
            return (self._states, *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": self._states}


class Uncut(ValueError):
    """A network can't be started at a layer; its text says why."""


def cut_at(network: Network, layer: int, inputs: Sequence[str]) -> Cut:
    """Return the cut at a layer, tried on these inputs; raises Uncut with the reason.

    What comes out both ways, in evaluation mode, must be the same to 1e-5: a network whose layers
    hand something else on to each other (a position bias, a window, a rotary table that the first
    one makes) does not come through, whatever it is called.
    """
    import torch

    if not 0 < layer < depth(network):
        raise Uncut(f"it has {depth(network)} layers in a stack")
    network.body.eval()
    with torch.inference_mode():
        batch = network.collate(inputs)
        with Tap(network, layer) as tap:
            plain = network.features(batch)
        cut = _as_found(layer, tap, network.sizes(inputs))
        assert tap.states is not None, "else it were no cut"
        try:
            with Fed(network, cut) as fed:
                again = fed.features(network.outline(inputs), tap.states)
        except Exception as error:  # whatever a stranger's architecture raises: the plain way works
            raise Uncut(f"its layers don't run by themselves ({type(error).__name__})") from error
        gap = float((plain - again).abs().max())
    if not gap <= TOLERANCE:
        raise Uncut(f"its upper layers need more than the states below them (off by {gap:.2g})")
    return cut


def _as_found(layer: int, tap: Tap, sizes: Sequence[int]) -> Cut:
    """Return the cut at which states look as a tap saw them; raises Uncut where they can't be."""
    states = tap.states
    if states is None or states.ndim < 3 or len(states) != len(sizes):
        raise Uncut("what its layers hand on is no row of states for each input")
    if states.ndim == 3 and states.shape[1] == max(sizes):
        return Cut(layer, tap.gives, states.shape[2])
    shape = tuple(states.shape[1:])
    return Cut(layer, tap.gives, math.prod(shape), shape)


def _stack(network: Network) -> nn.ModuleList:
    from torch import nn

    found = network.body.get_submodule(layer_stack(network.body))
    assert isinstance(found, nn.ModuleList), "layer_stack names a list of layers"
    return found


def _parts(network: Network) -> int:
    """Return how many rows an input is to the body: one, unless a network has `parts`."""
    return int(getattr(network, "parts", 1))  # a plugin's network may be of before


def _in_turn(states: Tensor, parts: int) -> Tensor:
    """Return states of all inputs' first parts, then of the next ones, as one row an input.

    It has the first position of each part, then the second of each: what pads is behind.
    """
    rows, positions, width = states.shape
    apart = states.reshape(parts, rows // parts, positions, width)
    return apart.permute(1, 2, 0, 3).reshape(rows // parts, positions * parts, width)


def _one_by_one(states: Tensor, parts: int) -> Tensor:
    """Return the states that were put `_in_turn` as the body has them."""
    inputs, positions, width = states.shape
    apart = states.reshape(inputs, positions // parts, parts, width)
    return apart.permute(2, 0, 1, 3).reshape(inputs * parts, positions // parts, width)


def _passing(gives: int) -> nn.Module:
    from torch import nn

    class Passing(nn.Module):
        """Gives the states it gets, as the layer in whose place it is would."""

        def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> Any:
            return (hidden_states, *[None] * (gives - 1)) if gives else hidden_states

    return Passing()
