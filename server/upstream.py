"""Another hub, of which this one keeps what its users ask for: what the server asks of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from ..registry.entry import Entry


class Upstream(Protocol):
    """A hub to fetch from; whoever starts the server brings one that talks to a network.

    All but `address` raise UnknownName for what isn't there, Refused where it is not for us, and
    Unreachable where no answer came.
    """

    @property
    def address(self) -> str:
        """Its URL, by which mirrored repositories are known to be its own."""

    def find(self, kind: str, name: str, revision: str) -> tuple[Entry, bool]:
        """Return a repository at a commit with its files' hashes; and whether it isn't for all."""

    def tags(self, kind: str, name: str) -> Collection[str]:
        """Return the names of a repository's tags: any other name is a branch's."""

    def content(self, kind: str, name: str, revision: str, path: str) -> Iterator[bytes]:
        """Give a file's bytes, in order; nobody has looked whether they are the right ones."""
