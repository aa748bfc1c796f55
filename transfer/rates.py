"""Learning rates: how fast each layer learns, and when.

Layer by layer as in Howard and Ruder, "Universal Language Model Fine-tuning for Text
Classification", ACL 2018.
"""

from __future__ import annotations

import math
import re
from typing import Any

from .layers import layer_stack
from .network import Network


def weight_groups(
    network: Network, rate: float, layer_decay: float, head_rate: float
) -> list[dict[str, Any]]:
    """Return the trainable weights by layer, each with its peak rate, for an optimizer.

    What comes before the stack is one layer further down than its first; what comes after it, as a
    model lists its modules, learns as fast as its last.
    """
    pattern = re.compile(re.escape(layer_stack(network.body)) + r"\.(\d+)\.")
    named = [(n, w) for n, w in network.body.named_parameters() if w.requires_grad]
    head = {id(w) for w in network.head.parameters()}
    layers = [int(m.group(1)) for name, _ in named if (m := pattern.match(name))]
    top = max(layers, default=0)
    found: dict[float, list[Any]] = {}
    below = top + 1 if layers else 0
    for name, weight in named:
        if id(weight) in head:
            continue
        if match := pattern.match(name):
            below = top - int(match.group(1))
        elif layers and network.above:
            below = 0 if any(f"{each}." in name for each in network.above) else top + 1
        found.setdefault(rate * layer_decay**below, []).append(weight)
    own = [w for w in network.head.parameters() if w.requires_grad]
    groups = [{"params": weights, "peak": rate, "lr": rate} for rate, weights in found.items()]
    if own:
        groups.append({"params": own, "peak": rate * head_rate, "lr": rate * head_rate})
    return groups


def share_of_peak(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate: a linear rise, then a cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
