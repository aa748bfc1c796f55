"""When what is kept was last used: what was not for longest goes first."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path


def used(at: Path) -> None:
    """Note that what is kept in a folder was used now."""
    now = time.time_ns()  # the disk's own clock ticks too slowly to tell two uses apart
    os.utime(at / "about.json", ns=(now, now))


def make_room(folder: Path, wanted: int, limit: int) -> None:
    """Remove what was not used for longest, until so many bytes more are within the limit."""
    import filelock

    with filelock.FileLock(folder / ".lock", timeout=60):
        kept = []
        for about in folder.glob("[0-9a-f]*/about.json"):
            with contextlib.suppress(FileNotFoundError):
                size = sum(path.stat().st_size for path in about.parent.iterdir())
                kept.append((about.stat().st_mtime, size, about.parent))
        total = sum(size for _, size, _ in kept)
        for _, size, at in sorted(kept):
            if total + wanted <= limit:
                break
            shutil.rmtree(at, ignore_errors=True)
            total -= size
