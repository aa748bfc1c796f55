"""Xet's formats, byte by byte: what its client sends, and what hostile ones might."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import hf_xet
import lz4.frame
import pytest

from hubtl.server.contents import Folder, Received
from hubtl.server.hub import TeamHub, open_hub
from hubtl.server.objects import Objects
from hubtl.server.problem import Problem
from hubtl.server.shards import RECORD, rebuilt
from hubtl.server.xet_hash import Tree
from hubtl.server.xorbs import HEADER, LARGEST_CHUNK, Shown, checked_xorb, chunks_of


class Sent(NamedTuple):
    """What hf_xet would send of one file, and what it says of that."""

    content: bytes
    xorb: Path
    shard: Path
    hash: str


def sent(folder: Path, content: bytes) -> Sent:
    """Return what hf_xet sends of a content of one xorb, by the store that it can write itself."""
    file = folder / "file.bin"
    file.write_bytes(content)
    store = folder / "cas"
    commit = hf_xet.XetSession().new_upload_commit(endpoint=f"local://{store}")
    with commit:
        commit.start_upload_file(str(file), sha256=hf_xet.COMPUTE_SHA256)
    (xorb,) = (path for path in store.glob("xet/xorbs/xorbs/default.*") if path.suffix != ".tagset")
    (shard,) = store.glob("xet/xorbs/shards/*.mdb")
    return Sent(content, xorb, shard, hf_xet.hash_files([str(file)])[0].hash)


def mixed(size: int, seed: int = 7) -> bytes:
    """Return bytes of which some can be packed well, some if grouped by four, and some can't."""
    chosen = random.Random(seed)
    numbers = struct.pack(f"<{size // 12}f", *(chosen.gauss(0, 1) for _ in range(size // 12)))
    text = b"what a lovely day it is\n" * (size // 72)
    return chosen.randbytes(size // 3) + numbers + text


def chunk(scheme: int, packed: bytes, size: int) -> bytes:
    lengths = len(packed).to_bytes(3, "little") + bytes([scheme]) + size.to_bytes(3, "little")
    return b"\0" + lengths + packed


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[TeamHub]:
    """A hub that does not answer."""
    opened = open_hub(tmp_path / "hub")
    yield opened
    opened.close()


def received(folder: Path, content: bytes) -> Path:
    """Return a file as a route has it."""
    path = folder / "received"
    path.write_bytes(content)
    return path


def test_each_way_to_pack_a_chunk_is_read(tmp_path: Path) -> None:
    lines = b"abcabcabc" * 100
    xorb = received(
        tmp_path,
        b"\x00\x03\x00\x00\x00\x03\x00\x00abc"
        + chunk(1, lz4.frame.compress(lines), 900)
        + chunk(2, lz4.frame.compress(b"aeibfcgdh"), 9)
        + b"XETBLOB and what a client has to say",
    )
    checked_xorb(xorb)
    assert list(chunks_of(xorb, 0, 3)) == [b"abc", lines, b"abcdefghi"]
    assert list(chunks_of(xorb, 2, 3)) == [b"abcdefghi"]


@pytest.mark.parametrize("content", [b"", b"abc", b"lovely\n" * 1000])
def test_a_small_files_hash_is_what_hf_xet_says(tmp_path: Path, content: bytes) -> None:
    tree = Tree()
    if content:
        tree.add(content)
    file = received(tmp_path, content)
    assert tree.file_hash() == hf_xet.hash_files([str(file)])[0].hash


def test_a_large_files_hashes_are_what_hf_xet_says(tmp_path: Path) -> None:
    told = sent(tmp_path, random.Random(3).randbytes(12_000_000))
    assert checked_xorb(told.xorb) == told.xorb.name.removeprefix("default.")
    count = struct.unpack("<I", told.xorb.read_bytes()[-4:])[0]
    tree, content = Tree(), bytearray()
    for each in chunks_of(told.xorb, 0, count):
        tree.add(each)
        content += each
    assert (count > 100, content, tree.file_hash()) == (True, told.content, told.hash)


@pytest.mark.parametrize(
    "xorb",
    [
        b"",
        b"XETBLOB",
        b"\0",
        b"\1" + chunk(0, b"abc", 3)[1:],
        chunk(0, b"", 0),
        chunk(0, b"abc", 4),
        chunk(0, b"abc", 3)[:-1],
        chunk(3, b"abc", 3),
        chunk(0, bytes(LARGEST_CHUNK + 1), LARGEST_CHUNK + 1),
        chunk(1, b"abc", 3),
        chunk(1, lz4.frame.compress(bytes(4000))[:-5], 4000),
        chunk(1, lz4.frame.compress(bytes(4000)) + b"more", 4000),
        chunk(1, lz4.frame.compress(bytes(50_000_000)), 1000),
        chunk(0, b"a", 1) * 8193,
        chunk(1, lz4.frame.compress(bytes(LARGEST_CHUNK)), LARGEST_CHUNK) * 513,
    ],
    ids=lambda xorb: xorb[:12].hex() or "empty",
)
def test_what_is_no_xorb_is_refused(tmp_path: Path, xorb: bytes) -> None:
    with pytest.raises(Problem) as told:
        checked_xorb(received(tmp_path, xorb))
    assert told.value.status == 400


def test_a_spoilt_xorb_is_refused_or_is_another(tmp_path: Path) -> None:
    told, chosen = sent(tmp_path, mixed(60_000)), random.Random(1)
    whole = told.xorb.read_bytes()
    end = whole.rindex(b"XETBLOB")
    for number in range(400):
        spoilt, at = bytearray(whole), chosen.randrange(end)
        if number % 4:
            spoilt[at] ^= 1 << chosen.randrange(8)
        else:
            del spoilt[at:]
        try:
            path = received(tmp_path, bytes(spoilt))
            hash_ = checked_xorb(path)
        except Problem as problem:
            assert problem.status == 400
        else:
            tree, count = Tree(), struct.unpack("<I", path.read_bytes()[-4:])[0]
            for each in chunks_of(path, 0, count):
                tree.add(each)
            assert tree.xorb_hash() == hash_


def placed(hub: TeamHub, told: Sent) -> Path:
    """Put a xorb where its sender's xorbs are, and return that folder."""
    folder = hub.xorbs / "1"
    folder.mkdir()
    told.xorb.rename(folder / checked_xorb(told.xorb))
    return folder


def test_a_shard_is_turned_into_its_files(tmp_path: Path, hub: TeamHub) -> None:
    told = sent(tmp_path, mixed(500_000))
    with rebuilt(hub.objects, told.shard, placed(hub, told), 1 << 30) as ((file, made),):
        sha256 = hashlib.sha256(told.content).hexdigest()
        assert (file.hash, file.sha256, made.sha256) == (told.hash, sha256, sha256)
        assert made.path.read_bytes() == told.content
    assert list(hub.objects.incoming.iterdir()) == []


def test_a_spoilt_shard_is_refused_or_makes_the_same_file(tmp_path: Path, hub: TeamHub) -> None:
    told, chosen = sent(tmp_path, mixed(60_000)), random.Random(2)
    xorbs, whole = placed(hub, told), told.shard.read_bytes()
    sha256 = hashlib.sha256(told.content).hexdigest()
    files = 6 * RECORD.size  # the rest tells of xorbs
    for number in range(500):
        spoilt, at = bytearray(whole), chosen.randrange(files)
        if number % 4:
            spoilt[at] ^= 1 << chosen.randrange(8)
        else:
            del spoilt[at:]
        shard = received(tmp_path, bytes(spoilt))
        try:
            with rebuilt(hub.objects, shard, xorbs, 1 << 40) as made:
                for file, one in made:
                    assert (file.hash, one.sha256) == (told.hash, sha256)
        except Problem as problem:
            assert problem.status == 400
    assert list(hub.objects.incoming.iterdir()) == []


def test_a_shard_larger_than_allowed_is_refused_before_it_is_made(
    tmp_path: Path, hub: TeamHub
) -> None:
    told = sent(tmp_path, mixed(60_000))
    with (
        pytest.raises(Problem) as problem,
        rebuilt(hub.objects, told.shard, tmp_path / "no-xorbs", 50_000),
    ):
        pass
    assert problem.value.status == 413


@pytest.mark.parametrize("size", [1, LARGEST_CHUNK, 130 * LARGEST_CHUNK + 5])
def test_any_part_of_a_file_can_be_read_as_chunks(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    name = hashlib.sha256(content).hexdigest()
    shown, store = Shown(name, size), Objects(tmp_path, Folder(tmp_path))
    store.contents.place([Received(received(tmp_path, content), name, size)])
    for start, end in ((0, size), (size - 1, size), (size // 3, size // 2 + 1)):
        plan = shown.plan(start, end, "url")
        made = bytearray()
        for term in plan["terms"]:
            (fetched,) = plan["fetch_info"][term["hash"]]
            within = fetched["url_range"]
            row = b"".join(shown.read(store, within["start"], within["end"] + 1))
            before, count = len(made), 0
            while row:
                length = int.from_bytes(row[5:8], "little")
                made += row[HEADER : HEADER + length]
                row, count = row[HEADER + length :], count + 1
            assert count == term["range"]["end"] - term["range"]["start"]
            assert len(made) - before == term["unpacked_length"]
        offset = plan["offset_into_first_range"]
        assert made[offset : offset + end - start] == content[start:end]
