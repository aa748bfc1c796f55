"""The folder of an index: whole files, and a pointer to the one that holds.

    FOLDER/current            the name of the file that holds
    FOLDER/models-NAME.sqlite a whole index; it is never replaced under its name
    FOLDER/.part-NAME         one that is being built, or was when its builder was killed
    FOLDER/.lock              held by the one process that builds or changes

A reader opens what the pointer names, and keeps it whole for as long as it is open, whatever the
pointer names next.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..errors import Refused

FORMAT = 1  # one more whenever a file means something else than before
OURS = 0x68756274  # `hubt`: the application_id of an index
POINTER = "current"


def opened(folder: Path) -> sqlite3.Connection | None:
    """Return the index that holds, opened to read, or None where there is none of this format."""
    for _ in range(20):  # a builder may take the file away between the two looks
        path = named(folder)
        if path is None:
            return None
        with contextlib.suppress(sqlite3.OperationalError):
            return _of_this_format(connected(path))
    return None


def named(folder: Path) -> Path | None:
    """Return the file that the pointer names, whether or not it is there."""
    try:
        name = (folder / POINTER).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    fine = name.startswith("models-") and name.endswith(".sqlite") and Path(name).name == name
    return folder / name if fine else None


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to an index's file; raises sqlite3.OperationalError without a file."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=60,
        check_same_thread=False,
    )


def _of_this_format(database: sqlite3.Connection) -> sqlite3.Connection | None:
    try:
        ours = database.execute("PRAGMA application_id").fetchone()[0] == OURS
        if ours and database.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
            database.executescript("PRAGMA mmap_size = 8589934592; PRAGMA cache_size = -32768")
            return database
    except sqlite3.OperationalError:  # the file was taken away
        database.close()
        raise
    except sqlite3.DatabaseError:  # another file under this name
        pass
    database.close()
    return None


@contextlib.contextmanager
def held(folder: Path, patience: float = 600) -> Iterator[None]:
    """Hold the folder against other builders; raises Refused where one takes longer than that.

    Who holds it may hold it again.
    """
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder.absolute() / ".lock", is_singleton=True)
    try:
        with lock.acquire(timeout=patience):
            yield
    except filelock.Timeout:
        raise Refused(
            f"another process is building the index in `{folder}`", "try again when it is done"
        ) from None


@contextlib.contextmanager
def new_file(folder: Path) -> Iterator[Path]:
    """Give the path of a file to build, and let it hold when all went well; call it while held."""
    for left in folder.glob(".part-*"):
        left.unlink(missing_ok=True)
    name = secrets.token_hex(6)
    part = folder / f".part-{name}"
    try:
        yield part
        _kept(part)
        part.replace(folder / f"models-{name}.sqlite")
        _point(folder, f"models-{name}.sqlite")
    finally:
        part.unlink(missing_ok=True)
    for old in folder.glob("models-*"):
        if not old.name.startswith(f"models-{name}."):
            with contextlib.suppress(OSError):  # Windows: a reader has it; the next builder tries
                old.unlink()


def _point(folder: Path, name: str) -> None:
    beside = folder / f".part-{POINTER}"
    beside.write_text(name, "utf-8")
    _kept(beside)
    beside.replace(folder / POINTER)


def _kept(path: Path) -> None:
    """Have a file on the disk, not only on its way there."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
