"""Xorbs: chunks in a row, as Xet clients send them, and as what is in the store looks to them.

A chunk is a header of eight bytes (version, packed length, scheme, length; the lengths have three
bytes) and what it packs. A xorb that came in is kept for a day, with an index of our own after its
chunks. None is kept for reading: a content of the store is shown as if it were one long row of
unpacked chunks, cut into parts so that a client holds no more than one of them at a time.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from blake3 import blake3
from lz4.frame import LZ4FrameDecompressor

from .objects import Objects
from .problem import Problem
from .xet_hash import Tree

KB, MB = 1 << 10, 1 << 20
LARGEST_CHUNK = 128 * KB
LARGEST_PACKED = 2 * LARGEST_CHUNK
LARGEST_XORB = 64 * MB  # of content
LARGEST_SENT = LARGEST_XORB + MB  # with the headers, and a client's own index
MOST_CHUNKS = 8 * KB
HEADER = 8
INDEX_BEGINS = b"XETBLOB"
PLAIN, LZ4, GROUPED = 0, 1, 2
NUMBER = struct.Struct("<I")

PART_CHUNKS = 128  # of a content as it is shown
STEP = HEADER + LARGEST_CHUNK


class Header(NamedTuple):
    """What stands before a chunk."""

    scheme: int
    packed: int
    size: int


def _bad(what: str) -> Problem:
    return Problem(400, f"This is no xorb: {what}")


def _header(file: BinaryIO) -> Header | None:
    """Return the next chunk's header, or None after the last."""
    found = file.read(HEADER)
    if not found or found.startswith(INDEX_BEGINS):
        return None
    if len(found) < HEADER:
        raise _bad("it ends within a header")
    header = Header(
        found[4], int.from_bytes(found[1:4], "little"), int.from_bytes(found[5:8], "little")
    )
    if found[0] != 0 or header.scheme not in (PLAIN, LZ4, GROUPED):
        raise _bad("a chunk of an unknown kind")
    if not 0 < header.size <= LARGEST_CHUNK or header.packed > LARGEST_PACKED:
        raise _bad("a chunk of an impossible length")
    return header


def _content(file: BinaryIO, header: Header) -> bytes:
    """Return what is in the chunk whose header was just read."""
    packed = file.read(header.packed)
    if len(packed) < header.packed:
        raise _bad("it ends within a chunk")
    content = packed if header.scheme == PLAIN else _expanded(packed, header.size)
    if len(content) != header.size:
        raise _bad("a chunk is not as long as it says")
    return _regrouped(content) if header.scheme == GROUPED else content


def _expanded(packed: bytes, size: int) -> bytes:
    """Return what an LZ4 frame packs, and never much more than it should."""
    decoder = LZ4FrameDecompressor()
    try:
        content: bytes = decoder.decompress(packed, size + 1)
    except RuntimeError as error:
        raise _bad("a chunk can't be unpacked") from error
    if not decoder.eof or decoder.unused_data:
        raise _bad("a chunk is not as long as it says")
    return content


def _regrouped(content: bytes) -> bytes:
    """Return bytes in their order again, which were sorted by their place within four."""
    whole, at = bytearray(len(content)), 0
    for place in range(4):
        end = at + len(whole[place::4])
        whole[place::4] = content[at:end]
        at = end
    return bytes(whole)


def checked_xorb(path: Path) -> str:
    """Return the hash of a received xorb, with an index put after its chunks; raises Problem."""
    tree, starts, at, total = Tree(), list[int](), 0, 0
    with path.open("r+b") as file:
        while header := _header(file):
            starts.append(at)
            tree.add(_content(file, header))
            total += header.size
            at += HEADER + header.packed
            if total > LARGEST_XORB or len(starts) > MOST_CHUNKS:
                raise _bad("it has too much in it")
        if not starts:
            raise _bad("it is empty")
        file.truncate(at)
        file.seek(at)
        file.write(struct.pack(f"<{len(starts) + 1}I", *starts, len(starts)))
        file.flush()
        os.fsync(file.fileno())
    return tree.xorb_hash()


def _opened(path: Path) -> tuple[BinaryIO, int]:
    """Return a checked xorb and how many chunks it has; raises Problem where it is not there."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise Problem(400, "The upload refers to a xorb that was not sent today") from error
    file.seek(-NUMBER.size, os.SEEK_END)
    return file, NUMBER.unpack(file.read(NUMBER.size))[0]


def most_content(path: Path) -> int:
    """Return how many bytes a checked xorb may unpack to, without unpacking it."""
    file, count = _opened(path)
    with file:
        return min(LARGEST_XORB, count * LARGEST_CHUNK)


def chunks_of(path: Path, first: int, end: int) -> Iterator[bytes]:
    """Give the contents of some chunks of a checked xorb; raises Problem where it has no such."""
    file, count = _opened(path)
    with file:
        if not first < end <= count:
            raise Problem(400, "The upload refers to chunks that a xorb does not have")
        file.seek(-NUMBER.size * (count + 1 - first), os.SEEK_END)
        (start,) = NUMBER.unpack(file.read(NUMBER.size))
        file.seek(start)
        for _ in range(first, end):
            header = _header(file)
            assert header is not None, "a checked xorb has its chunks"
            yield _content(file, header)


@dataclass(frozen=True, slots=True)
class Shown:
    """A content of the store as the row of chunks that Xet clients read."""

    sha256: str
    size: int

    @property
    def chunks(self) -> int:
        """How many chunks it has."""
        return -(-self.size // LARGEST_CHUNK)

    @property
    def length(self) -> int:
        """How many bytes the row has, headers included."""
        return self.size + HEADER * self.chunks

    def plan(self, start: int, end: int, url: str) -> dict[str, Any]:
        """Return where the bytes from `start` to before `end` of the content are to be had."""
        at, last = start // LARGEST_CHUNK, -(-end // LARGEST_CHUNK)
        terms, fetched = [], {}
        while at < last:
            part = at // PART_CHUNKS
            stop = min(last, (part + 1) * PART_CHUNKS)
            name = blake3(f"{self.sha256} {part}".encode()).hexdigest()
            chosen = {"start": at - part * PART_CHUNKS, "end": stop - part * PART_CHUNKS}
            size = min(stop * LARGEST_CHUNK, self.size) - at * LARGEST_CHUNK
            within = {"start": at * STEP, "end": min(stop * STEP, self.length) - 1}
            terms.append({"hash": name, "unpacked_length": size, "range": chosen})
            fetched[name] = [{"range": chosen, "url": url, "url_range": within}]
            at = stop
        offset = start % LARGEST_CHUNK
        return {"offset_into_first_range": offset, "terms": terms, "fetch_info": fetched}

    def read(self, store: Objects, start: int, end: int) -> Generator[bytes, None, None]:
        """Give the bytes from `start` to before `end` of the row, a chunk at a time."""
        first, last = start // STEP, -(-end // STEP)
        until = min(last * LARGEST_CHUNK, self.size)
        with store.open(self.sha256, first * LARGEST_CHUNK, until) as file:
            for number in range(first, last):
                content = file.read(LARGEST_CHUNK)
                length = len(content).to_bytes(3, "little")
                chunk = b"\0" + length + bytes([PLAIN]) + length + content
                yield chunk[max(0, start - number * STEP) : end - number * STEP]
