"""Kin over the index: what was made from a model and how, offline, whatever its names are."""

from __future__ import annotations

import pytest

import hubtl
from hubtl.registry.entry import Entry
from hubtl.registry.index.reading import Index
from hubtl.registry.weights import entry_from_metadata

from .indexing import index_of

TASK, HUB = "text-classification", "http://127.0.0.1:9"
BERT = Entry("acme/bert", HUB, base="big/bert", relation="finetune", revision="b" * 40)


def made(name, base, relation="adapter", **more):
    kind = "adapter" if relation == "adapter" else "base"
    told = {"tasks": (TASK,), "base": base, "relation": relation, **more}
    return Entry(name, HUB, kind, tags=(f"base_model:{relation}:{base}",), **told)


KIN = [
    BERT,
    Entry("big/bert", HUB, revision="a" * 40, licence="mit"),
    made("acme/clauses", "acme/bert", metrics={"accuracy": 0.9}, downloads=1),
    made("acme/clauses-2", "acme/clauses", metrics={"accuracy": 0.95}),
    made("acme/clauses-2-merged", "acme/clauses-2", "merge"),
    made("any/bert-gguf", "acme/bert", "quantized", downloads=900),
    *(made(f"any/adapter-{n}", "acme/bert", downloads=n) for n in range(40)),
]


@pytest.fixture
def indexed(home):
    index_of(home / "index", KIN).__exit__(None, None, None)


def test_show_draws_the_tree_offline_with_how_each_was_made_and_its_result(indexed, hubtl_cli):
    said = hubtl_cli("show acme/bert", HF_ENDPOINT=HUB)
    lines = [line.rstrip() for line in said.out.splitlines()]
    start = next(n for n, line in enumerate(lines) if line.startswith("LINEAGE"))
    assert lines[start : start + 7] == [
        "LINEAGE                                    RESULT",
        "big/bert",
        "└─ acme/bert (fine-tune) at bbbbbbb",
        "   ├─ acme/clauses                         accuracy 0.900",
        "   │  └─ acme/clauses-2                    accuracy 0.950",
        "   │     └─ acme/clauses-2-merged (merge)",
        "   ├─ any/bert-gguf (quantized)",
    ]
    assert "and 22 more: `hubtl search --base acme/bert`" in lines
    assert "none of the hubs in use tells of it: this is what the index knows" in said.err


def test_the_same_as_json_and_an_adapter_has_what_it_stands_on(indexed, hubtl_cli):
    read = hubtl_cli("show acme/bert --json", HF_ENDPOINT=HUB).json
    assert (read["more_children"], read["from"], read["relation"]) == (22, "the index", "finetune")
    assert {each["id"]: each["relation"] for each in read["children"]}[
        "any/bert-gguf"
    ] == "quantized"
    above = {"id": "big/bert", "revision": None, "licence": "mit", "relation": "finetune"}
    assert read["ancestors"] == [above]
    family = hubtl.family(KIN[2], offline=True)
    assert family.lineage == ({"id": "acme/bert", "revision": None, "licence": None},)
    assert family.ancestors == (above,)


def test_search_finds_all_that_was_made_from_a_base_or_the_adapters_alone(indexed):
    assert len(hubtl.search(base="acme/bert", limit=100).entries) == 42
    adapters = hubtl.search(base="acme/bert", kind="adapter", limit=100).entries
    assert len(adapters) == 41 and "any/bert-gguf" not in [each.id for each in adapters]


def test_circles_and_hostile_names_neither_hang_nor_reach_the_terminal(home, hubtl_cli):
    hens = [
        made("acme/egg", "acme/hen"),
        made("acme/hen", "acme/egg"),
        made("acme/own", "acme/own"),
    ]
    evil = made("acme/e\x1b[2Jvil", "acme/egg")
    index_of(home / "index", [*hens, evil]).__exit__(None, None, None)
    said = hubtl_cli("show acme/egg", HF_ENDPOINT=HUB)
    assert said.code == 0 and "\x1b" not in said.out
    assert "├─ acme/hen" in said.out and "└─ acme/e [2Jvil" in said.out
    assert hubtl.family(hens[2], offline=True).children == ()


def test_a_crowd_of_kin_is_cut_short(home):
    crowd = [made(f"a/{n}", "a/root" if n < 30 else f"a/{(n - 30) // 7}") for n in range(300)]
    index_of(home / "index", [Entry("a/root", HUB), *crowd]).__exit__(None, None, None)
    family = hubtl.family(Entry("a/root", HUB), offline=True)
    assert (len(family.children), family.more) == (60, 10)


def test_the_index_counts_what_was_made_from_a_model(indexed, home):
    index = Index.at(home / "index")
    with index:
        assert index.count_made_from("ACME/Bert") == 42
        assert index.entries_called("any/bert-gguf")[0].relation == "quantized"


@pytest.mark.parametrize(
    ("told", "relation", "kind", "base"),
    [
        ({"base_model": "a/b", "base_model_relation": "quantized"}, "quantized", "base", "a/b"),
        ({"base_model": "a/b", "tags": ["base_model:adapter:a/b"]}, "adapter", "adapter", "a/b"),
        ({"tags": ["base_model:a/b", "base_model:finetune:a/b"]}, "finetune", "base", "a/b"),
        ({"base_model": ["a/b", "a/c"]}, "merge", "base", "a/b"),
        ({"base_model": "a/b", "base_model_relation": ["odd"]}, "finetune", "base", "a/b"),
        ({"base_model_relation": "merge", "tags": ["base_model:merge:"]}, None, "base", None),
    ],
)
def test_cards_and_tags_tell_how_a_model_was_made(told, relation, kind, base):
    entry = entry_from_metadata("a/x", "hf", told, {}, "")
    assert (entry.relation, entry.kind, entry.base) == (relation, kind, base)
