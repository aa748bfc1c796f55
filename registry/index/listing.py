"""Listings of hubs beside their index: what is known of all models, and which of it counts.

    FOLDER/listings/NAME@TIME.jsonl  a listing, or what changed after one; its first line says which

A file never changes once it has its name, so the names of those that an index holds say all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class About:
    """What a listing is of: models with `least` downloads, of a hub or an organisation there.

    It knows of all changes before `until`. One that is not `whole` has changes alone.
    """

    address: str
    hub: str
    organisation: str | None = None
    least: int = 0
    whole: bool = True
    until: str = ""
    etag: str = ""

    @property
    def name(self) -> str:
        """How files of this hub, or organisation, are called."""
        scope = f"{self.address}#{self.organisation}" if self.organisation else self.address
        return quote(scope, safe="")

    @property
    def tells_all(self) -> bool:
        """Whether a model that it does not name is no more."""
        return self.whole and not self.least

    def covers(self, other: About) -> bool:
        """Return whether nothing counts any more of another, which came before."""
        ours = self.address == other.address
        if ours and self.tells_all and not self.organisation:
            return True
        return ours and self.whole and self.organisation == other.organisation


class Kept(NamedTuple):
    """A file with a listing, and what it is of."""

    path: Path
    about: About

    def lines(self) -> Iterator[str]:
        """Give its models, a line each."""
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            next(file)
            yield from file


def listings(folder: Path) -> list[Kept]:
    """Return the listings that count, the newest last: a later line of a model counts.

    A listing takes the place of the one before and of the changes after that; one of a whole hub
    those of its organisations.
    """
    found: list[Kept] = []
    for path in sorted((folder / "listings").glob("*@*.jsonl"), key=_time):
        about = about_of(path)
        if about:
            found = [each for each in found if not about.covers(each.about)]
            found.append(Kept(path, about))
    return found


def about_of(path: Path) -> About | None:
    """Return what the first line of a file says it is of, or None where there is no such line."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            return About(**json.loads(file.readline(10_000)))
    except (FileNotFoundError, ValueError, TypeError):  # a process may have taken it away
        return None


def covered(files: Sequence[Path]) -> list[frozenset[str]]:
    """Return for each listing the organisations, folded, that a later one tells all of."""
    abouts = [about_of(path) for path in files]
    return [
        frozenset(
            later.organisation.casefold()
            for later in abouts[at + 1 :]
            if about and later and later.address == about.address
            if later.tells_all and later.organisation
        )
        for at, about in enumerate(abouts)
    ]


def _time(path: Path) -> str:
    return path.name.rpartition("@")[2]
