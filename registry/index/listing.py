"""Listings of hubs beside their index: what is known of all models, and how far it was brought.

FOLDER/listings/NAME.jsonl   a listing that is whole
FOLDER/listings/NAME.part    one that is being brought, page by page
FOLDER/listings/NAME.next    the page that comes next, and how long the part is without it
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .. import rooms
from ..errors import Refused

DAY = 24 * 60 * 60  # seconds; pages that are older would not go with those to come


class Page(NamedTuple):
    """Some lines of a listing, and the address of the page after them, empty at the end."""

    lines: tuple[str, ...]
    after: str


class Listing:
    """What a hub, or an organisation there, is known to have; `asked` is what it was asked for."""

    def __init__(self, folder: Path, name: str, asked: str) -> None:
        self._asked = asked
        self._whole = folder / "listings" / f"{quote(name, safe='')}.jsonl"
        self._part = self._whole.with_suffix(".part")
        self._next = self._whole.with_suffix(".next")
        self._whole.parent.mkdir(parents=True, exist_ok=True)

    def begun(self) -> tuple[str, int]:
        """Return the page to go on with, and how many lines there are already, of a day at most."""
        try:
            told = json.loads(self._next.read_text("utf-8"))
            fresh = time.time() - self._next.stat().st_mtime < DAY
            whole = told["bytes"] <= self._part.stat().st_size
            if fresh and whole and told["asked"] == self._asked:
                return str(told["after"]), int(told["lines"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return "", 0

    def add(self, pages: Iterable[Page]) -> Iterator[int]:
        """Keep pages as they come, after those that are kept; gives the number of lines so far.

        Raises Refused where another process brings the same listing.
        """
        with rooms.held(self._whole.with_suffix(".lock")) as ours:
            if not ours:
                raise Refused("another process brings this listing", "wait for it, then again")
            yield from self._added(pages)
            self._next.unlink(missing_ok=True)
            self._part.replace(self._whole)

    def _added(self, pages: Iterable[Page]) -> Iterator[int]:
        after, lines = self.begun()
        told = json.loads(self._next.read_text("utf-8")) if after else {"bytes": 0}
        with self._part.open("r+b" if after else "wb") as file:
            file.truncate(told["bytes"])
            file.seek(0, os.SEEK_END)
            for page in pages:
                file.write("".join(f"{line}\n" for line in page.lines).encode())
                file.flush()
                os.fsync(file.fileno())
                lines += len(page.lines)
                if page.after:
                    self._note(page.after, file.tell(), lines)
                yield lines

    def _note(self, after: str, size: int, lines: int) -> None:
        beside = self._next.with_suffix(".new")
        told = {"after": after, "bytes": size, "lines": lines, "asked": self._asked}
        beside.write_text(json.dumps(told), "utf-8")
        beside.replace(self._next)


def listings(folder: Path) -> list[Path]:
    """Return the listings that are whole, the newest last, whose lines count."""
    return sorted((folder / "listings").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
