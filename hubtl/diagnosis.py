"""What most likely went wrong where a folder doesn't say what was measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .registry.facts import Facts
from .registry.fingerprint import sha256
from .registry.weights import ADAPTER_CONFIG
from .transfer.agreement import LOGIT_TOLERANCE

PREPARE = ("tokenizer", "preprocessor", "processor", "vocab", "merges", "special_tokens")
WEIGHTS = "*.safetensors"
LOW_HALF = 0xFFFF  # the bits of a float32 that a bfloat16 does not have
FEW = 32  # rows that tell one column from another; values that are not round by chance
SOME = 64  # numbers below which all may be round by chance


def likely(
    folder: Path,
    facts: Facts,
    wanted: Sequence[Sequence[float]],
    found: Sequence[Sequence[float]],
) -> str:
    """Return a likely cause in a few words, beginning with a colon; empty where there is none."""
    a, b = np.asarray(wanted, np.float64), np.asarray(found, np.float64)
    if a.shape != b.shape or not a.size:
        return ": it has other labels, or another number of them"
    if not np.isfinite(b).all():
        return ": its weights hold numbers that are not finite"
    if _reordered(a, b):
        return ": its labels are in another order"
    if any(_is_rounded(path) for path in sorted(folder.rglob(WEIGHTS))):
        return ": its weights were rounded to bf16"
    swapped = [path for path, digest in facts.base_files.items() if _differs(folder / path, digest)]
    if swapped:
        return f": its `{swapped[0]}`, which prepares inputs, is not the base's"
    return ": its adapter is not applied, all of its updates are zero" if _is_idle(folder) else ""


def _differs(path: Path, digest: str) -> bool:
    """Return whether a file that prepares inputs is another than that of the base."""
    prepares = path.name.startswith(PREPARE) or path.suffix in (".txt", ".model")
    return prepares and path.is_file() and sha256(path) != digest


def _reordered(a: Any, b: Any) -> bool:
    """Return whether the columns of one are those of the other in another order."""
    a, b = a[:FEW], b[:FEW]
    gaps = np.abs(a[:, :, None] - b[:, None, :]).max(axis=0)  # [columns, columns]
    nearest = gaps.argmin(axis=1)
    found = gaps[np.arange(len(nearest)), nearest]
    other = (nearest != np.arange(len(nearest))).any()
    return bool(other and len(set(nearest)) == len(nearest) and (found < LOGIT_TOLERANCE).all())


def _is_rounded(path: Path) -> bool:
    """Return whether a tensor in a file holds nothing but what bf16 can hold."""
    return any(
        kind == "BF16" or (kind == "F32" and data.size >= 4 * SOME and _is_round(data))
        for _, kind, data in _tensors(path)
    )


def _is_round(data: Any) -> bool:
    """Return whether numbers of several values, as no layer begins with, all are round."""
    bits = data[: data.size // 4 * 4].view("<u4")
    return not (bits & LOW_HALF).any() and len(np.unique(bits)) > FEW


def _is_idle(folder: Path) -> bool:
    """Return whether all of a LoRA's updates are zero, where it does more than carry others."""
    config, weights = folder / ADAPTER_CONFIG, folder / "adapter_model.safetensors"
    if not config.is_file() or not weights.is_file():
        return False
    updates = [data for name, _, data in _tensors(weights) if ".lora_B." in name]
    carries = json.loads(config.read_text("utf-8")).get("r") == 1
    return bool(updates) and not carries and not any(data.view("<f4").any() for data in updates)


def _tensors(path: Path) -> list[tuple[str, str, Any]]:
    """Return each tensor's name, kind and bytes (https://huggingface.co/docs/safetensors)."""
    content = np.memmap(path, np.uint8, "r")
    start = 8 + int(content[:8].view("<u8")[0])
    head = json.loads(content[8:start].tobytes())
    head.pop("__metadata__", None)
    places = {name: [start + at for at in each["data_offsets"]] for name, each in head.items()}
    return [(name, head[name]["dtype"], content[a:b]) for name, (a, b) in places.items()]
