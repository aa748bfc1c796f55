"""What a hub may keep beside models: collections, and versions by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Collecting(Protocol):
    """A hub whose organisations have collections."""

    name: str

    def collect(self, model: str) -> None:
        """Put a published model among its owner's others of the same domain, and nowhere else."""
        ...


@runtime_checkable
class Versioned(Protocol):
    """A hub on which a model's commits have names of their own."""

    name: str

    def versions(self, model: str) -> Mapping[str, str]:
        """Return the commit of each tag; raises UnknownName or Unreachable."""
        ...
