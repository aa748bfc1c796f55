"""What a task may show of an input beside its words."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Pictured(Protocol):
    """A task whose inputs can be looked at."""

    def thumbnail(self, input: str) -> bytes:
        """Return a small PNG of an input; raises OSError where its file is gone or damaged."""
        ...
