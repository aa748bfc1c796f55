"""Bases ranked by what they make of the words of a text, where the labels are spans of these."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.cache import ModelCache
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.placed import by_row
from hubtl.transfer.scoring import Scored

from .test_token_classification import BASE, TASK, write_conll

BOTH = [BASE, "acme/tiny-encoder"]
DEAF, HEARS = "acme/deaf", "acme/hears"


@pytest.fixture
def corpus() -> Path:
    """A folder of CoNLL files: 120 sentences to train on, 30 to test."""
    write_conll(range(120), Path("corpus/train.txt"))
    write_conll(range(120, 150), Path("corpus/test.txt"))
    return Path("corpus")


def test_a_row_counts_as_its_places_do_and_the_mean_stays():
    told = Scored(0.5, np.array([1.0, 0.0, np.nan, 1.0, 0.0]), right=np.array([1.0, 0, 0, 1, 1]))
    found = by_row(told, np.array([0, 0, 0, 2, 3]), 5)
    assert found.rows[[0, 2, 3]] == pytest.approx([0.5, 0.875, 0.125])
    assert np.nanmean(found.rows) == pytest.approx(0.5) == found.value
    assert np.isnan(found.rows[[1, 4]]).all() and np.nanmean(found.right) == pytest.approx(0.6)
    assert by_row(Scored(2.0), np.array([0]), 1) == Scored(2.0)
    sure = by_row(Scored(1.0, np.ones(6)), np.array([0, 0, 0, 0, 1, 2]), 3)
    assert sure.rows.tolist() == [1, 1, 1], "that rows are long makes nobody less sure"


@pytest.fixture
def deaf(shelf: Folder, tiny_folders: dict[str, Path]) -> str:
    """A base to which all words in all places are the same, and one that is for this task too."""
    cache = ModelCache(Path(shelf.name.removeprefix("folder:")))
    made = Path(shutil.copytree(tiny_folders[BASE], "deaf"))
    card = made / "README.md"
    card.write_text(card.read_text().replace("text-classification", TASK))
    cache.add(HEARS, files_in(made))
    tensors = load_file(made / "model.safetensors")
    for name, tensor in tensors.items():
        if "word_embeddings" in name or "position_embeddings" in name:
            tensor[:] = 0
    save_file(tensors, made / "model.safetensors")
    cache.add(DEAF, files_in(made))
    return DEAF


def test_a_base_that_tells_words_apart_is_ahead_of_one_that_does_not(shelf, deaf, corpus):
    ranking = hubtl.rank(TASK, corpus, candidates=[deaf, BASE], hub=shelf.name)
    told = ranking.as_json()
    assert (told["rows"], told["failed"]) == (120, ())
    first, last = told["ranking"]
    assert (first["id"], first["tied_with"], last["id"]) == (BASE, (), DEAF)
    names = {"probe", "neighbours", "logme", "h_score", "nleep"}
    assert names == set(first["scores"]) and all(
        first["scores"][name] > last["scores"][name] for name in names
    )
    assert first["intervals"]["probe"][0] > last["intervals"]["probe"][1]
    assert "is ahead of the others by more than chance" in told["advice"]


def test_of_many_words_as_many_rows_judge_as_have_enough(shelf: Folder, corpus: Path, monkeypatch):
    monkeypatch.setattr("hubtl.rounds.PLACES", 300)
    told = hubtl.rank(TASK, corpus, candidates=BOTH, hub=shelf.name).as_json()
    assert 60 <= told["rows"] <= 80 and {each["rows"] for each in told["ranking"]} == {told["rows"]}
    more = hubtl.rank(TASK, corpus, candidates=BOTH, hub=shelf.name, rows=100).as_json()
    assert 90 <= more["rows"] <= 110, "who asks for more has more"


def test_under_a_budget_more_rows_come_in_rounds(shelf: Folder, corpus: Path):
    asked = {"candidates": BOTH, "hub": shelf.name, "time_budget": "10m"}
    told = hubtl.rank(TASK, corpus, **asked).as_json()
    assert told["rows"] == 120 and len(told["ranking"]) == 2


def test_the_base_may_be_chosen_and_adapted_at_once(shelf, deaf, corpus):
    told = {"base": "auto", "hub": shelf.name, "domain": "general"}
    facts = read_facts(hubtl.adapt(TASK, corpus, recipe="probe", **told).folder)
    assert facts.base == HEARS and DEAF in facts.why


@pytest.mark.long
def test_recipes_are_ranked_on_the_base_that_comes_first(shelf, deaf, corpus):
    told = hubtl.rank_recipes(TASK, corpus, candidates=[deaf, BASE], hub=shelf.name).as_json()
    assert told["base"] == BASE and {"probe", "lora"} <= {each["name"] for each in told["recipes"]}
