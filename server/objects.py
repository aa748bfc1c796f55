"""The store: contents on disk by their sha256, written beside, flushed, and renamed.

    objects/ab/cd/abcd…   a content, whole; never changed
    incoming/             what is being received; left-overs go when the hub starts
    trash/                what is being removed; comes back if the hub died meanwhile

A content counts once it has a row in `objects`. Renaming it into place and writing that row happen
while the database is held for writing, and so does removing: neither can come between the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from .database import chunks, insert_new
from .problem import Problem
from .schema import blobs, objects, repo_blobs, repo_objects

PART = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
RESERVE = 256 << 20  # bytes of the disk that no upload may take: the database needs some


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in whole, and is not yet in the store."""

    path: Path
    sha256: str
    size: int


class Incoming:
    """A file being received: write to it, then `done` flushes it and gives its hash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = path.open("wb", buffering=PART)

    def write(self, part: bytes | memoryview) -> None:
        """Add bytes."""
        self._file.write(part)
        self._hash.update(part)
        self.size += len(part)

    def done(self) -> Received:
        """Return the file once the disk has it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Received(self.path, self._hash.hexdigest(), self.size)

    def drop(self) -> None:
        """Close and remove the file, unless it was taken into the store."""
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class Objects:
    """The contents in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.trash = root / "trash"
        for folder in (root / "objects", self.incoming, self.trash):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a content is or would be; raises ValueError for what is no sha256."""
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:100]!r} is no sha256")
        return self.root / "objects" / sha256[:2] / sha256[2:4] / sha256

    def has(self, sha256: str) -> bool:
        """Return whether a content is here; that of a mirror's file may not be."""
        return bool(sha256) and self.path(sha256).is_file()

    def room(self) -> int:
        """Return how many bytes of the disk uploads may still take."""
        return max(0, shutil.disk_usage(self.root).free - RESERVE)

    def check_room(self, size: int) -> None:
        """Raise Problem 507 where the disk has no room for so many bytes."""
        if size > self.room():
            raise Problem(507, "The hub's disk is full: nothing was changed")

    @contextlib.contextmanager
    def receive(self) -> Iterator[Incoming]:
        """Give a new file to write to; what was not kept when this ends is removed."""
        incoming = Incoming(self.incoming / secrets.token_hex(16))
        try:
            yield incoming
        finally:
            incoming.drop()

    def receive_bytes(self, content: bytes) -> Received:
        """Write a small content to a file of its own; whoever keeps it or fails takes it away."""
        incoming = Incoming(self.incoming / secrets.token_hex(16))
        try:
            incoming.write(content)
            return incoming.done()
        except BaseException:
            incoming.drop()
            raise

    def keep(self, db: Connection, received: Iterable[Received]) -> None:
        """Take files into the store; `db` is held for writing."""
        now, folders, rows = time.time(), set(), []
        for each in received:
            place = self.path(each.sha256)
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True, exist_ok=True)
                folders |= {place.parent.parent, place.parent.parent.parent}
            each.path.replace(place)
            folders.add(place.parent)
            rows.append({"sha256": each.sha256, "size": each.size, "touched": now})
        for folder in folders:
            _flush_folder(folder)
        insert_new(db, objects, rows)
        self.touch(db, (each["sha256"] for each in rows))

    def touch(self, db: Connection, sha256s: Iterable[Any]) -> None:
        """Note that contents are about to be used, so that none of them is collected."""
        for some in chunks(sha256s):
            wanted = objects.c.sha256.in_(some)
            db.execute(update(objects).where(wanted).values(touched=time.time()))

    def read(self, sha256: str, limit: int | None = None) -> bytes:
        """Return a content, or its first `limit` bytes."""
        with self.path(sha256).open("rb") as file:
            return file.read(limit)

    def tidy(self, db: Connection) -> None:
        """Finish what a killed hub left: take back half-removed contents, drop half-received ones.

        Called when no other process uses the store for writing.
        """
        for path in self.trash.iterdir():
            known = db.execute(
                select(objects.c.sha256).where(objects.c.sha256 == path.name)
            ).first()
            if known and not self.path(path.name).exists():
                path.replace(self.path(path.name))
            else:
                path.unlink()
        for path in self.incoming.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def collect(self, db: Connection, older_than: float) -> tuple[int, int]:
        """Remove what nothing refers to and nobody used since; returns how many, and their bytes.

        `db` is held for writing. A content is referred to by any commit of any repository, or as
        pushed to a repository and not committed yet. The files themselves go in `empty_trash`.
        """
        wanted = select(blobs.c.sha256).join(repo_blobs, repo_blobs.c.oid == blobs.c.oid)
        recent = repo_objects.c.pushed >= older_than
        unused = select(objects.c.sha256, objects.c.size).where(
            objects.c.touched < older_than,
            ~objects.c.sha256.in_(wanted),
            ~exists().where(repo_objects.c.sha256 == objects.c.sha256, recent),
        )
        gone = {row.sha256: row.size for row in db.execute(unused)}
        gone |= self._strays(db, older_than)
        for sha256 in gone:
            with contextlib.suppress(FileNotFoundError):
                self.path(sha256).replace(self.trash / sha256)
        for some in chunks(gone):
            db.execute(delete(repo_objects).where(repo_objects.c.sha256.in_(some)))
            db.execute(delete(objects).where(objects.c.sha256.in_(some)))
            db.execute(delete(blobs).where(blobs.c.sha256.in_(some)))
        return len(gone), sum(gone.values())

    def _strays(self, db: Connection, older_than: float) -> dict[str, int]:
        """Return files that have no row, with their sizes: a hub died just after renaming them."""
        known = set(db.execute(select(objects.c.sha256)).scalars())
        found = {}
        for path in (self.root / "objects").glob("*/*/*"):
            status = path.stat()
            if path.name not in known and status.st_mtime < older_than:
                found[path.name] = status.st_size
        return found

    def empty_trash(self) -> None:
        """Remove the files of what was collected, after the database has said so."""
        for path in self.trash.iterdir():
            path.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make the disk remember which names a folder has; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
