"""An index is whole at any moment: while it is built anew, and when its builder is killed."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from hubtl.registry.entry import Entry, Query
from hubtl.registry.errors import Refused, Unreachable
from hubtl.registry.index import construction, pieces
from hubtl.registry.index.folder import FORMAT, held, named, new_file
from hubtl.registry.index.pieces import made_from_listings
from hubtl.registry.index.reading import Index

from .indexing import index_of, listing


def models(build: int, count: int = 50) -> list[Entry]:
    """Return entries that all say which build they are of."""
    return [Entry(f"acme/model-{number}", tags=(f"build{build}",)) for number in range(count)]


def builds_seen(folder) -> set[str]:
    with Index.at(folder) as index:
        hits = index.search(Query("model", limit=50))
    assert len(hits.entries) == hits.searched == 50
    return {entry.tags[0] for entry in hits.entries}


def test_there_is_no_index_where_none_was_built(tmp_path):
    assert Index.at(tmp_path / "nowhere") is None


def test_a_reader_keeps_the_old_whole_and_the_next_one_has_the_new(tmp_path):
    with index_of(tmp_path, models(1)) as old:
        construction.build(tmp_path, [listing(tmp_path / "new.jsonl", models(2))])
        assert {entry.tags for entry in old.search(Query("model")).entries} == {("build1",)}
    assert builds_seen(tmp_path) == {"build2"}
    assert len(list(tmp_path.glob("*models-*.sqlite"))) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        f"PRAGMA user_version = {FORMAT + 1}",
        f"PRAGMA user_version = {FORMAT - 1}",
        "PRAGMA application_id = 1",
    ],
)
def test_an_index_of_another_format_is_not_read_but_built_anew(tmp_path, spoil):
    index_of(tmp_path, models(1)).__exit__(None, None, None)
    database = sqlite3.connect(named(tmp_path))
    database.execute(spoil)
    database.close()
    assert Index.at(tmp_path) is None
    index_of(tmp_path, models(2)).__exit__(None, None, None)
    assert builds_seen(tmp_path) == {"build2"}


@pytest.mark.parametrize(
    "pointer", ["", "models-no.sqlite", "../models-x.sqlite", "models-/x.sqlite", "\0", "x" * 9999]
)
def test_a_pointer_to_nothing_is_no_index(tmp_path, pointer):
    index_of(tmp_path, models(1)).__exit__(None, None, None)
    (tmp_path / "current").write_text(pointer, "utf-8")
    assert Index.at(tmp_path) is None


def test_a_file_that_is_no_database_is_no_index_and_a_spoilt_one_says_so(tmp_path):
    index_of(tmp_path, models(1)).__exit__(None, None, None)
    whole = named(tmp_path).read_bytes()
    named(tmp_path).write_bytes(b"nothing of the kind" * 1000)
    assert Index.at(tmp_path) is None
    named(tmp_path).write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with Index.at(tmp_path) as spoilt, pytest.raises(Unreachable) as told:
        spoilt.search(Query("model"))
    assert told.value.hint == "`hubtl sync --anew` builds it anew"


def test_a_build_that_fails_leaves_what_was_there(tmp_path):
    index_of(tmp_path, models(1)).__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), held(tmp_path), new_file(tmp_path) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    assert builds_seen(tmp_path) == {"build1"}
    assert not list(tmp_path.glob(".part-*"))


def test_two_do_not_build_at_once(tmp_path):
    with held(tmp_path), ThreadPoolExecutor() as other, pytest.raises(Refused):
        other.submit(held(tmp_path, patience=0.05).__enter__).result()


def test_workers_make_of_a_listing_what_one_process_makes(tmp_path, monkeypatch):
    told = listing(tmp_path / "listing.jsonl", models(1, 500))
    ((_, alone),) = made_from_listings([told], "2026-11-26")
    monkeypatch.setattr(pieces, "SMALL", 1)
    monkeypatch.setattr(pieces, "LENGTH", 20_000)
    several = list(made_from_listings([told, told], "2026-11-26"))
    assert len(several) > 10 and list(chain(*(kept for _, kept in several))) == alone * 2
    made = made_from_listings([told, told], "2026-11-26")
    assert next(made)
    told.unlink()
    with pytest.raises(Unreachable, match="a process of the build ended with"):
        list(made)


BUILD = """
import sys, pathlib
from hubtl.registry.index.construction import build
folder = pathlib.Path(sys.argv[1])
print("ready", flush=True)
while True:
    for name in ("one.jsonl", "two.jsonl"):
        build(folder, [folder / name])
"""


def building(folder) -> subprocess.Popen[bytes]:
    """Return a process that builds an index in turn out of two listings, again and again."""
    listing(folder / "one.jsonl", models(1)), listing(folder / "two.jsonl", models(2))
    construction.build(folder, [folder / "one.jsonl"])
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder)], stdout=subprocess.PIPE, cwd=sys.path[0] or None
    )
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_builder_that_is_killed_at_any_moment_leaves_a_whole_index(tmp_path):
    dice = random.Random(7)
    for _ in range(4):
        process = building(tmp_path)
        time.sleep(dice.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert builds_seen(tmp_path) in ({"build1"}, {"build2"})
    construction.build(tmp_path, [tmp_path / "two.jsonl"])
    assert builds_seen(tmp_path) == {"build2"}
    assert [*tmp_path.glob("models-*"), *tmp_path.glob(".part-*")] == [named(tmp_path)]


def test_many_read_while_one_builds_and_each_sees_one_whole_build(tmp_path):
    process, seen = building(tmp_path), list[set[str]]()
    try:
        with ThreadPoolExecutor(5) as readers:
            while set().union(*seen) != {"build1", "build2"}:
                seen += readers.map(builds_seen, [tmp_path] * 20)
    finally:
        process.kill()
        process.communicate()
    assert all(len(builds) == 1 for builds in seen)
