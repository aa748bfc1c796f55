"""A few changes leave an index as building it anew would, or do not happen at all."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubtl.registry.entry import Entry, Query
from hubtl.registry.errors import Refused, UnknownName
from hubtl.registry.index.changing import change
from hubtl.registry.index.folder import named
from hubtl.registry.index.ranking import DOCS
from hubtl.registry.index.reading import Index

from .indexing import LICENCES, MEMORY, counted, index_of, last_of_each, scanned
from .test_index import entries, queries

TEN = [Entry(f"acme/model-{number}", downloads=number, tags=("old",)) for number in range(10)]


def changed(folder, entries, gone=()):
    return change(folder, [json.dumps(asdict(entry)) for entry in entries], gone)


def ids(folder, **asked):
    with Index.at(folder) as index:
        return [
            entry.id
            for entry in index.search(Query(**asked), LICENCES, memory_bytes=MEMORY).entries
        ]


def test_what_is_told_anew_takes_the_place_of_the_old_and_what_is_gone_is_not_found(tmp_path):
    index_of(tmp_path, TEN).__exit__(None, None, None)
    risen = replace(TEN[3], downloads=10**6, tags=("new",))
    left = changed(tmp_path, [risen, Entry("bo/other")], gone=[("hf", "acme/model-9")])
    assert left == 10
    assert ids(tmp_path, words="model", limit=3) == ["acme/model-3", "acme/model-8", "acme/model-7"]
    assert ids(tmp_path, words="new") == ["acme/model-3"]
    assert ids(tmp_path, words="acme/model-9") == ids(tmp_path, words="nobody") == []
    assert ids(tmp_path, words="other") == ["bo/other"]


def test_a_model_of_one_hub_stays_when_its_namesake_on_another_goes(tmp_path):
    index_of(tmp_path, [TEN[0], replace(TEN[0], hub="starter")]).__exit__(None, None, None)
    assert changed(tmp_path, [], gone=[("hf", "acme/model-0"), ("hf", "never/there")]) == 1
    with Index.at(tmp_path) as index:
        assert [entry.hub for entry in index.search(Query()).entries] == ["starter"]


def test_of_a_model_that_is_told_twice_in_one_change_the_last_counts_and_comes_last(tmp_path):
    index_of(tmp_path, []).__exit__(None, None, None)
    one, other = Entry("acme/one", "hf", tags=("old",)), Entry("acme/other", "hf", tags=("old",))
    changed(tmp_path, [one, other, replace(one, tags=("new",))])
    assert ids(tmp_path) == ["acme/other", "acme/one"]
    assert ids(tmp_path, words="old") == ["acme/other"]


def test_a_reader_goes_on_with_what_it_has_open_and_sees_the_change_next(tmp_path):
    with index_of(tmp_path, TEN) as index:
        changed(tmp_path, [replace(entry, tags=("new",)) for entry in TEN])
        assert [len(index.search(Query(word)).entries) for word in ("old", "new")] == [0, 10]


def test_without_an_index_there_is_nothing_to_change(tmp_path):
    with pytest.raises(UnknownName) as told:
        changed(tmp_path, TEN)
    assert told.value.hint == "`hubtl sync` builds it"


def test_when_numbers_are_used_up_it_says_so_and_changes_nothing(tmp_path):
    index_of(tmp_path, TEN).__exit__(None, None, None)
    with sqlite3.connect(named(tmp_path)) as database:
        database.execute("UPDATE fact SET value = ? WHERE name = 'last'", ((1 << DOCS) - 5,))
    database.close()
    with pytest.raises(Refused):
        changed(tmp_path, [replace(entry, tags=("new",)) for entry in TEN])
    assert len(ids(tmp_path, words="old")) == 10


@settings(max_examples=15, deadline=None)
@given(
    st.lists(entries, max_size=20),
    st.lists(st.tuples(st.lists(entries, max_size=8), st.lists(st.integers(0, 20))), max_size=3),
    st.lists(queries, min_size=6, max_size=6),
)
def test_a_changed_index_finds_what_looking_at_every_entry_finds(first, rounds, asked):
    with tempfile.TemporaryDirectory() as room:
        folder, now = Path(room), last_of_each(first)
        index_of(folder, first).__exit__(None, None, None)
        for told, places in rounds:
            gone = {(now[at].hub, now[at].id) for at in places if at < len(now)}
            now = [entry for entry in now if (entry.hub, entry.id) not in gone]
            new = [entry for entry in last_of_each(told) if entry not in now]  # or it stays there
            now = last_of_each([*now, *new])
            assert changed(folder, told, gone) == len(now)
        for query in asked:
            assert ids(folder, **{name: getattr(query, name) for name in query.__slots__}) == (
                scanned(now, query)
            )
        with sqlite3.connect(named(folder)) as database:
            assert dict(database.execute("SELECT * FROM word")) == counted(now)
            database.execute("INSERT INTO found(found) VALUES ('integrity-check')")
        database.close()


CHANGE = """
import json, sys, pathlib
from hubtl.registry.index.changing import change
folder, number = pathlib.Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
while True:
    number += 1
    told = [{"id": f"acme/model-{n}", "tags": [f"round{number}"]} for n in range(10)]
    change(folder, map(json.dumps, told))
"""


def changing(folder, number) -> subprocess.Popen[bytes]:
    """Return a process that changes all ten entries of an index together, again and again."""
    command = [sys.executable, "-c", CHANGE, str(folder), str(number)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def round_seen(folder) -> int:
    with Index.at(folder) as index:
        found = index.search(Query("model", limit=50)).entries
    tags = {entry.tags for entry in found}
    assert (len(found), len(tags)) == (10, 1)
    return int(tags.pop()[0].removeprefix("round").replace("old", "0"))


def test_whoever_changes_it_may_be_killed_at_any_moment(tmp_path):
    index_of(tmp_path, TEN).__exit__(None, None, None)
    dice, seen = random.Random(5), [0]
    for _ in range(4):
        process = changing(tmp_path, seen[-1])
        time.sleep(dice.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        seen.append(round_seen(tmp_path))
    assert seen == sorted(seen) and seen[-1] > 4


def test_many_read_while_one_changes_and_none_sees_half_a_change(tmp_path):
    index_of(tmp_path, TEN).__exit__(None, None, None)
    process, seen = changing(tmp_path, 0), [0]
    try:
        with ThreadPoolExecutor(5) as readers:
            while seen[-1] < 5:
                seen += readers.map(round_seen, [tmp_path] * 20)
    finally:
        process.kill()
        process.communicate()
    assert len(seen) > 20
