"""Bring a listing page by page, in parts that go on where they were.

FOLDER/listings/NAME.begun   what is being brought, and where its parts start
FOLDER/listings/NAME.N.part  the pages of part N so far
FOLDER/listings/NAME.N.next  the page that comes next, and how long the part is without it
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from .. import rooms
from .listing import About

DAY = 24 * 60 * 60  # seconds; pages that are older would not go with those to come


class Page(NamedTuple):
    """Some lines of a listing, and the address of the page after them, empty at the end.

    `etag` is what the hub calls a listing that has this page alone, where it does.
    """

    lines: tuple[str, ...]
    after: str
    etag: str = ""


class Part:
    """One of the stretches that a listing is brought in, page by page."""

    def __init__(self, place: Path) -> None:
        self._part = place.with_name(f"{place.name}.part")
        self._next = place.with_name(f"{place.name}.next")

    @property
    def path(self) -> Path:
        """Where its lines are."""
        return self._part

    def begun(self) -> tuple[str, int]:
        """Return the page to go on with, and how many lines there are already."""
        after, lines, _ = self._noted()
        return after, lines

    @property
    def done(self) -> bool:
        """Whether its last page is there."""
        return self._noted()[0] == "" and self._next.exists()

    def add(self, pages: Iterable[Page]) -> Iterator[int]:
        """Keep pages as they come, after those that are kept; gives the number of lines so far."""
        _, lines, size = self._noted()
        with self._part.open("r+b" if size else "wb") as file:
            file.truncate(size)
            file.seek(0, os.SEEK_END)
            for page in pages:
                file.write("".join(f"{line}\n" for line in page.lines).encode())
                file.flush()
                os.fsync(file.fileno())
                lines += len(page.lines)
                self._note(page.after, file.tell(), lines)
                yield lines

    def remove(self) -> None:
        """Forget what came."""
        self._next.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)

    def _noted(self) -> tuple[str, int, int]:
        try:
            told = json.loads(self._next.read_text("utf-8"))
            if told["bytes"] <= self._part.stat().st_size:
                return str(told["after"]), int(told["lines"]), int(told["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            self._next.unlink(missing_ok=True)
        return "", 0, 0

    def _note(self, after: str, size: int, lines: int) -> None:
        _write_beside(self._next, {"after": after, "bytes": size, "lines": lines})


class Bringing:
    """A listing that is being brought, in parts; it goes on where it was, for a day at most."""

    def __init__(self, folder: Path, about: About) -> None:
        self._folder = folder / "listings"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._begun = self._folder / f"{about.name}.begun"
        self.about = about
        self.starts: tuple[str, ...] = ()
        self.total = 0

    def held(self) -> AbstractContextManager[bool]:
        """Hold it against other processes; gives False where one has it."""
        return rooms.held(self._begun.with_suffix(".lock"))

    def goes_on(self) -> bool:
        """Return whether the same was begun before, and go on with that."""
        try:
            told = json.loads(self._begun.read_text("utf-8"))
            about = About(**told["about"])
            fresh = time.time() - self._begun.stat().st_mtime < DAY
        except (OSError, ValueError, KeyError, TypeError):
            return False
        same = replace(self.about, until="", etag="") == replace(about, until="", etag="")
        if fresh and same:
            self.about, self.starts, self.total = about, tuple(told["starts"]), told["total"]
        return fresh and same

    def begin(self, starts: Sequence[str], total: int, until: str) -> None:
        """Begin anew, with parts that start at these pages; `total` is 0 where nobody knows."""
        parts = re.compile(rf"{re.escape(self.about.name)}\.\d+\.(part|next)")
        for path in self._folder.iterdir():
            if parts.fullmatch(path.name):
                path.unlink()
        self.about = replace(self.about, until=until)
        self.starts, self.total = tuple(starts), total
        told = {"about": asdict(self.about), "starts": self.starts, "total": total}
        _write_beside(self._begun, told)

    def parts(self) -> list[Part]:
        """Return the parts, in the order of their starts."""
        place = self._folder / self.about.name
        return [Part(place.with_name(f"{place.name}.{n}")) for n in range(len(self.starts))]

    def finish(self, etag: str = "") -> None:
        """Make one file of all parts, which counts from now on."""
        name = f"{self.about.name}@{time.time_ns():020d}.jsonl"
        beside = self._folder / f"{self.about.name}.new"
        with beside.open("wb") as file:
            file.write(f"{json.dumps(asdict(replace(self.about, etag=etag)))}\n".encode())
            for part in self.parts():
                with part.path.open("rb") as lines:
                    shutil.copyfileobj(lines, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / name)
        self.forget()

    def forget(self) -> None:
        """Take away what is only for going on."""
        parts = self.parts()
        self._begun.unlink(missing_ok=True)
        for part in parts:
            part.remove()


def _write_beside(path: Path, told: object) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(told), "utf-8")
    beside.replace(path)
