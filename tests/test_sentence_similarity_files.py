"""Pairs with a score by every recipe and form: what is published says the same without hubtl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.predictions import read_predictions
from hubtl.registry.facts import read_facts

from . import test_sentence_similarity
from .plain import plain_python, said_by_cards
from .test_sentence_similarity import BASE, TASK, adapt

pairs = test_sentence_similarity.pairs


@pytest.mark.parametrize("recipe", ["top", "lora", "norm", "full"])
def test_what_is_published_says_in_a_python_without_hubtl_what_was_measured(
    recipe: str, shelf: Folder, pairs: Path, tmp_path: Path
) -> None:
    folder = adapt(shelf, pairs, recipe, retain=pairs)
    facts, measured = read_facts(folder), read_predictions(folder)
    assert facts.metrics["spearman"]["value"] > facts.baselines["base"]["spearman"]
    assert set(facts.loads.values()) == {"works"} and facts.retention["retain"]["rows"] == 300
    done = hubtl.publish(folder, "acme/pairs", hub=shelf.name, allow_worse=True)
    assert done.verified and hubtl.verify("acme/pairs", data=pairs, hub=shelf.name).verified
    environment = {
        **os.environ,
        "HF_HUB_CACHE": str(shelf.cache.root),
        "HF_HUB_OFFLINE": "1",
    }
    card = (shelf.cache.snapshot("acme/pairs") / "README.md").read_text()
    python = plain_python(tmp_path / "plain")
    (said,) = said_by_cards(python, [card], [measured.inputs], environment)
    goal = plugins().task(TASK).goal({})
    assert said == pytest.approx([goal.shown(label) for label in measured.predicted], abs=1e-5)


def test_a_merged_model_says_the_same(shelf: Folder, pairs: Path) -> None:
    done = hubtl.export(adapt(shelf, pairs), format="merged", out="whole", hub=shelf.name)
    assert done.made.compared["other_labels"] == 0


def test_an_adapter_may_be_built_upon(shelf: Folder, pairs: Path) -> None:
    hubtl.publish(adapt(shelf, pairs), "acme/pairs", hub=shelf.name, allow_worse=True)
    again = read_facts(adapt(shelf, pairs, base="acme/pairs", out="again"))
    assert [made["id"] for made in again.lineage[:1]] == ["acme/pairs"]
    assert again.base == BASE and set(again.loads.values()) == {"works"}


def test_auto_climbs_by_recipes_that_need_no_head(shelf: Folder, pairs: Path) -> None:
    place = {"base": BASE, "hub": shelf.name, "domain": "general", "time_budget": "90s"}
    facts = hubtl.adapt(TASK, pairs, recipe="auto", **place).facts
    assert facts.asked == "auto" and facts.recipe in ("top", "lora", "norm", "full")
    assert facts.climb["metric"] == "spearman"
