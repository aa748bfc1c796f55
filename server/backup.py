"""Backup and restore: a whole store in one tar, taken while it serves, and checked when it returns.

objects/ab/cd/abcd…   the contents
secret, audit.log
hub.sqlite            the database, last: it names no content that did not come before it; one that
                      is on a server is copied into such a file, and may go back to a server
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, delete, select, update

from ..registry.errors import BadData, BadOption, NotReproduced, Refused
from .checking import Progress
from .claims import OWN, claim, remember
from .contents import SHA256, Readable, Received
from .copying import copy
from .database import Database
from .hub import TeamHub
from .objects import PART, Incoming
from .schema import blobs, meta, objects, repo_blobs

HEX = "[0-9a-f]{2}"
MEMBER = re.compile(rf"secret|audit\.log|hub\.sqlite|objects/({HEX})/({HEX})/(\1\2[0-9a-f]{{60}})")
TURNS = 10  # a database is copied anew as often where contents were collected meanwhile


@dataclass(frozen=True, slots=True)
class Kept:
    """What a backup holds, or a restore brought back; sizes in bytes."""

    objects: int
    bytes: int


def back_up(hub: TeamHub, file: Path, progress: Progress) -> Kept:
    """Write a store into a new tar; raises Refused where the file is there already."""
    if file.exists():
        raise Refused(f"`{file}` is there already", "give the backup a name of its own")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as room:
        beside = Path(room, "tar")
        with beside.open("wb") as raw:
            beside.chmod(0o600)  # it holds the hub's secret
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                kept = _write(hub, tar, Path(room, OWN), progress)
            raw.flush()
            os.fsync(raw.fileno())
        beside.replace(file)
    return kept


def _write(hub: TeamHub, tar: tarfile.TarFile, copy: Path, progress: Progress) -> Kept:
    there: dict[str, int] = {}
    for turn in range(TURNS):
        _copy_database(hub, copy)
        wanted = _listed(copy)
        missing = sorted(wanted.keys() - there.keys())
        gone = []
        for done, sha256 in enumerate(missing, 1):
            try:
                _add_object(hub, tar, sha256, wanted[sha256])
                there[sha256] = wanted[sha256]
            except FileNotFoundError:
                gone.append(sha256)
            progress("backing up contents", done, len(missing))
        if not gone:
            break
        if turn == TURNS - 1:
            raise NotReproduced(f"the content {gone[0]} is gone from the store", "hubtl hub check")
    for path, name in (
        (hub.folder / "secret", "secret"),
        (hub.audit_log, "audit.log"),
        (copy, OWN),
    ):
        if path.is_file():
            with path.open("rb") as file:
                _add(tar, name, file, os.fstat(file.fileno()).st_size)
    return Kept(len(wanted), sum(wanted.values()))


def _copy_database(hub: TeamHub, to: Path) -> None:
    """Write the state of the database at one moment into a file of its own."""
    to.unlink(missing_ok=True)
    with contextlib.ExitStack() as held:
        if hub.database.engine.dialect.name == "sqlite":
            source = sqlite3.connect(str(hub.database.engine.url.database))
            held.enter_context(contextlib.closing(source))
            target = held.enter_context(contextlib.closing(sqlite3.connect(to)))
            source.backup(target)
        else:
            with contextlib.closing(Database.in_file(to)) as made:
                copy(hub.database, made)
            target = held.enter_context(contextlib.closing(sqlite3.connect(to)))
        # One file, and nothing beside it.
        target.execute("PRAGMA journal_mode=DELETE")


def _listed(database: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(database)) as db:
        return dict(db.execute("SELECT sha256, size FROM objects"))


class Hashed:
    """A file that is read once and hashed on the way."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        part = self._file.read(size)
        self.hash.update(part)
        return part


def _add_object(hub: TeamHub, tar: tarfile.TarFile, sha256: str, size: int) -> None:
    with hub.objects.open(sha256) as file:
        hashed = Hashed(file)
        sound = hub.objects.contents.size(sha256) == size
        if sound:
            _add(tar, f"objects/{sha256[:2]}/{sha256[2:4]}/{sha256}", hashed, size)
        if not sound or hashed.hash.hexdigest() != sha256:
            raise NotReproduced(f"the content {sha256} has changed on disk", "hubtl hub check")


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes] | Hashed, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    tar.addfile(member, file)


def restore(file: Path, folder: Path, progress: Progress, url: str | None = None) -> Kept:
    """Make a store of a backup in a new or empty folder; nothing is there until all is checked.

    With a `url`, its database goes to the new one of a server there.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadOption(
            f"`{folder}` holds something already", "a backup is restored to a new --store"
        )
    server = Database(url) if url else None  # what is wrong with it is told before all else
    folder.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with _tar_errors_told(file):
            found = _read(file, room, progress)
        kept = _check(room, found, file)
        if server and url:
            _move(room, server)
            remember(room, url)
        if folder.is_dir():
            folder.rmdir()
        room.rename(folder)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
    finally:
        if server:
            server.close()
    return kept


def _move(room: Path, server: Database) -> None:
    """Move the database of a store to a server."""
    with contextlib.closing(Database.in_file(room / OWN)) as source:
        copy(source, server)
    with server.writing() as db:
        claim(db, (room / "secret").read_bytes())
    (room / OWN).unlink()


@contextlib.contextmanager
def _tar_errors_told(file: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, FileNotFoundError, IsADirectoryError) as error:
        raise BadData(f"`{file}` can't be read as a backup: {error}", "is it whole?") from error


def _read(file: Path, room: Path, progress: Progress) -> dict[str, int]:
    """Unpack a backup, and return the contents that came, by the hash of what is on disk now."""
    found: dict[str, int] = {}
    size, done = file.stat().st_size, 0
    with tarfile.open(file, "r|") as tar:
        for member in tar:
            named = MEMBER.fullmatch(member.name)
            # One with holes says of itself how long it is, whatever the length of the backup.
            plain = named and member.isreg() and not member.issparse()
            content = tar.extractfile(member) if plain else None
            if named is None or content is None:
                raise Refused(f"`{file}` is no backup of a team hub: it has `{member.name[:100]}`")
            path = room / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            received = _unpack(content, path)
            path.chmod(0o600)
            if named.group(3) not in (None, received.sha256):
                raise NotReproduced(f"`{member.name}` has other bytes than its name says", _OTHER)
            found[received.sha256] = received.size
            done += received.size
            progress("restoring", min(done, size), size)
    return found


def _unpack(content: IO[bytes], path: Path) -> Received:
    incoming = Incoming(path)
    try:
        while part := content.read(PART):
            incoming.write(part)
        return incoming.done()
    except BaseException:
        incoming.drop()
        raise


def _check_files(db: Connection, file: Path) -> None:
    """Raise NotReproduced where files lead to what is no content, or to one that did not come."""
    used = blobs.c.oid.in_(select(repo_blobs.c.oid))
    known = blobs.c.sha256.in_(select(objects.c.sha256))
    for row in db.execute(select(blobs.c.oid, blobs.c.sha256, (used & ~known).label("lost"))):
        if row.lost or not SHA256.fullmatch(row.sha256):
            raise NotReproduced(f"`{file}` lacks the content of the file {row.oid}", _OTHER)


_OTHER = "the backup is damaged: take another"


def _check(room: Path, found: dict[str, int], file: Path) -> Kept:
    """Raise NotReproduced unless a database came that is sound, with all that it names."""
    if not (room / OWN).is_file() or not (room / "secret").is_file():
        raise NotReproduced(f"`{file}` has no database or no secret: it is not whole", _OTHER)
    database = Database.in_file(room / OWN)
    try:
        with database.writing() as db:
            said = list(db.exec_driver_sql("PRAGMA integrity_check").scalars())
            if said != ["ok"]:
                raise NotReproduced(f"the database in `{file}` is damaged: {said[0]}", _OTHER)
            wanted = {
                sha256: size
                for sha256, size in db.execute(select(objects.c.sha256, objects.c.size))
            }
            lost = [sha256 for sha256, size in wanted.items() if found.get(sha256) != size]
            if lost:
                raise NotReproduced(f"`{file}` lacks the content {lost[0]}", _OTHER)
            _check_files(db, file)
            # Xet clients remember what a store has, and this one may have less than it had.
            name = {"value": secrets.token_hex(8)}
            db.execute(update(meta).where(meta.c.key == "generation").values(**name))
            db.execute(delete(meta).where(meta.c.key == "contents"))  # they lay in a bucket, maybe
    finally:
        database.close()
    for path in (room / "objects").glob("*/*/*"):
        if path.name not in wanted:
            path.unlink()  # collected while the backup was taken
    return Kept(len(wanted), sum(wanted.values()))
