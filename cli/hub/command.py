"""What a command is: a function, and lines that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the command line."""

    function: Callable[..., None]
    examples: Sequence[str]
