"""Spans of texts by every recipe and family: what is published says the same without hubtl."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hubtl
from hubtl.plugins.export import HERE
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.predictions import read_predictions
from hubtl.registry.entry import Entry
from hubtl.registry.facts import read_facts
from hubtl.transfer.feed import Whole, mean_loss
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.spans import SPANS
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf

from . import test_token_classification
from .architectures import recipes_of
from .conftest import QUICK
from .plain import plain_python, said_by_cards
from .test_token_classification import BASE, TASK, adapt, tagged
from .tiny_texts import TEXTS, write

RECIPES = recipes_of(TASK)
TYPES = ("BAD", "GOOD")
corpus = test_token_classification.corpus


def row(number: int) -> Example:
    """Return a row as the engine has it."""
    tokens, tags = tagged(number)
    return Example(str(number), *SPANS.row(json.dumps(tokens), json.dumps(tags)))


ROWS = [row(number) for number in range(48)]
INPUTS = [each.input for each in ROWS]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny model of each family."""
    room = tmp_path_factory.mktemp("texts")
    with quiet_libraries():
        for name in TEXTS:
            write(name, room / name)
    return room


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", list(TEXTS))
def test_every_recipe_lowers_the_loss_and_the_card_says_the_same(
    name: str,
    recipe: str,
    room: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    for known, value in (("task", TASK), ("family", name), ("recipe", recipe)):
        record_property(known, value)
    task, offered = plugins().task(TASK), plugins()
    found = offered.recipe(recipe)
    method = offered.method(found.method)
    options = found.over(method.options).with_options(QUICK[recipe]).options
    with quiet_libraries():
        entry = Entry(f"acme/{name}", revision="0" * 40)
        network = task.network(room / name, entry, TYPES, "cpu", task.options)
        network.expect(INPUTS, [each.label for each in ROWS])
        session = Session(ROWS, (), TYPES, 0, Shelf(tmp_path / "trunks", 10**9), goal=SPANS)
        rows = session.as_rows(ROWS, lambda inputs: Whole(network, inputs))
        before = mean_loss(network, rows)
        record_property("how", method.adapt(network, options, session).how)
        after = mean_loss(network, rows)
        (tmp_path / "made").mkdir()
        network.save(tmp_path / "made")
    assert after < before

    monkeypatch.chdir(tmp_path / "made")
    names: dict[str, object] = {}
    with quiet_libraries(), torch.inference_mode():
        inputs = network.describe_inputs(INPUTS)
        loading = Loading(HERE, str(room / name), "main", TYPES, inputs)
        exec(task.snippet(tmp_path / "made", loading), names)
        features = Whole(network, INPUTS).features(range(len(INPUTS)))
        logits = network.head(features[..., :-2]).numpy()
    said = names["predict"](INPUTS)  # type: ignore[operator]
    assert [SPANS.said(each) for each in said] == SPANS.read_off(features, logits, TYPES)


@pytest.mark.parametrize("base", [BASE, "acme/tiny-encoder"])
@pytest.mark.parametrize("recipe", ["lora", "full"])
def test_what_is_published_says_in_a_python_without_hubtl_what_was_measured(
    recipe: str, base: str, shelf: Folder, corpus: Path, tmp_path: Path
) -> None:
    folder = adapt(shelf, corpus, recipe, base)
    facts, measured = read_facts(folder), read_predictions(folder)
    assert facts.metrics["f1"]["value"] > 0.7
    assert set(facts.loads.values()) == {"works"}
    done = hubtl.publish(folder, "acme/spans", hub=shelf.name)
    assert done.verified and hubtl.verify("acme/spans", hub=shelf.name).verified
    environment = {
        **os.environ,
        "HF_HUB_CACHE": str(shelf.cache.root),
        "HF_HUB_OFFLINE": "1",
    }
    card = (shelf.cache.snapshot("acme/spans") / "README.md").read_text()
    python = plain_python(tmp_path / "plain")
    (said,) = said_by_cards(python, [card], [measured.inputs], environment)
    assert [SPANS.said(each) for each in said] == measured.predicted


def test_a_merged_model_says_the_same(shelf: Folder, corpus: Path) -> None:
    folder = adapt(shelf, corpus, "lora")
    done = hubtl.export(folder, format="merged", out="whole", hub=shelf.name)
    assert done.made.compared["other_labels"] == 0


def test_auto_climbs_by_what_recipes_find(shelf: Folder, corpus: Path) -> None:
    place = {"base": BASE, "hub": shelf.name, "domain": "general", "time_budget": "60s"}
    facts = hubtl.adapt(TASK, corpus, recipe="auto", **place).facts
    assert facts.asked == "auto" and facts.metrics["f1"]["value"] > 0.7
