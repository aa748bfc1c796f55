"""Open a file of rows, or say why it can't be: not there, no plain file, not ours to read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from ..registry.errors import BadData, UnknownName

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")


def regular(path: Path, name: str) -> os.stat_result:
    """Return what the system says of a file; raises if it is not there, or is no plain file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnknownName(
            f"there is no file `{name}`", "check the path; `ls` shows what is there"
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise BadData(f"`{name}` is a folder", f"give a file: {', '.join(ENDINGS)}")
    if not stat.S_ISREG(found.st_mode):
        raise BadData(
            f"`{name}` is no plain file but a pipe or a device",
            "write its rows to a file first, for they are read more than once",
        )
    return found


def opened(path: Path, name: str) -> BinaryIO:
    """Return an open file; raises BadData where the system says no."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: Exception) -> BadData:
    """Return the error for a file that the system does not let us read."""
    why = (error.strerror if isinstance(error, OSError) else "") or str(error)
    denied = isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM)
    hint = f"`ls -l {name}` shows who may read it" if denied else "check the path and its disk"
    return BadData(f"`{name}` can't be read: {why}", hint)


def check_same(before: os.stat_result, path: Path, name: str) -> None:
    """Raise BadData if a file was written to since `before`."""
    after = regular(path, name)
    facts = ("st_mtime_ns", "st_size", "st_ino")
    if any(getattr(before, fact) != getattr(after, fact) for fact in facts):
        raise BadData(
            f"`{name}` changed while it was read",
            "run it again when nothing writes to the file, or give a copy",
        )
