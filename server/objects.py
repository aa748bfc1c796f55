"""The store: contents by their sha256, and which of them the database knows.

incoming/   what is being received; left-overs go when the hub starts

A content counts once it has a row in `objects`. Having it in its place and writing that row happen
while the database is held for writing, and so does removing: neither can come between the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from .contents import Contents, Readable, Received
from .database import Database, chunks
from .dialects import insert_new
from .problem import Problem
from .schema import blobs, objects, repo_blobs, repo_objects

PART = 1 << 20
RESERVE = 256 << 20  # bytes of the disk that no upload may take: the database needs some


class Incoming:
    """A file being received: write to it, then `done` flushes it and gives its hash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = path.open("wb", buffering=0)  # parts are large: a buffer would copy each

    def write(self, *parts: bytes | memoryview) -> None:
        """Add bytes, of one part after another."""
        for part in parts:
            self._hash.update(part)
            self.size += len(part)
            left = memoryview(part)
            while left:
                left = left[self._file.write(left) :]

    def done(self) -> Received:
        """Return the file once the disk has it."""
        os.fsync(self._file.fileno())
        self._file.close()
        return Received(self.path, self._hash.hexdigest(), self.size)

    def drop(self) -> None:
        """Close and remove the file, unless it was taken into the store."""
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class Objects:
    """The contents of a hub, and the folder into which files are received."""

    def __init__(self, root: Path, contents: Contents) -> None:
        self.contents = contents
        self.incoming = root / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    def has(self, sha256: str) -> bool:
        """Return whether a content is here; that of a mirror's file may not be."""
        return bool(sha256) and self.contents.has(sha256)

    def open(
        self, sha256: str, start: int = 0, end: int | None = None
    ) -> AbstractContextManager[Readable]:
        """Give a content from byte `start` to before `end`; raises FileNotFoundError."""
        return self.contents.open(sha256, start, end)

    def read(self, sha256: str, limit: int | None = None) -> bytes:
        """Return a content, or its first `limit` bytes; raises FileNotFoundError."""
        with self.open(sha256, 0, limit) as file:
            return file.read(-1 if limit is None else limit)

    def room(self) -> int:
        """Return how many bytes of the disk uploads may still take."""
        return max(0, shutil.disk_usage(self.incoming).free - RESERVE)

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

    def carry(self, received: Iterable[Received]) -> None:
        """Bring files near to where contents lie, before the database is held to keep them."""
        self.contents.carry(received)

    def keep(self, db: Connection, received: Iterable[Received]) -> None:
        """Take files that were carried into the store; `db` is held for writing."""
        listed, now = list(received), time.time()
        # A removal that nobody answered may still come: only after one that was is it sent again.
        self._settle(db, {each.sha256 for each in listed})
        self.contents.place(listed)
        rows = [{"sha256": each.sha256, "size": each.size, "touched": now} for each in listed]
        insert_new(db, objects, rows)
        self.touch(db, (each.sha256 for each in listed))

    def touch(self, db: Connection, sha256s: Iterable[Any]) -> None:
        """Note that contents are about to be used, so that none of them is collected."""
        for some in chunks(sha256s):
            wanted = objects.c.sha256.in_(some)
            db.execute(update(objects).where(wanted).values(touched=time.time()))

    def tidy(self, db: Connection) -> None:
        """Finish what a killed hub left: take back half-removed contents, drop half-received ones.

        Called when no other process uses the store for writing.
        """
        self._settle(db)
        for path in self.incoming.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def collect(self, database: Database, older_than: float) -> tuple[int, int]:
        """Remove what nothing refers to and nobody used since; returns how many, and their bytes.

        A content is referred to by any commit of any repository, or as pushed to a repository and
        not committed yet. Those without a row were put there by a hub that died just after.
        """
        with database.reading() as db:  # looked for first: others may write meanwhile
            known = set(db.execute(select(objects.c.sha256)).scalars())
        strays = {name: size for name, size in self.contents.older(older_than) if name not in known}
        try:
            with database.writing() as db:
                gone = dict(_unused(db, older_than)) | _without_row(db, strays)
                for sha256 in gone:
                    self.contents.put_aside(sha256)
                for some in chunks(gone):
                    db.execute(delete(repo_objects).where(repo_objects.c.sha256.in_(some)))
                    db.execute(delete(objects).where(objects.c.sha256.in_(some)))
                    db.execute(delete(blobs).where(blobs.c.sha256.in_(some)))
        finally:
            with database.writing() as db:  # what it knows by now, be it by that change or before
                self._settle(db)
        return len(gone), sum(gone.values())

    def _settle(self, db: Connection, among: Collection[str] | None = None) -> None:
        """Remove what was put aside; what the database knows is wanted, and comes back."""
        for sha256 in self.contents.aside():
            if among is not None and sha256 not in among:
                continue
            self.contents.settle(sha256, not _without_row(db, {sha256: 0}))


def _unused(db: Connection, older_than: float) -> Iterator[tuple[str, int]]:
    """Give the contents with a row, and their sizes, that nothing refers to."""
    used = blobs.join(repo_blobs, repo_blobs.c.oid == blobs.c.oid)
    recent = repo_objects.c.pushed >= older_than
    unused = select(objects.c.sha256, objects.c.size).where(
        objects.c.touched < older_than,
        # PostgreSQL looks through a whole list for each row that is not in it.
        ~exists().select_from(used).where(blobs.c.sha256 == objects.c.sha256),
        ~exists().where(repo_objects.c.sha256 == objects.c.sha256, recent),
    )
    return ((row.sha256, row.size) for row in db.execute(unused))


def _without_row(db: Connection, sizes: dict[str, int]) -> dict[str, int]:
    """Return those of some contents, and their sizes, that the database does not know."""
    found = dict(sizes)
    for some in chunks(sizes):
        known = select(objects.c.sha256).where(objects.c.sha256.in_(some))
        for sha256 in db.execute(known).scalars():
            del found[sha256]
    return found
