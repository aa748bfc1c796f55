"""What was sent to a hub and awaits its proof: a draft, or a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Draft(Protocol):
    """What was sent to a hub and is not yet what its users get."""

    @property
    def revision(self) -> str:
        """What the draft is fetched by."""
        ...

    def fetch(self, room: Path) -> Path:
        """Return a folder with the draft's files as the hub gives them back."""
        ...

    def accept(self, tag: str | None = None) -> str:
        """Make the draft what users get, in one commit, and return the commit."""
        ...

    def discard(self) -> None:
        """Take the draft away, and the repository with it where it was made for it."""
        ...


class Offer(Draft, Protocol):
    """A draft that another accepts in the end: a pull request, which `accept` only opens."""

    @property
    def address(self) -> str:
        """Where a person finds it."""
        ...
