"""How a network is adapted: one file a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...registry.errors import BadOption
from ...transfer.precision import PRECISIONS

# What every method can be told, since all begin with a head; a method adds its own.
HEAD: Mapping[str, Any] = {"folds": 5, "precision": "auto", "class_weights": "none"}
HEAD_ABOUT: Mapping[str, str] = {
    "folds": "of the cross-validation that chooses how strongly the head is held back",
    "precision": "to fit in: fp32, bf16, or auto, whichever is faster here; reports are in fp32",
    "class_weights": "none, or balanced: rare classes count as much as common ones",
}
HEAD_WORDS: Mapping[str, Sequence[str]] = {
    "precision": ("auto", *PRECISIONS),
    "class_weights": ("none", "balanced"),
}
# What every method that trains layers can be told; a method adds its own and may set others.
TRAINING: Mapping[str, Any] = {
    **HEAD,
    "rows": 16,
    "patience": 2,
    "layer_decay": 1.0,
    "head_rate": 1.0,
}
TRAINING_ABOUT: Mapping[str, str] = {
    **HEAD_ABOUT,
    "rows": "of a batch; what does not fit into memory at once goes through in portions",
    "rate": "the peak learning rate, of the last layer",
    "epochs": "at most",
    "patience": "epochs without a better loss on validation rows before training stops",
    "layer_decay": "by how much the rate falls with each layer down",
    "head_rate": "how many times faster the head learns",
}


def layers_asked(asked: object, whole: int, most: int, words: str, instead: str) -> int:
    """Return how many layers `--set layers=` means; raises BadOption where there aren't so many.

    `words` are what else may be said, and `instead` is for whoever wants more than `most`.
    """
    try:
        layers = int(str(asked))
    except ValueError as error:
        raise BadOption(
            f"`layers={asked}` is no number", f"{words}, or such as --set layers=2"
        ) from error
    if not 0 < layers <= most:
        raise BadOption(
            f"`layers={layers}`: the base has {whole} layers", f"from 1 to {most}, or {instead}"
        )
    return layers


def layers_of(asked: object, whole: int) -> int:
    """Return how many layers from the top `half`, `all` or a number are of so many.

    A stack that can't be counted counts whole. Raises BadOption where there aren't so many.
    """
    named = {"all": whole, "half": (whole + 1) // 2}
    if asked in named:
        return named[str(asked)]
    return layers_asked(asked, whole, whole, "half, all", "--set layers=all")
