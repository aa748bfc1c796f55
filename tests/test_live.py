"""`search --hub` asks a hub itself, and finds and leaves out what a search of the index does."""

from __future__ import annotations

import json
import shutil

import pytest

import hubtl
from hubtl.registry.places import index

from .serving import TeamHubServer
from .test_hub_listing import weights
from .test_sync import lister  # noqa: F401

CARD = """---
license: {licence}
language: {language}
pipeline_tag: {task}
tags: [domain:{domain}]
---
"""
MODELS = (
    ("acme/base", "apache-2.0", "en", "fill-mask", "general", 5),
    ("acme/legal-topics", "mit", "en", "text-classification", "legal", 5),
    ("acme/moods", "cc-by-nc-4.0", "de", "text-classification", "general", 50),
    ("zoo/birds", "mit", "en", "image-classification", "general", None),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A hub with four models, one of them an adapter, and its listing."""
    with TeamHubServer(tmp_path_factory.mktemp("live")) as server:
        for name, licence, language, task, domain, columns in MODELS:
            api = server.api("zoe" if name.startswith("zoo") else "ana")
            api.create_repo(name)
            card = CARD.format(licence=licence, language=language, task=task, domain=domain)
            files = {"README.md": card.encode()}
            if columns:
                files["model.safetensors"] = weights(3, columns)
            if domain == "legal":
                made = {"base_model_name_or_path": "acme/base", "peft_type": "LORA"}
                files["adapter_config.json"] = json.dumps(made).encode()
            for path, content in files.items():
                api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=name)
        yield server


@pytest.fixture
def hub(store, home, tmp_path_factory):
    """The hub, with its listing in the index."""
    kept = tmp_path_factory.getbasetemp() / "live-index"
    if kept.exists():
        shutil.copytree(kept, index())
    else:
        hubtl.sync(hub=store.url)
        shutil.copytree(index(), kept)
    return store.url


def told(words, asked, hub=None):
    """Return what is found, and why the rest was left out, of the models of the hub."""
    found = hubtl.search(words, hub=hub, limit=50, **asked)
    names = {name for name, *_ in MODELS}
    left = {each.id: each.why for each in found.left_out if each.id in names}
    return {entry.id for entry in found.entries} & names, left


@pytest.mark.parametrize(
    ("words", "asked", "found"),
    [
        ("", {}, {"base", "legal-topics", "moods", "birds"}),
        ("legal", {}, {"legal-topics"}),
        ("acme legal", {}, {"legal-topics"}),
        ("sentiment", {}, {"legal-topics", "moods"}),
        ("sentiment acme", {}, {"legal-topics", "moods"}),
        ("mit", {}, {"legal-topics", "birds"}),
        ("de", {}, {"moods"}),
        ("fill-mask", {}, {"base"}),
        ("nobody", {}, set()),
        ("", {"task": "text-classification"}, {"legal-topics", "moods"}),
        ("", {"domain": "legal"}, {"legal-topics"}),
        ("", {"language": "de"}, {"moods"}),
        ("", {"licence": "mit"}, {"legal-topics", "birds"}),
        ("", {"allows": "commercial"}, {"base", "legal-topics", "birds"}),
        ("", {"max_params": 20}, {"base", "legal-topics"}),
        ("", {"max_params": 150}, {"base", "legal-topics", "moods"}),
        ("", {"fits": True}, {"base", "legal-topics", "moods"}),
        ("", {"kind": "adapter"}, {"legal-topics"}),
        ("", {"kind": "base"}, {"base", "moods", "birds"}),
        ("", {"base": "acme/base"}, {"legal-topics"}),
        ("", {"organisation": "zoo"}, {"birds"}),
        ("sentiment", {"allows": "commercial", "language": "en"}, {"legal-topics"}),
    ],
)
def test_a_filter_finds_live_what_it_finds_in_the_index_and_says_the_same_of_the_rest(
    words, asked, found, hub
):
    live = told(words, asked, hub)
    assert {name.rpartition("/")[2] for name in live[0]} == found
    assert told(words, asked) == live


def test_pages_come_until_enough_fit_and_no_more(lister):  # noqa: F811
    assert len(hubtl.search(hub=lister.url, limit=2).entries) == 2
    assert len(lister.asked) == 1
    lister.asked.clear()
    assert hubtl.search(hub=lister.url, limit=2, kind="adapter").entries == ()
    assert len(lister.asked) == 3
    lister.asked.clear()
    assert hubtl.search(hub=lister.url, limit=2, organisation="zoo").entries == ()
    assert len(lister.asked) == 1 + 3  # without the filter first, to say what it excludes


def test_the_last_line_says_what_was_searched_and_how_there_is_more(hubtl_cli, lister):  # noqa: F811
    said = hubtl_cli("search sentiment").err.splitlines()[-1]
    assert said.startswith("searched ") and " of the catalogue of " in said
    assert said.endswith("; `hubtl sync` brings more, `--hub hf` asks the Hub live")
    assert hubtl_cli(f"search --hub {lister.url}").err == (f"searched 6 entries of {lister.url}\n")
    assert hubtl_cli(f"search --hub {lister.url} --json").json["searched"] == 6
