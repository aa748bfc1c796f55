"""What is in a file that a row names, told by its hash: each file is read once for it."""

from __future__ import annotations

import functools
from pathlib import Path

from ..registry.fingerprint import sha256

KNOWN = 100_000  # files


def digest_of(path: str) -> str:
    """Return the sha256 of a file as it is now; raises OSError where it can't be read."""
    found = Path(path).stat()
    return _digest(path, found.st_mtime_ns, found.st_size, found.st_ino)


@functools.lru_cache(KNOWN)
def _digest(path: str, time: int, size: int, number: int) -> str:
    return sha256(Path(path))
