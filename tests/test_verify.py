"""`verify` tells what has changed since: the adapter, its base, the machine or its libraries."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import hubtl
from hubtl.evaluation import Model
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import read_facts
from hubtl.verification import check_base

from . import serving
from .serving import TOKENS
from .test_publish import NAME, change

team_hub = serving.team_hub


def test_a_day_on_which_nothing_changed(adapted, shelf, hubtl_cli):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    assert "since     nothing changed; the same adapter, the same base\n" in (
        hubtl_cli(f"verify {NAME} --hub {shelf.name}").out
    )


def test_libraries_that_changed_are_told_and_are_no_failure(adapted, shelf):
    change(adapted, "versions", "torch", to="1.0.0")
    hubtl.publish(adapted, NAME, hub=shelf.name)
    then, now = hubtl.verify(NAME, hub=shelf.name).environment["torch"]
    assert (then, now.partition(".")[0]) == ("1.0.0", "2")


def test_a_base_with_other_bytes_than_those_it_was_adapted_from(adapted, shelf):
    facts = read_facts(adapted)
    base = shutil.copytree(shelf.cache.snapshot(facts.base), Path("base"))
    model = Model(adapted, facts, base, "0" * 40)
    check_base(model)
    (base / "config.json").write_text("{}")
    with pytest.raises(HubtlError, match="is not the one it was adapted from: `config.json` diff"):
        check_base(model)


def test_with_base_puts_the_base_beside_the_adapter_on_a_server(
    adapted, shelf, team_hub, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    monkeypatch.setenv("HUBTL_HUB", shelf.name)
    with pytest.raises(HubtlError, match="the base `acme/tiny-encoder` at .* is not on"):
        hubtl.publish(adapted, "zoo/moods", hub=team_hub.url)
    done = hubtl.publish(adapted, NAME, hub=team_hub.url, with_base=True)
    base = team_hub.api("ana").model_info("acme/tiny-encoder")
    (pinned,) = hubtl.family(hubtl.show(NAME, hub=team_hub.url)).lineage
    assert (done.verified, base.private) == (True, True)
    assert (pinned["id"], pinned["revision"]) == ("acme/tiny-encoder", base.sha)
    assert hubtl.verify(NAME, hub=team_hub.url).verified
    again = hubtl.publish(adapted, NAME, hub=team_hub.url, with_base=True)
    assert team_hub.api("ana").model_info("acme/tiny-encoder").sha == base.sha
    assert again.verified
