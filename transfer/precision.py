"""Which numbers to compute with while fitting: those that are faster here, found by trying.

What is reported is always measured in fp32; see Micikevicius et al., "Mixed Precision Training",
ICLR 2018, for why half the bits are enough to train with.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from .network import Network, batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


PRECISIONS = ("fp32", "bf16")
FEW = 1000  # rows below which trying costs more than it may save
TRIED = 8  # rows of each attempt
TIMES = 3
GAIN = 1.25  # how many times faster bf16 must be; less than that may be chance


def working_in(precision: str, network: Network) -> AbstractContextManager[Any]:
    """Return what the body's computing goes into, so that it is done in this precision."""
    import torch

    return torch.autocast(network.device.type, torch.bfloat16, enabled=precision == "bf16")


def faster(network: Network, inputs: Sequence[str]) -> str:
    """Return `bf16` where a forward pass is clearly faster so, else `fp32`.

    Tried on rows of middle length; few rows are not tried.
    """
    import torch

    if len(inputs) < FEW:
        return "fp32"
    some = list(inputs[:: len(inputs) // FEW])
    sizes = network.sizes(some)
    shorter = sorted(range(len(some)), key=lambda number: sizes[number])[: len(some) // 2 + TRIED]
    middle = next(batches([sizes[number] for number in shorter], TRIED, alike=network.alike))
    network.body.eval()
    batch = network.collate([some[shorter[number]] for number in middle])
    with torch.inference_mode():
        return faster_at(network, lambda: network.features(batch).sum().item())


def faster_at(network: Network, work: Callable[[], object]) -> str:
    """Return `bf16` where some work is clearly faster so, else `fp32`.

    Both are tried in turn, and the fastest of three of each counts.
    """
    fastest = dict.fromkeys(PRECISIONS, float("inf"))
    for attempt in range(1 + TIMES):
        for precision in PRECISIONS:
            began = time.perf_counter()
            with working_in(precision, network):
                work()
            if attempt:  # the first one warms up
                fastest[precision] = min(fastest[precision], time.perf_counter() - began)
    return "bf16" if fastest["fp32"] > GAIN * fastest["bf16"] else "fp32"
