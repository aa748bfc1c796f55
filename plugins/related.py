"""What a task may tell of how near inputs lie to what a base was made for.

A task need not fit: then only what models say of themselves is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Measured:
    """A number of which more is nearer, and what it is in a few words."""

    value: float
    how: str


@runtime_checkable
class Relating(Protocol):
    """A task whose inputs can be held against a base, without running that."""

    def language(self, inputs: Sequence[str]) -> str | None:
        """Return the code of the language that most inputs are in; None where that is not known."""
        ...

    def related(self, base: Path, inputs: Sequence[str]) -> Measured | None:
        """Return how near inputs are to what the base in a folder was made for, if it can tell."""
        ...
