"""Divide labelled rows into train, validation and test, the same way for the same seed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled row: its id (file and line), what goes in, and what should come out."""

    id: str
    input: str
    label: str


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets of rows, and one line on how they were told apart."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    how: str

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows in each part."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def hold_out(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return (kept, held out), stratified by label; rows of one input stay together.

    Each class gives `share` of its distinct inputs, at least one and never all. Rows are ordered by
    a hash of seed and input, so a row added later moves no other row to the other side.
    """
    by_label: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        by_label[example.label][example.input].append(example)
    out: set[str] = set()
    for inputs in by_label.values():
        order = sorted(inputs, key=lambda text: _hash(seed, text))
        out.update(order[: min(max(1, round(share * len(order))), len(order) - 1)])
    kept = tuple(example for example in examples if example.input not in out)
    return kept, tuple(example for example in examples if example.input in out)


def _hash(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()
