"""Find a network's stack of layers, and the linear maps in it, by structure and not by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..registry.errors import BadOption

if TYPE_CHECKING:
    from torch import nn

    from .network import Network


def layer_stack(body: nn.Module) -> str:
    """Return the name of the list of layers that weighs the most; empty if there is none.

    Of an encoder and a decoder it is the encoder, which runs first: the first list that holds at
    least half of what the heaviest does. Copies of modules that PEFT makes to train weigh nothing,
    else it would be another list once a decoder is among these.
    """
    from torch import nn

    sizes = {
        name: sum(
            weight.numel()
            for part, weight in module.named_parameters()
            if ".modules_to_save." not in part
        )
        for name, module in body.named_modules()
        if isinstance(module, nn.ModuleList) and name
    }
    most = max(sizes.values(), default=0)
    return next((name for name, size in sizes.items() if size >= most / 2), "")


def is_map(module: nn.Module) -> bool:
    """Return whether a module is a linear map, dense or a convolution that mixes all channels.

    One whose weights are all zero passes nothing back, so there is nothing to learn in it.
    """
    from torch import nn

    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return module.groups == 1 and bool(module.weight.any())
    return isinstance(module, nn.Linear) and bool(module.weight.any())


def maps_in(body: nn.Module, names: Sequence[str]) -> list[str]:
    """Return the whole names of the linear maps in modules of these names."""
    starts = tuple(f"{name}." for name in names)
    return [
        name for name, module in body.named_modules() if name.startswith(starts) and is_map(module)
    ]


def linear_layers(body: nn.Module) -> list[str]:
    """Return the linear maps of the layers, as names that end alike in every layer."""
    stack = layer_stack(body)
    found = {
        name.removeprefix(f"{stack}.").partition(".")[2]
        for name, module in body.named_modules()
        if is_map(module) and name.startswith(f"{stack}.")
    }
    return sorted(found)


def unused_maps(body: nn.Module, maps: Sequence[str], run: Callable[[], object]) -> list[str]:
    """Return those of the layers' linear maps, named by their ends, that never run as `run` does.

    Attention that hands its weights to a function of torch's own (WavLM) goes past whatever wraps
    the maps they are of: an update there would be saved, and do nothing.
    """
    start = f"{layer_stack(body)}."
    ran = set[str]()
    hooks = [
        module.register_forward_hook(lambda *_, end=end: ran.add(end))
        for name, module in body.named_modules()
        if name.startswith(start) and (end := name.removeprefix(start).partition(".")[2]) in maps
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return [each for each in maps if each not in ran]


def first_linear(body: nn.Module) -> str:
    """Return the whole name of the first linear map of the stack."""
    stack = layer_stack(body)
    for name, module in body.named_modules():
        if is_map(module) and name.startswith(stack):
            return str(name)
    raise BadOption("the base has no linear layer to carry an adapter", "choose another --base")


def layer_norms(body: nn.Module) -> list[str]:
    """Return the whole names of the norms with a scale of their own: they have one, and no map."""
    found = []
    for name, module in body.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if "norm" in type(module).__name__.casefold() and "weight" in own:
            found.append(name)
    return found


def still_modules(body: nn.Module) -> list[nn.Module]:
    """Return what stays in evaluation mode: layers that learn nothing, and norms that count.

    Running statistics of the base, over millions of inputs, are better than those of a batch, and
    what a step does must not depend on how its batch is divided.
    """
    layers = body.get_submodule(layer_stack(body)).children()
    frozen = [each for each in layers if not any(w.requires_grad for w in each.parameters())]
    counting = (m for m in body.modules() if getattr(m, "running_mean", None) is not None)
    return [*frozen, *counting]


def above_stack(network: Network, inputs: Sequence[str]) -> list[str]:
    """Return the modules with weights of their own that work between the stack and the head.

    Found by a gradient that begins at the features and ends at the last layer's output: what the
    features pass by, such as a pooler beside a mean, gets none.
    """
    import torch

    body = network.body
    stack = layer_stack(body)
    outside = {
        name: weight
        for name, weight in body.named_parameters()
        if not name.startswith(f"{stack}.") and "." in name
    }
    learning = {name for name, weight in outside.items() if weight.requires_grad}
    *_, last = body.get_submodule(stack).children()
    hook = last.register_forward_hook(_begin_here)
    body.eval()
    try:
        for weight in outside.values():
            weight.requires_grad_(True)
        features = network.features(network.collate(inputs))
        found = torch.autograd.grad(features.sum(), list(outside.values()), allow_unused=True)
    finally:
        hook.remove()
        for name, weight in outside.items():
            weight.requires_grad_(name in learning)
    reached = [name for name, slope in zip(outside, found, strict=True) if slope is not None]
    return list(dict.fromkeys(name.rpartition(".")[0] for name in reached))


def _begin_here(module: nn.Module, args: tuple[Any, ...], given: Any) -> Any:
    """Give what a layer gives, as if nothing had made it."""
    first, *rest = given if isinstance(given, tuple) else (given,)
    fresh = first.detach().requires_grad_(True)
    return (fresh, *rest) if isinstance(given, tuple) else fresh


def work_by_layer(network: Network, inputs: Sequence[str]) -> list[int]:
    """Return how many multiplications and additions each layer of the stack does for inputs."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    sums: list[int] = []

    def see(*_: object) -> None:
        sums.append(counter.get_total_flops())

    layers = network.body.get_submodule(layer_stack(network.body)).children()
    hooks = [
        hook
        for layer in layers
        for hook in (layer.register_forward_pre_hook(see), layer.register_forward_hook(see))
    ]
    network.body.eval()
    batch = network.collate(inputs)
    try:
        with counter, torch.no_grad():
            network.features(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return [after - before for before, after in zip(sums[::2], sums[1::2], strict=True)]
