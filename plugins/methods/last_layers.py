"""What methods share that train the last layers of the base whole."""

from __future__ import annotations

from collections.abc import Sequence

from ...registry.errors import BadOption
from ...transfer.network import Network


def stack_of(network: Network) -> int:
    """Return how many layers the base has; raises BadOption where none is above another."""
    from ...transfer.cut import depth

    whole = depth(network)
    if whole < 2:
        raise BadOption("the base has no stack of layers", "--recipe probe or --recipe full")
    return whole


def carry_last(network: Network, layers: int, some: Sequence[str]) -> None:
    """Make the last layers trainable, and what comes after them, to be saved by PEFT as they are.

    PEFT wants a target: one map with a LoRA of rank 1 that stays zero carries them. `some` are
    inputs to see by what comes after the layers.
    """
    from peft import LoraConfig

    from ...transfer.cut import depth
    from ...transfer.layers import above_stack, first_linear, layer_stack

    whole = depth(network)
    stack = layer_stack(network.body)
    last = [f"{stack}.{number}" for number in range(whole - layers, whole)]
    for name in network.above:
        last += [f"{name}.{n}" for n, _ in network.body.get_submodule(name).named_children()]
    if not network.above:  # which else tells what of it learns
        last += _alone(network, above_stack(network, some))
    carrier = LoraConfig(r=1, lora_alpha=1, target_modules=[first_linear(network.body)])
    network.carry(carrier, last)
    for name, weight in network.body.named_parameters():
        if "lora_" in name:
            weight.requires_grad_(False)


def _alone(network: Network, modules: Sequence[str]) -> list[str]:
    """Return those of which no other module's name has the end: PEFT would take that one too."""
    names = [name for name, _ in network.body.named_modules()]
    return [each for each in modules if sum(name.endswith(each) for name in names) == 1]
