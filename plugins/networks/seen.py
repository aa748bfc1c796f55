"""What is run behind a card's code to learn what its head sees of inputs."""

from __future__ import annotations


def watching(what: str) -> str:
    """Return code for behind one with `model` and `num_labels`: notes what the head is `given`.

    The head is found as `Classifier` finds it.
    """
    return f"""
seen = []
[
    module
    for name, module in model.named_modules()
    if isinstance(module, torch.nn.Linear)
    and module.out_features == num_labels
    and "original_module" not in name
][-1].register_forward_pre_hook(lambda module, given: seen.append({what}))
"""


# And with `logits`.
WATCHED = f"""{watching("given[0]")}

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
