"""What is run behind a card's code to learn what its head sees of inputs."""

from __future__ import annotations

# Behind code with `model`, `num_labels` and `logits`: as `Classifier` finds its head, and watches.
WATCHED = """
seen = []
[
    module
    for name, module in model.named_modules()
    if isinstance(module, torch.nn.Linear)
    and module.out_features == num_labels
    and "original_module" not in name
][-1].register_forward_pre_hook(lambda module, given: seen.append(given[0]))


def kept(inputs):
    seen.clear()
    logits(inputs)
    return torch.cat(seen).tolist()
"""
# Behind code whose head is a dictionary of weights: one that changes nothing shows what it sees.
UNCHANGED = """
width = head["{name}weight"].shape[1]
head = {{"{name}weight": torch.eye(width), "{name}bias": torch.zeros(width)}}


def kept(inputs):
    return logits(inputs).tolist()
"""
