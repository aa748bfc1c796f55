"""Whose a database is: a store remembers its database, and a database on a server its store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import Connection, select

from ..registry.errors import Refused
from .database import Database
from .schema import meta

OWN, NOTE = "hub.sqlite", "database"


def database_of(folder: Path, url: str | None, secret: bytes) -> Database:
    """Return a store's database: at a URL, at the one that was said before, or in its own file.

    Raises Refused where the database is another store's: each would remove the other's contents.
    """
    note = folder / NOTE
    said = note.read_text("utf-8") if note.is_file() else None
    if not (url or said):
        return Database.in_file(folder / OWN)
    if (folder / OWN).exists():
        raise Refused(
            f"the store `{folder}` has a database of its own",
            "to move it: hubtl hub backup FILE.tar, hubtl hub restore FILE.tar --database URL",
        )
    database = Database(url or said or "")
    try:
        with database.telling(), database.writing() as db:
            claim(db, secret, known=said is not None)
    except BaseException:
        database.close()
        raise
    if url and url != said:
        remember(folder, url)
    return database


def claim(db: Connection, secret: bytes, *, known: bool = False) -> None:
    """Note whose a new database is; raises Refused where it is another's, or should not be new."""
    mine = mark_of(secret)
    whose = db.execute(select(meta.c.value).where(meta.c.key == "store")).scalar()
    if whose is None and not known:
        db.execute(meta.insert(), {"key": "store", "value": mine})
    elif whose is None:
        raise Refused("the database is empty, and the store is not", "bring back a backup first")
    elif whose != mine:
        raise Refused("the database is another store's", "give each --store a database of its own")


def mark_of(secret: bytes) -> str:
    """Return the name of a store by which it knows again what is its own; it tells no secret."""
    return hashlib.sha256(b"store" + secret).hexdigest()


def remember(folder: Path, url: str) -> None:
    """Note in a store at which URL its database is."""
    write_private(folder / NOTE, url.encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)
