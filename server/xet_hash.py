"""Xet's hashes: of a chunk, of chunks in a row as a tree, and those of the contents kept here.

A hash is written as four numbers of 64 bits, each with its highest byte first, though the bytes
have the lowest first: what is printed is not the bytes in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from blake3 import blake3
from sqlalchemy import Connection, select

from .database import chunks
from .dialects import insert_new
from .schema import xet_files

CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
NOTHING = bytes(32)  # the hash of no chunks, and the key for files
FEWEST, MOST = 3, 9  # nodes under one parent; the last of a row may have fewer
CUT = 4  # one node in so many ends its group


class Node(NamedTuple):
    """A hash, and how many bytes of content are under it."""

    hash: bytes
    size: int


def as_text(hash_: bytes) -> str:
    """Return a hash as Xet writes it."""
    return b"".join(hash_[start : start + 8][::-1] for start in range(0, 32, 8)).hex()


def chunk_node(content: bytes) -> Node:
    """Return the leaf that a chunk is in the tree."""
    return Node(blake3(content, key=CHUNK_KEY).digest(), len(content))


class Tree:
    """The tree over chunks that are added one after another; few of its nodes are in memory.

    Where a group of nodes ends depends on their hashes alone, so each can be replaced by its parent
    as soon as it is whole.
    """

    def __init__(self) -> None:
        self._rows: list[list[Node]] = []  # the group being gathered, lowest row first
        self._seen: list[int] = []  # how many nodes each row has had

    def add(self, content: bytes) -> None:
        """Add a chunk."""
        self._add(chunk_node(content), 0)

    def _add(self, node: Node, level: int) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._seen.append(0)
        group = self._rows[level]
        group.append(node)
        self._seen[level] += 1
        ends = node.hash[24] % CUT == 0
        if len(group) == MOST or (len(group) >= FEWEST and ends):
            self._rows[level] = []
            self._add(_parent(group), level + 1)

    def xorb_hash(self) -> str:
        """Return the hash of a xorb of these chunks; nothing can be added after."""
        return as_text(self._root())

    def file_hash(self) -> str:
        """Return the hash of a file of these chunks; nothing can be added after."""
        root = self._root()
        return as_text(root if root == NOTHING else blake3(root, key=NOTHING).digest())

    def _root(self) -> bytes:
        for level, group in enumerate(self._rows):  # grows while it is walked
            if self._seen[level] == 1:
                return group[0].hash
            if group:
                self._add(_parent(group), level + 1)
        return NOTHING


def _parent(group: list[Node]) -> Node:
    lines = "".join(f"{as_text(node.hash)} : {node.size}\n" for node in group)
    return Node(blake3(lines.encode(), key=NODE_KEY).digest(), sum(node.size for node in group))


def xet_hash_of(db: Connection, sha256s: Iterable[str]) -> dict[str, str]:
    """Return the Xet hashes of those contents that came by Xet, by their sha256."""
    found: dict[str, str] = {}
    for some in chunks(sha256s):
        chosen = select(xet_files.c.sha256, xet_files.c.hash).where(xet_files.c.sha256.in_(some))
        found |= {row.sha256: row.hash for row in db.execute(chosen)}
    return found


def note_xet_hashes(db: Connection, found: Iterable[tuple[str, str, int]]) -> None:
    """Note what contents are called: (sha256, hash, size) each, all worked out here."""
    names = ("sha256", "hash", "size")
    insert_new(db, xet_files, (dict(zip(names, each, strict=True)) for each in found))
