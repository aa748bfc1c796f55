"""What strangers write neither breaks the index nor comes out where it can hurt."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubtl.registry.entry import Entry, Query
from hubtl.registry.index import construction
from hubtl.registry.index.cleaning import ABOUT, ALL_TAGS, ID, TAG, cleaned
from hubtl.registry.index.reading import Index
from hubtl.registry.index.rows import entry_of, row_of
from hubtl.registry.index.words import terms_of

TODAY = "2026-11-26"


def shown(told: object) -> Entry | None:
    row = cleaned(json.dumps(told), TODAY)
    return entry_of(row) if row else None


@pytest.mark.parametrize(
    "line",
    ["", "{", "null", "[]", "7", '"acme/x"', "{}", '{"id": 7}', '{"id": " \\u001b"}', "[" * 10**5],
)
def test_a_line_that_tells_of_no_model_is_none(line):
    assert cleaned(line, TODAY) is None


def test_fields_of_a_wrong_type_are_left_out():
    wrong = {
        "hub": 1, "kind": ["adapter"], "tasks": {"a": 1}, "domains": 7, "languages": [None, 1, []],
        "licence": [], "params": "many", "size_bytes": -1, "downloads": True, "base": {},
        "about": 3, "revision": 5, "metrics": [1], "intervals": {"f1": [1]}, "test_rows": 1.5,
        "date": 2026, "tags": [["x"]], "source": 9, "architecture": {}, "upon": 1, "tested_on": 2,
    }  # fmt: skip
    assert shown({"id": "acme/x", **wrong}) == Entry("acme/x")


def test_numbers_that_no_database_holds_are_left_out():
    told = '{"id": "a/b", "params": 1e400, "downloads": %s, "metrics": {"f1": NaN, "wer": 2}}'
    row = cleaned(told % ("9" * 400), TODAY)
    assert row and entry_of(row) == Entry("a/b", metrics={"wer": 2.0})


def test_control_characters_and_steering_of_terminals_and_of_writing_are_gone():
    told = {
        "id": "acme/\x1b[31mred\x07",
        "about": "<b>bold</b>\r\n\x1b]0;title\x07 \u202egnirts\u2028\x00\ud800end",
        "tags": ["\x1b[2J", "one\ntwo", "  ", "one\ntwo"],
    }
    assert shown(told) == Entry(
        "acme/ [31mred", about="<b>bold</b> ]0;title gnirts end", tags=("[2J", "one two")
    )


def test_what_is_too_long_is_cut():
    entry = shown({"id": "a/" + "x" * 10**6, "tags": ["t" * 200_000] * 3, "about": "y " * 10**6})
    assert (len(entry.id), len(entry.about)) == (ID, ABOUT)
    assert entry.tags == ("t" * TAG,)
    many = shown({"id": "a/b", "tags": [f"tag{number}" * 9 for number in range(10**5)]}).tags
    assert len("\n".join(many)) <= ALL_TAGS and all(tag[:3] == "tag" for tag in many)


def test_a_date_to_come_lifts_nobody():
    assert shown({"id": "a/b", "date": "2099-01-01"}) == Entry("a/b")
    assert shown({"id": "a/b", "date": "2026-11-26T23:59:59Z"}) == Entry("a/b", date=TODAY)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = [name for name in Entry.__slots__ if name not in ("id", "files", "package")]
tellings = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=40)}, optional=dict.fromkeys(FIELDS, anything)
)


@settings(max_examples=50, deadline=None)
@given(tellings)
def test_whatever_is_told_an_entry_can_be_shown_kept_and_found(told):
    row = cleaned(json.dumps(told), TODAY)
    if row is None:
        return
    entry = entry_of(row)
    assert row_of(entry) == row
    texts = [entry.id, entry.about, *entry.tags, *entry.tasks, entry.licence or "", *entry.metrics]
    assert all(text.isprintable() for text in texts)
    json.dumps(entry.as_json()).encode()
    assert terms_of(row).encode().count(b"\0") == 0


@settings(max_examples=8, deadline=None)
@given(st.lists(tellings, max_size=25))
def test_whatever_is_told_the_index_opens_and_finds_each_by_its_id(tmp_path_factory, tellings):
    folder = tmp_path_factory.mktemp("index")
    lines = "".join(f"{json.dumps(told)}\n" for told in tellings)
    (folder / "listing").write_text(lines + "{broken\n", "utf-8")
    rows = [row for line in lines.split("\n") if (row := cleaned(line, "2099"))]
    assert construction.build(folder, [folder / "listing"]) == len({(r.hub, r.id) for r in rows})
    with Index.at(folder) as index:
        for row in rows:
            found = index.search(Query(row.id, limit=99)).entries
            if row.id.strip().isascii() and " " not in row.id:
                assert row.id in [entry.id for entry in found]


def test_bytes_that_are_no_text_spoil_only_their_own_line(tmp_path):
    (tmp_path / "listing").write_bytes(b'{"id": "a/one"}\n\xff\xfe{"id"\n{"id": "a/t\xffwo"}\n')
    assert construction.build(tmp_path, [tmp_path / "listing"]) == 2
