"""Text generation by every recipe and of rows of every form; what cards say without hubtl."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.transfer.completion import Completion

from . import serving, test_text_generation
from .conftest import WORDS
from .plain import plain_python, said_by_cards
from .serving import TOKENS
from .test_text_generation import LLAMA, adapted, pairs, said_by

tiny_llama, llama_shelf = test_text_generation.tiny_llama, test_text_generation.llama_shelf
moods = test_text_generation.moods
team_hub = serving.team_hub


def facts_of(folder):
    return json.loads((folder / "hubtl.json").read_text())


@pytest.mark.parametrize("recipe", ["full", "top", "norm", "lora"])
def test_every_recipe_learns(recipe, llama_shelf, moods):
    facts = facts_of(adapted(moods, llama_shelf, recipe, **RECIPES[recipe]))
    found, before = facts["metrics"]["perplexity"], facts["baselines"]["base"]["perplexity"]
    assert found["value"] < before / 2


RECIPES = {
    "full": {"rate": "0.01"},
    "top": {"rate": "0.01"},
    "norm": {"rate": "0.05"},
    "lora": {"layers": "1", "rank": "4"},
}


def test_texts_alone_are_learnt_whole(llama_shelf):
    rows = [{"text": f"{prompt} {completion}"} for prompt, completion in pairs()]
    Path("texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    facts = facts_of(adapted(Path("texts.jsonl"), llama_shelf))
    assert facts["metrics"]["perplexity"]["value"] < facts["baselines"]["base"]["perplexity"] / 5


def test_auto_judges_recipes_by_answers_longer_than_their_prompts(llama_shelf):
    rows = [{"prompt": f"{n}", "completion": f"{a} {b}"} for n, (a, b) in enumerate(pairs())]
    Path("long.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = hubtl.adapt(
        "text-generation",
        "long.jsonl",
        base=LLAMA,
        recipe="auto",
        hub=llama_shelf.name,
        domain="general",
        options={"max_new_tokens": "4"},
        time_budget="2m",
    )
    climb = done.facts.climb
    assert climb["recipe"] == done.facts.recipe
    assert all(0 < trial["loss"] < 10 for trial in climb["trials"])


def test_of_a_chat_the_last_answer_is_learnt(llama_shelf):
    with Path("chats.jsonl").open("w") as file:
        for prompt, completion in pairs():
            asked = {"role": "user", "content": prompt}
            told = {"role": "assistant", "content": completion}
            file.write(json.dumps({"messages": [asked, told]}) + "\n")
    said = read_predictions(adapted(Path("chats.jsonl"), llama_shelf))
    assert set(said.true) == {" ".join(words[:3]) for words in WORDS.values()}
    assert said.logits[0][0] > -3


def test_a_merged_model_says_the_same_and_a_graph_is_refused(llama_shelf, moods):
    folder = adapted(moods, llama_shelf)
    done = hubtl.export(folder, format="merged", out="merged", hub=llama_shelf.name)
    assert done.made.compared["far_logits"] == done.made.compared["other_labels"] == 0
    assert said_by(lambda: hubtl.export(folder, format="onnx", out="x", hub=llama_shelf.name)) == (
        "a model for text-generation can't be exported as `onnx` | --format merged"
    )


def test_a_budget_is_kept_and_inputs_of_ones_own_are_retained(llama_shelf, moods):
    Path("own.csv").write_text("text\n" + "".join(f"{prompt}\n" for prompt, _ in pairs(40)))
    done = hubtl.adapt(
        "text-generation",
        moods,
        base=LLAMA,
        recipe="lora",
        hub=llama_shelf.name,
        time_budget="2m",
        retain="own.csv",
        options={"max_new_tokens": "4"},
    )
    assert done.facts.retention["retain"]["rows"] == 40


def test_the_card_says_in_a_python_without_hubtl_what_was_measured(
    team_hub, tiny_llama, moods, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    team_hub.api("ana").create_repo(LLAMA)
    team_hub.api("ana").upload_folder(repo_id=LLAMA, folder_path=tiny_llama)
    folder = adapted(moods, team_hub, out="moods")
    hubtl.publish(folder, "acme/moods", hub=team_hub.url)
    path = team_hub.api("ana").hf_hub_download("acme/moods", "README.md", local_dir=tmp_path / "x")
    measured, goal = read_predictions(folder), Completion()
    written = [n for n, label in enumerate(measured.predicted) if goal.shown(label)]
    ((said),) = said_by_cards(
        plain_python(tmp_path / "plain"),
        [Path(path).read_text()],
        [[measured.inputs[number] for number in written]],
        {**os.environ, "HF_ENDPOINT": team_hub.url},
    )
    assert said == [goal.shown(measured.predicted[number]) for number in written]
