"""Folders to write in before they are renamed: when their process is gone, so are they.

    HOME/rooms/.lock        held for the moment in which one of the others is taken or given back
    HOME/rooms/NAME.lock    held by the process whose room it is, for as long as it lives
    HOME/rooms/NAME.path    where the room is; its last part ends with NAME

A process that was killed could not remove its room, so the next one to make a room does.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from .places import home


@contextlib.contextmanager
def new_room(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder in `parent`, for its owner's eyes only; what stays of it is removed."""
    notes = home() / "rooms"
    notes.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(notes)
    name = secrets.token_hex(6)
    note = notes / f"{name}.path"
    room = parent.absolute() / f"{prefix}{name}"
    with held(note.with_suffix(".lock")):
        try:
            note.write_text(str(room), "utf-8")
            room.mkdir(mode=0o700)
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
            note.unlink(missing_ok=True)


def temporary_room(prefix: str) -> AbstractContextManager[Path]:
    """Give a new folder among the system's temporary ones, as `new_room` does."""
    return new_room(Path(tempfile.gettempdir()), prefix)


@contextlib.contextmanager
def held(lock: Path) -> Iterator[bool]:
    """Hold a lock that dies with this process; gives False where another process has it.

    The locks of one folder are taken and given back one at a time: a file that is removed while
    another process waits for it would be held twice.
    """
    import filelock

    turn = filelock.FileLock(lock.with_name(".lock"), timeout=60)
    ours = filelock.FileLock(lock)
    with turn, contextlib.suppress(filelock.Timeout):
        ours.acquire(blocking=False)
    try:
        yield ours.is_locked
    finally:
        if ours.is_locked:
            with turn:
                ours.release()
                lock.unlink(missing_ok=True)


def _remove_abandoned(notes: Path) -> None:
    """Remove the rooms of processes that are gone."""
    for lock in notes.glob("[0-9a-f]*.lock"):
        with held(lock) as abandoned, contextlib.suppress(FileNotFoundError):
            if abandoned:
                note = lock.with_suffix(".path")
                room = Path(note.read_text("utf-8"))
                # A note that was cut off would name another folder.
                if room.name.endswith(lock.stem):
                    shutil.rmtree(room, ignore_errors=True)
                note.unlink()
