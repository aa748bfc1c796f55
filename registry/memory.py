"""About how much memory adapting a model takes, told from its parameters alone.

For a batch of one: a text of 128 tokens, a picture, or 10 seconds of sound. The figures are fitted
to what `adapt --dry-run` measures with the starter models; `benchmarks/fits.py` compares them.

    bytes = PROCESS + WEIGHTS * parameters + KEPT * parameters ** (2 / 3) + EARLY

A layer keeps for the way back what is wide as its width, and of networks that are alike, width
times depth goes by the parameters to the power of two thirds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .entry import Entry

SHARE = 0.8  # of the memory that is free, which adapting may take
PROCESS = 740_000_000  # Python with torch, transformers and peft, features of 32 inputs, and rivals
MODALITIES = ("text", "image", "sound")
TASKS: Mapping[str, str] = {
    "image": "image", "depth": "image", "object": "image", "video": "image", "mask": "image",
    "audio": "sound", "automatic": "sound", "voice": "sound", "speech": "sound",
}  # fmt: skip


class Takes(NamedTuple):
    """What a method takes: bytes for each parameter, whether it keeps states, and of all layers."""

    weights: float
    trains: bool
    from_first: bool


# Weights are four bytes; what is trained has five copies more: its gradient, two of the
# optimizer's, the best so far and one being written.
METHODS: Mapping[str, Takes] = {
    "probe": Takes(4, False, False),
    "fewshot": Takes(4 + 0.5 * 20, True, False),
    "top": Takes(4 + 0.5 * 20, True, False),
    "lora": Takes(4 + 0.02 * 20, True, False),
    "norm": Takes(4 + 0.01 * 20, True, True),
    "full": Takes(4 + 20, True, True),
}
KEPT: Mapping[str, int] = {"text": 3500, "image": 5200, "sound": 6000}
EARLY: Mapping[str, int] = {"text": 0, "image": 800_000_000, "sound": 0}  # large maps, narrow yet


def modality(tasks: Iterable[str]) -> str:
    """Return what a model for these tasks takes in: `text`, `image` or `sound`."""
    words = (word for task in tasks for word in task.removeprefix("zero-shot-").split("-")[:1])
    return next((TASKS[word] for word in words if word in TASKS), "text")


def takes(params: int, modality: str, method: str) -> int | None:
    """Return about the most bytes that adapting by a method takes; None for one not known here."""
    known = METHODS.get(method)
    if known is None:
        return None
    bytes_ = PROCESS + known.weights * params
    if known.trains:
        bytes_ += KEPT[modality] * params ** (2 / 3)
    if known.from_first:
        bytes_ += EARLY[modality]
    return round(bytes_)


def needed(entry: Entry, method: str) -> int | None:
    """Return about the most bytes that adapting an entry takes, or None where nobody can tell.

    The parameters of an adapter are its own, and say nothing of the base under it.
    """
    if entry.params is None or entry.kind == "adapter":
        return None
    return takes(entry.params, modality(entry.tasks), method)


def largest(modality: str, method: str, memory: int) -> int | None:
    """Return the most parameters that go into so much memory; None where nobody can tell."""
    if takes(0, modality, method) is None:
        return None
    low, high = -1, 1 << 62
    while high - low > 1:
        middle = (low + high) // 2
        if (takes(middle, modality, method) or 0) <= SHARE * memory:
            low = middle
        else:
            high = middle
    return low
