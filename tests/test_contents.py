"""Places of contents, a folder and a bucket, which do the same by the same verbs."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from hubtl.server.bucket import Bucket
from hubtl.server.contents import Contents, Folder, Received

from . import buckets

bucket = buckets.bucket


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["folder", "bucket"])
def contents(request: pytest.FixtureRequest, tmp_path: Path) -> Contents:
    if request.param == "folder":
        return Folder(tmp_path / "own")
    request.getfixturevalue("bucket")
    return Bucket("s3://hub/of/its/own", tmp_path / "own")


def received(tmp_path: Path, content: bytes) -> Received:
    (tmp_path / "in").write_bytes(content)
    return Received(tmp_path / "in", sha256(content), len(content))


@pytest.mark.parametrize("content", [b"", b"0123456789", os.urandom(40 << 20)], ids=len)
def test_a_content_is_had_whole_and_in_parts_wherever_it_lies(contents, tmp_path, content):
    name, file = sha256(content), received(tmp_path, content)
    assert not contents.has(name)
    contents.carry([file])
    contents.place([file])
    assert contents.has(name) and contents.size(name) == len(content)
    assert not file.path.exists()
    for start, end in ((0, None), (0, 5), (3, 7), (0, len(content)), (4, 4), (len(content), None)):
        if start <= len(content) and (start < len(content) or not start):
            with contents.open(name, start, end) as read:
                size = -1 if end is None else end - start
                assert read.read(size) == content[start:end]
    assert dict(contents.older(time.time() + 60)) == {name: len(content)}
    assert dict(contents.older(time.time() - 60)) == {}


def test_what_is_put_aside_comes_back_where_it_is_wanted_and_else_goes(contents, tmp_path):
    for wanted in (True, False):
        file = received(tmp_path, b"great")
        contents.carry([file])
        contents.place([file])
        contents.put_aside(file.sha256)
        assert list(contents.aside()) == [file.sha256]
        contents.settle(file.sha256, wanted)
        assert (contents.has(file.sha256), list(contents.aside())) == (wanted, [])
    with pytest.raises(FileNotFoundError), contents.open(file.sha256):
        pass
    with pytest.raises(FileNotFoundError):
        contents.size(file.sha256)


def test_what_is_removed_between_being_carried_and_placed_is_there_all_the_same(contents, tmp_path):
    file = received(tmp_path, b"great")
    contents.carry([file])
    contents.put_aside(file.sha256)
    contents.settle(file.sha256, False)
    contents.place([file])
    with contents.open(file.sha256) as read:
        assert read.read() == b"great"
