"""Find a network's stack of layers, and the linear maps in it, by structure and not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry.errors import BadOption

if TYPE_CHECKING:
    from torch import nn


def layer_stack(body: nn.Module) -> str:
    """Return the name of the list of layers that holds the most weights; empty if there is none."""
    from torch import nn

    sizes = {
        name: sum(weight.numel() for weight in module.parameters())
        for name, module in body.named_modules()
        if isinstance(module, nn.ModuleList) and name
    }
    return max(sizes, key=lambda name: sizes[name]) if sizes else ""


def is_map(module: nn.Module) -> bool:
    """Return whether a module is a linear map, dense or a convolution that mixes all channels.

    One whose weights are all zero passes nothing back, so there is nothing to learn in it.
    """
    from torch import nn

    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return module.groups == 1 and bool(module.weight.any())
    return isinstance(module, nn.Linear) and bool(module.weight.any())


def linear_layers(body: nn.Module) -> list[str]:
    """Return the linear maps of the layers, as names that end alike in every layer."""
    stack = layer_stack(body)
    found = {
        name.removeprefix(f"{stack}.").partition(".")[2]
        for name, module in body.named_modules()
        if is_map(module) and name.startswith(f"{stack}.")
    }
    return sorted(found)


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
