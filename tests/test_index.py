"""The index finds what looking at every entry finds, in the same order, and says what it took."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubtl.registry.entry import Counted, Entry, Query
from hubtl.registry.filters import filters, reasons
from hubtl.registry.index.spelling import mistakes
from hubtl.registry.index.words import words_of
from hubtl.registry.search import find

from .indexing import LICENCES, MEMORY, index_of, last_of_each, scanned

LEGAL = Entry("acme/legal-bert", tasks=("text-classification",), domains=("legal",), downloads=900)
BERT = Entry("google/bert", tasks=("fill-mask",), downloads=60_000_000, licence="mit", params=10**8)
TINY = Entry("acme/tiny", tags=("bert",), downloads=70_000_000, params=10**6)
SPOKEN = Entry("acme/whisper", tasks=("automatic-speech-recognition",), downloads=5)
ADAPTER = Entry("ana/court-rulings", kind="adapter", base="google/bert", about="rulings, by BERT")
RESULTS = Entry(
    "bo/measured",
    hub="folder:/mnt/models",
    kind="adapter",
    upon="ana/court-rulings",
    revision="0123456789abcdef0123456789abcdef01234567",
    metrics={"accuracy": 0.9},
    intervals={"accuracy": (0.8, 0.95)},
    tested_on="0123456789ab",
    test_rows=120,
    architecture="BertModel",
    source=("a paper",),
    date="2026-01-02",
    about="Größe über alles",
)
ALL = (LEGAL, BERT, TINY, SPOKEN, ADAPTER, RESULTS)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with index_of(tmp_path_factory.mktemp("index"), ALL) as index:
        yield index


def ids(index, words="", **filters):
    hits = index.search(Query(words, **filters), LICENCES, memory_bytes=MEMORY)
    return [entry.id for entry in hits.entries]


def test_entries_come_back_as_they_were_told(index):
    assert index.search(Query("measured")).entries == (RESULTS,)
    assert index.search(Query()).searched == len(ALL)


def test_an_exact_id_comes_first_whatever_its_case(index):
    assert ids(index, "Acme/Tiny")[0] == "acme/tiny"
    assert ids(index, "acme/tiny", organisation="google") == []


def test_a_name_counts_for_more_than_a_tag_and_a_tag_for_more_than_the_text(index):
    assert ids(index, "bert") == [
        "google/bert",
        "acme/tiny",
        "acme/legal-bert",
        "ana/court-rulings",
    ]


def test_all_words_must_be_found_whatever_their_case_and_accents(index):
    assert ids(index, "GROSSE uber") == ["bo/measured"]
    assert ids(index, "legal whisper") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [("asr", ["acme/whisper"]), ("sentiment", ["acme/legal-bert"]), ("law", ["acme/legal-bert"])],
)
def test_what_people_call_a_task_or_a_domain_finds_it(index, words, found):
    assert ids(index, words) == found


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("whispr", ("whisper",)),
        ("wihsper", ("whisper",)),
        ("whizpr", ("whisper",)),
        ("rul*", ("rulings",)),
        ("whisp", ("whisper",)),
    ],
)
def test_a_word_that_nobody_uses_is_taken_for_one_that_is_near(index, said, meant):
    assert index.search(Query(said)).meant == {said: meant}


def test_a_word_that_is_near_to_none_finds_nothing_and_is_left_as_it_is(index):
    hits = index.search(Query("zebra"))
    assert (hits.entries, hits.meant) == ((), {})


def test_filters_go_together(index):
    assert ids(index, base="google/bert") == ["ana/court-rulings"]
    assert ids(index, "bert", organisation="acme", max_params=10**7) == ["acme/tiny"]
    assert ids(index, allows="commercial") == ["google/bert"]
    assert ids(index, kind="adapter", base="ana/court-rulings") == ["bo/measured"]
    assert ids(index, "bert", task="nothing like it") == []


def test_fits_leaves_out_what_memory_can_not_train_and_keeps_what_may_fit(index):
    def found(memory):
        return [entry.id for entry in index.search(Query(fits=True), memory_bytes=memory).entries]

    assert found(10**10) == ids(index)
    assert set(ids(index)) - set(found(10**9)) == {"google/bert"}
    assert set(ids(index)) - set(found(1)) == {"google/bert", "acme/tiny"}


@pytest.mark.parametrize(
    "words", ['"', "a AND", "NEAR(", "*", "-", "a:b", "\ud800", "\0", "x" * 9999]
)
def test_words_are_never_read_as_a_language_of_queries(index, words):
    assert index.search(Query(words)).searched == len(ALL)


def test_mistakes_are_counted_as_a_person_counts_them():
    pairs = [("bert", "bert"), ("bert", "bret"), ("bert", "brt"), ("bert", "albert"), ("ab", "xyz")]
    assert [mistakes(one, other, 2) for one, other in pairs] == [0, 1, 1, 2, 3]


@given(st.text(st.characters(max_codepoint=127), max_size=90))
def test_words_of_plain_text_are_runs_of_its_letters_and_digits(text):
    assert words_of(text) == [word[:40] for word in re.findall("[a-z0-9]+", text.lower())]


WORDS = ("bert", "legal", "tiny", "law", "sentiment", "beta", "x9", "größe")
some = st.sampled_from(WORDS)
few = st.lists(some, max_size=2, unique=True).map(tuple)
entries = st.builds(
    Entry,
    id=st.builds("{}/{}-{}".format, some, some, some) | st.builds("{}/{}".format, some, some),
    hub=st.sampled_from(["hf", "hf", "starter"]),
    kind=st.sampled_from(["base", "adapter"]),
    tasks=st.sampled_from([(), ("text-classification",), ("fill-mask",)]),
    domains=st.sampled_from([(), ("legal",)]),
    languages=few,
    licence=st.sampled_from([None, "mit", "cc-by-nc-4.0"]),
    params=st.none() | st.integers(1, 10**7),
    downloads=st.none() | st.integers(0, 10**4),
    trust=st.sampled_from([(), ("safetensors",), ("pickle",), ("other", "code"), ("gated",)]),
    base=st.none() | some,
    upon=st.none() | some,
    tags=few | st.just(("base_model:adapter:bert", "license:mit", "dataset:law/beta")),
    about=st.lists(some, max_size=3).map(" ".join),
    date=st.sampled_from([None, "2019-05-05", "2025-01-31"]),
    source=st.sampled_from([(), ("read",)]),
)  # fmt: skip
queries = st.builds(
    Query,
    words=st.lists(some | st.sampled_from(["be*", "l*", "gr*"]), max_size=3).map(" ".join)
    | st.sampled_from(["bert/legal", "legal"]),
    task=st.none() | st.just("text-classification"),
    domain=st.none() | st.just("legal"),
    language=st.none() | some,
    licence=st.none() | st.just("mit"),
    allows=st.none() | st.sampled_from(["commercial", "derivatives"]),
    max_params=st.none() | st.integers(1, 10**7),
    fits=st.booleans(),
    recipe=st.sampled_from(["probe", "full", "a plugin's"]),
    trusted=st.booleans(),
    kind=st.sampled_from([None, "base", "adapter"]),
    base=st.none() | some,
    organisation=st.none() | some,
    limit=st.integers(1, 5),
)


def counted(index, query, **how):
    found = index.counted(query, LICENCES, memory_bytes=MEMORY, **how)
    return Counted(reasons(found.by_filter, filters(query, LICENCES, MEMORY)), found.first)


@settings(max_examples=25, deadline=None)
@given(st.lists(entries, max_size=40), st.lists(queries, min_size=8, max_size=8))
def test_the_index_finds_and_counts_what_looking_at_every_entry_does(listed, asked):
    known = last_of_each(listed)
    with tempfile.TemporaryDirectory() as room, index_of(Path(room), listed) as index:
        assert index.search(Query()).searched == len(known)
        for query in asked:
            assert ids(index, **{name: getattr(query, name) for name in query.__slots__}) == (
                scanned(listed, query)
            )
            slowly = find(known, query, LICENCES, date="", memory_bytes=MEMORY)
            assert counted(index, query) == counted(index, query, few=0) == slowly.counted


def test_of_many_that_the_words_find_the_first_are_counted(index):
    query = Query(task="text-classification", allows="commercial")
    assert (
        counted(index, query, most=2, few=0)
        == counted(index, query, most=2)
        == Counted({"not for text-classification": 2}, 2)
    )
    assert counted(index, query, without=["acme/tiny"]) == Counted(
        {"licence not known to allow commercial use": 1, "not for text-classification": 4}
    )
