"""`search` finds what the words and filters ask for, and says why it leaves out the rest."""

from __future__ import annotations

import pytest

import hubtl
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry, Query
from hubtl.registry.licences import Licence
from hubtl.registry.search import find
from hubtl.registry.trust import trust_told
from hubtl.sources import first_base

MIT = Licence("mit", "MIT", True, True, False, True, "")
NC = Licence("cc-by-nc-4.0", "CC BY-NC", False, True, False, True, "")
LICENCES = {"mit": MIT, "cc-by-nc-4.0": NC}
LEGAL = Entry("acme/legal-bert", tasks=("text-classification",), domains=("legal",), licence="mit")
BIRDS = Entry("acme/birds", tasks=("image-classification",), licence="cc-by-nc-4.0", params=10**7)
BERT = Entry("acme/bert", tasks=("text-classification",), licence="mit", params=10**8)


def ids(found):
    return [entry.id for entry in found.entries]


def look(**query):
    return find([LEGAL, BIRDS, BERT], Query(**query), LICENCES, date="2026-01-01")


def test_an_exact_id_comes_first():
    assert ids(look(words="acme/bert")) == ["acme/bert", "acme/legal-bert"]


def test_a_word_matches_name_domain_and_task():
    assert ids(look(words="legal")) == ["acme/legal-bert"]
    assert ids(look(words="photo")) == ["acme/birds"]


def test_all_words_must_match():
    assert ids(look(words="legal birds")) == []


def test_each_filter_says_why_it_left_a_model_out():
    found = look(task="text-classification", allows="commercial", max_params=10**8)
    assert ids(found) == ["acme/bert"]
    assert [(left.id, left.why) for left in found.left_out] == [
        ("acme/legal-bert", "parameters unknown"),
        ("acme/birds", "not for text-classification"),
    ]


def test_a_licence_that_forbids_a_use_is_left_out():
    found = look(words="birds", allows="commercial")
    assert [left.why for left in found.left_out] == [
        "licence cc-by-nc-4.0 is not known to allow commercial"
    ]


def test_fits_leaves_out_what_the_memory_can_not_train():
    found = find([BERT, LEGAL], Query(fits=True), LICENCES, date="", memory_bytes=10**9)
    assert [(left.id, left.why) for left in found.left_out] == [
        ("acme/bert", "too large: `probe` takes about 1.1 GB of memory")
    ]
    assert (ids(found), found.marks) == (
        ["acme/legal-bert"],
        {"acme/legal-bert": ("not known to fit",)},
    )


def test_what_is_never_loaded_is_left_out_and_counted():
    trusts = {"a/x": ("pickle",), "b/x": ("safetensors", "code"), "c/x": ("safetensors", "gated")}
    entries = [Entry(name, trust=trust) for name, trust in trusts.items()]
    found = find([*entries, Entry("d/x", trust=("pickle",)), Entry("e/x")], Query("x"), {}, date="")
    assert ids(found) == ["c/x", "e/x"]
    assert found.counted.reasons == {"only as a pickle": 2, "needs code of its own": 1}
    assert found.marks == {"c/x": ("gated: its terms must be accepted first",)}


def test_trusted_leaves_out_what_is_gated_and_what_nobody_knows():
    entries = [Entry("a/x", trust=("safetensors",)), Entry("b/x"), Entry("c/x", trust=("gated",))]
    found = find(entries, Query("x", trusted=True), {}, date="")
    assert ids(found) == ["a/x"]
    assert found.counted.reasons == {"not known to have safetensors": 2}


@pytest.mark.parametrize(
    ("tags", "files", "trust"),
    [
        (["safetensors", "pytorch", "custom_code"], [], ("safetensors", "code")),
        (["pytorch"], [], ("pickle",)),
        (["gguf"], [], ("other",)),
        (["transformers"], [], ()),
        (["safetensors"], ["config.json", "pytorch_model.bin"], ("pickle",)),
    ],
)
def test_trust_is_told_by_tags_where_files_are_not_known(tags, files, trust):
    assert trust_told(tags, files) == trust


def test_the_command_counts_what_it_left_out(hubtl_cli):
    said = hubtl_cli("search efficientnet --max-params 1")
    assert said.out == "nothing fits\n"
    first, *_, counts, searched = said.err.splitlines()
    assert first == "left out: starter/efficientnet-lite0, 4,678,904 parameters"
    assert counts == "left out: 3 too large; ids by --json"
    assert searched.startswith("searched ")


def test_those_nearest_to_what_is_asked_are_told_first():
    found = look(task="text-classification", max_params=10)
    assert [left.id for left in found.left_out] == ["acme/bert", "acme/legal-bert", "acme/birds"]
    assert found.as_json()["left_out_by_reason"] == {
        "too large": 1, "parameters unknown": 1, "not for text-classification": 1
    }  # fmt: skip


def test_a_recipe_that_nobody_knows_is_told(hubtl_cli):
    assert hubtl_cli("search --fits --recipe lorra").err.startswith(
        "error: `lorra` is not a recipe that hubtl knows\n\nhint: did you mean `lora`?"
    )


def test_the_catalogue_is_searched_without_a_network_and_dated():
    found = hubtl.search("english sentence encoder", task="text-classification")
    assert found.entries[0].id == "sentence-transformers/all-MiniLM-L6-v2"
    assert found.searched >= 21 and found.date.startswith("20")


def test_json_has_the_keys_that_are_promised(hubtl_cli):
    said = hubtl_cli("search bert --json")
    assert set(said.json) >= {"entries", "left_out"}
    keys = "id kind tasks domains languages licence params size_bytes hub revision downloads base"
    assert set(said.json["entries"][0]) >= {*keys.split(), "metrics"}


def test_a_misspelt_domain_is_told(hubtl_cli):
    said = hubtl_cli("search --domain leagl")
    assert said.err == (
        "error: `leagl` is not a domain of the catalogue\n\n"
        "hint: did you mean `legal`? see `hubtl catalog --domains`\n"
    )
    assert (said.code, said.out) == (1, "")


def test_a_hub_that_is_not_there_is_told(hubtl_cli):
    assert hubtl_cli("search --hub foldr").err == (
        "error: `foldr` is not a hub that hubtl knows\n\nhint: did you mean `folder`? "
        "see `hubtl plugins`\n"
    )


@pytest.mark.parametrize("name", ["text", "vision", "speech"])
def test_what_a_demo_searches_for_is_first_the_base_that_it_adapts(name):
    demo = plugins().demo(name)
    first, *_ = hubtl.search(demo.words, task=demo.task, language=demo.language or None).entries
    assert first.id == first_base(plugins().task(demo.task))[0]
