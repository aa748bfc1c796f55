"""Shards: which chunks of which xorbs make up which files, as Xet clients send it after them.

A shard is a row of records of 48 bytes: a header; for each file one of its own, its segments, as
many proofs if a flag says so, and one with the sha256; and a mark after the last file. What follows
tells of xorbs, and of nothing that isn't known here.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .contents import Received
from .objects import Incoming, Objects
from .problem import Problem
from .xet_hash import Tree, as_text
from .xorbs import LARGEST_CHUNK, chunks_of, most_content

LARGEST_SHARD = 64 << 20
# What is packed is small, and may be named again and again: a shard's files may have as many bytes,
# or as many times those of the xorbs it names.
ALWAYS, TIMES = 1 << 30, 4
TAG = b"HFRepoMetaData\0" + bytes.fromhex("5569 6745 6a7b 8157 83a5 bdd9 5ccd d14a a9")
VERSION = 2
RECORD = struct.Struct("<32s4I")
LAST = b"\xff" * 32
WITH_PROOFS, WITH_SHA256 = 1 << 31, 1 << 30


@dataclass(frozen=True, slots=True)
class Segment:
    """Some chunks of a xorb, in a row."""

    xorb: str
    size: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class ShardFile:
    """What a shard says of a file; its segments are read when they are needed."""

    hash: str
    sha256: str
    size: int
    at: int  # where in the shard its segments begin
    count: int


def _bad(what: str) -> Problem:
    return Problem(400, f"This is no shard: {what}")


def _record(shard: BinaryIO) -> tuple[bytes, int, int, int, int]:
    found = shard.read(RECORD.size)
    if len(found) < RECORD.size:
        raise _bad("it ends too early")
    hash_, one, two, three, four = RECORD.unpack(found)
    return hash_, one, two, three, four


def _segments(shard: BinaryIO, at: int, count: int) -> Iterator[Segment]:
    shard.seek(at)
    for _ in range(count):
        xorb, _flags, size, first, end = _record(shard)
        if size > max(0, end - first) * LARGEST_CHUNK:
            raise Problem(400, "The upload says another length than its chunks have")
        yield Segment(as_text(xorb), size, first, end)


def files_of(shard: BinaryIO) -> Iterator[ShardFile]:
    """Give the files of a shard; raises Problem for what is none."""
    tag, version, version_high, _, _ = _record(shard)
    if tag != TAG or (version, version_high) != (VERSION, 0):
        raise _bad("it doesn't begin like one")
    while True:
        hash_, flags, count, _, _ = _record(shard)
        if hash_ == LAST:
            return
        at = shard.tell()
        size = sum(segment.size for segment in _segments(shard, at, count))
        if flags & WITH_PROOFS:
            shard.seek(count * RECORD.size, os.SEEK_CUR)
        if not flags & WITH_SHA256:
            raise Problem(400, "The upload says no sha256 of a file")
        sha256 = as_text(_record(shard)[0])
        yield ShardFile(as_text(hash_), sha256, size, at, count)
        shard.seek(at + RECORD.size * (count * (2 if flags & WITH_PROOFS else 1) + 1))


def _rebuilt(shard: BinaryIO, file: ShardFile, xorbs: Path, incoming: Incoming) -> Received:
    """Return a file made of its chunks, a chunk at a time; raises Problem if it is another."""
    tree = Tree()
    for segment in _segments(shard, file.at, file.count):
        left = segment.size
        for content in chunks_of(xorbs / segment.xorb, segment.first, segment.end):
            left -= len(content)
            if left < 0:
                break
            tree.add(content)
            incoming.write(content)
        if left:
            raise Problem(400, "The upload says another length than its chunks have")
    received = incoming.done()
    if (received.sha256, tree.file_hash()) != (file.sha256, file.hash):
        raise Problem(400, "The upload's chunks are not what it says they are")
    return received


def _named(shard: BinaryIO, files: Iterable[ShardFile], xorbs: Path) -> int:
    """Return how many bytes the xorbs may have that a shard names, each counted once."""
    found: dict[str, int] = {}
    for file in files:
        for segment in _segments(shard, file.at, file.count):
            if segment.xorb not in found:
                found[segment.xorb] = most_content(xorbs / segment.xorb)
    return sum(found.values())


@contextlib.contextmanager
def rebuilt(
    objects: Objects, path: Path, xorbs: Path, largest: int
) -> Iterator[Sequence[tuple[ShardFile, Received]]]:
    """Give the files of a shard, made of a folder of xorbs; what was not kept goes at the end.

    Raises Problem where anything about it is wrong, or where it has more than `largest` bytes.
    """
    with contextlib.ExitStack() as stack, path.open("rb") as shard:
        files = {file.sha256: file for file in files_of(shard)}.values()
        size, most = sum(file.size for file in files), min(largest, objects.room())
        if ALWAYS < size <= most:
            most = min(most, max(ALWAYS, TIMES * _named(shard, files, xorbs)))
        if size > most:
            raise Problem(413, f"The upload is larger than the {most} bytes allowed here")
        made = []
        for file in files:
            incoming = stack.enter_context(objects.receive())
            made.append((file, _rebuilt(shard, file, xorbs, incoming)))
        yield made
