"""Hashes: of a file, of a folder's content, of rows."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .entry import File

HELD = 4 << 20
PART = 16 << 10


def sha256(path: Path) -> str:
    """Return a file's sha256 as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_revision(files: Mapping[str, str]) -> str:
    """Return 40 hex digits that name a folder by its content: sha1 over sorted `path sha256`."""
    lines = sorted(f"{path} {digest}" for path, digest in files.items())
    return hashlib.sha1("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def git_sha1(path: Path) -> str:
    """Return a file's id in git, by which a hub names the small files it keeps."""
    content = path.read_bytes()
    head = f"blob {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def is_same(path: Path, held: File) -> bool:
    """Return whether a file here has the bytes of one on a hub, by the hash that the hub tells."""
    return sha256(path) == held.sha256 if held.sha256 else git_sha1(path) == held.git_sha1


def files_in(folder: Path) -> dict[str, Path]:
    """Return a folder's files by their path within it (with `/`), hidden ones left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inner.parts):
            found[inner.as_posix()] = path
    return found


def rows_fingerprint(rows: Iterable[tuple[str, str]]) -> str:
    """Return a sha256 over (input, label) rows that does not depend on their order."""
    # Sorted a part at a time, by their first byte, in a file where they are many: 113 bytes a row
    # would otherwise be held for as long as it takes.
    with tempfile.SpooledTemporaryFile(max_size=HELD) as file:
        parts: list[bytearray] = [bytearray() for _ in range(256)]
        places: list[list[tuple[int, int]]] = [[] for _ in range(256)]
        for a, b in rows:
            digest = hashlib.sha256(f"{a}\x1f{b}".encode()).digest()
            part = parts[digest[0]]
            part += digest
            if len(part) >= PART:
                places[digest[0]].append((file.tell(), len(part)))
                file.write(part)
                part.clear()
        whole, between = hashlib.sha256(), b""
        for first, part in enumerate(parts):
            for start, size in places[first]:
                file.seek(start)
                part += file.read(size)
            for digest in sorted(bytes(part[at : at + 32]) for at in range(0, len(part), 32)):
                whole.update(between + digest.hex().encode())
                between = b"\n"
            part.clear()
    return whole.hexdigest()
