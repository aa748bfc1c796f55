"""`search` answers from the catalogue and the index as one, where an index was built."""

from __future__ import annotations

import pytest

import hubtl
from hubtl.registry.catalog import catalogue
from hubtl.registry.entry import Entry, Query
from hubtl.registry.index.answering import answered
from hubtl.registry.search import find

from .conftest import MINILM
from .indexing import index_of

KNOWN = len(catalogue().entries)
TUNED = Entry("acme/legal-minilm", kind="adapter", base=MINILM, domains=("legal",), downloads=10**8)
THEIRS = Entry(MINILM, tags=("nothing",), licence="other", downloads=10**9, date="2021-05-01")
NC = Entry("acme/legal-large", licence="cc-by-nc-4.0", downloads=3, date="2026-01-01")


@pytest.fixture
def indexed(home):
    index_of(home / "index", [TUNED, THEIRS, NC]).__exit__(None, None, None)


def ids(found):
    return [entry.id for entry in found.entries]


def test_without_an_index_the_catalogue_answers_as_before():
    found = hubtl.search("minilm")
    assert (found.searched, found.where) == (KNOWN, f"the catalogue of {found.date}")


def test_models_of_the_index_and_of_the_catalogue_come_in_one_order(indexed):
    found = hubtl.search("minilm")
    assert ids(found)[:2] == [MINILM, "acme/legal-minilm"]
    assert found.searched == KNOWN + 2
    assert found.where.endswith(f" and the index of {found.date}")


def test_of_a_model_that_both_know_the_catalogue_counts_with_downloads_of_the_index(indexed):
    (found,) = (entry for entry in hubtl.search(MINILM).entries if entry.id == MINILM)
    assert found.licence == catalogue().entry(MINILM).licence
    assert found.downloads == 10**9


def test_filters_leave_out_models_of_the_index_and_say_why(indexed):
    found = hubtl.search("legal large", allows="commercial")
    assert ids(found) == []
    assert [(left.id, left.why) for left in found.left_out] == [
        ("acme/legal-large", "licence cc-by-nc-4.0 is not known to allow commercial")
    ]
    assert ids(hubtl.search(kind="adapter", base=MINILM)) == ["acme/legal-minilm"]


def test_with_an_index_and_without_the_same_is_found_and_counted(tmp_path):
    known = list(catalogue().entries)
    asked = {"memory_bytes": 10**9, "date": ""}
    licences = catalogue().licences
    with index_of(tmp_path, known) as index:
        for query in (Query("legl"), Query("asr", allows="commercial"), Query("b*", fits=True)):
            plainly = find(known, query, licences, **asked)
            found = answered(index, [], query, licences, memory_bytes=10**9)
            assert ids(found) == ids(plainly)
            assert (found.meant, found.counted) == (plainly.meant, plainly.counted)
            both = answered(index, known, query, licences, memory_bytes=10**9)
            assert (ids(both), both.counted) == (ids(plainly), plainly.counted)


def test_a_limit_is_kept_however_much_both_have(indexed):
    assert len(hubtl.search(limit=5).entries) == 5
    assert len(hubtl.search(limit=10**4).entries) == KNOWN + 2


def test_the_command_says_what_it_took_a_misspelt_word_for(indexed, hubtl_cli):
    said = hubtl_cli("search minlim --kind adapter")
    assert "acme/legal-minilm" in said.out
    assert "`minlim` was taken for minilm" in said.err
    assert f"searched {KNOWN + 2} entries of the catalogue of" in said.err
    assert hubtl_cli("search minlim --json").json["meant"] == {"minlim": ["minilm"]}


def test_a_spoilt_index_is_told_and_another_format_is_no_index(indexed, home, hubtl_cli):
    (file,) = (home / "index").glob("models-*")
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    said = hubtl_cli("search minilm")
    assert said.code == 1 and said.err.startswith("error: the index can't be read")
    file.write_bytes(whole[:60] + b"\0\0\0\x63" + whole[64:])
    assert hubtl_cli("search minilm").code == 0
