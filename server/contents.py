"""Where contents lie: a folder of the disk here, or a bucket (bucket.py).

objects/ab/cd/abcd…   a content, whole; never changed
trash/                what is being removed; comes back if the hub died meanwhile
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FOLDER = "the hub's folder"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in whole, and is not yet in the store."""

    path: Path
    sha256: str
    size: int


class Readable(Protocol):
    """What bytes are read from, in order."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most so many; none at the end."""


class Contents(Protocol):
    """A place of contents by their sha256; what it is asked raises FileNotFoundError if lost."""

    def has(self, sha256: str) -> bool:
        """Return whether a content is here."""

    def size(self, sha256: str) -> int:
        """Return how many bytes a content has."""

    def claim(self, mark: str, known: bool) -> None:
        """Note which store's contents these are; raises Refused where they are another's.

        So it does where this store's contents are `known` to lie here, and it finds no such note.
        """

    def local(self, sha256: str) -> Path | None:
        """Return where a content is or would be on this disk, None where it lies elsewhere."""

    def open(
        self, sha256: str, start: int = 0, end: int | None = None
    ) -> AbstractContextManager[Readable]:
        """Give a content from byte `start` on; no more than to before `end` will be read."""

    def carry(self, received: Iterable[Received]) -> None:
        """Bring files near, before the database is held: this may take long."""

    def place(self, received: Iterable[Received]) -> None:
        """Have files here that were carried, flushed; the database is held for writing."""

    def older(self, than: float) -> Iterator[tuple[str, int]]:
        """Give names and sizes of what has lain here since before that time."""

    def put_aside(self, sha256: str) -> None:
        """Begin to remove a content; the database is held for writing."""

    def aside(self) -> Iterator[str]:
        """Give what was put aside, and is neither gone nor back yet."""

    def settle(self, sha256: str, wanted: bool) -> None:
        """Finish removing what was put aside, or take it back; the database is held for writing."""


def checked(sha256: str) -> str:
    """Return the sha256 itself; raises ValueError for what is none."""
    if not SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256[:100]!r} is no sha256")
    return sha256


class Folder:
    """Contents in a folder; a file is renamed into place."""

    def __init__(self, root: Path) -> None:
        self.root, self.trash = root / "objects", root / "trash"
        for folder in (self.root, self.trash):
            folder.mkdir(parents=True, exist_ok=True)

    def local(self, sha256: str) -> Path:
        """Return where a content is or would be; raises ValueError for what is no sha256."""
        return self.root / checked(sha256)[:2] / sha256[2:4] / sha256

    def __str__(self) -> str:
        """Return what is told of where contents lie."""
        return FOLDER

    def claim(self, mark: str, known: bool) -> None:
        """Leave it: a folder has the store's own secret in it."""

    def has(self, sha256: str) -> bool:
        """Return whether a content is here."""
        return self.local(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Return how many bytes a content has."""
        return self.local(sha256).stat().st_size

    @contextlib.contextmanager
    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[Readable]:
        """Give a content from byte `start` on."""
        with self.local(sha256).open("rb") as file:
            file.seek(start)
            yield file

    def carry(self, received: Iterable[Received]) -> None:
        """Leave files where they are: they lie on this disk."""

    def place(self, received: Iterable[Received]) -> None:
        """Rename files into place, and flush the folders that they are in."""
        folders = set()
        for each in received:
            place = self.local(each.sha256)
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True, exist_ok=True)
                folders |= {place.parent.parent, place.parent.parent.parent}
            each.path.replace(place)
            folders.add(place.parent)
        for folder in folders:
            _flush_folder(folder)

    def older(self, than: float) -> Iterator[tuple[str, int]]:
        """Give names and sizes of what has lain here since before that time."""
        for path in self.root.glob("*/*/*"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if status.st_mtime < than:
                    yield path.name, status.st_size

    def put_aside(self, sha256: str) -> None:
        """Move a content to the trash, from where it can come back."""
        with contextlib.suppress(FileNotFoundError):
            self.local(sha256).replace(self.trash / sha256)

    def aside(self) -> Iterator[str]:
        """Give what is in the trash."""
        return (path.name for path in sorted(self.trash.iterdir()))

    def settle(self, sha256: str, wanted: bool) -> None:
        """Take a content out of the trash: back into place, or for good."""
        if wanted and not self.has(sha256):
            (self.trash / sha256).replace(self.local(sha256))
        (self.trash / sha256).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make the disk remember which names a folder has; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
