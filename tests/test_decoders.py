"""A model that reads from left to right learns classes as a sentence encoder does."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
import transformers

import hubtl
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadData
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.cut import cut_at

from .tiny import WIDE

TASK, DECODER, ENCODER = "text-classification", "acme/tiny-llama", "acme/tiny-encoder"
TEXTS = ["a fine day", "rain", "it was good, and so was the long way home"]
SIZES = {**WIDE, "hidden_size": 32, "vocab_size": 2000, "num_key_value_heads": 2}
EIGHT = {"rows": "8", "epochs": "8", "patience": "8"}
RECIPES = {
    "probe": {},
    "lora": {"rate": "0.02", **EIGHT},
    "top": {"rate": "0.01", "layers": "1", **EIGHT},
    "norm": {"rate": "0.05", **EIGHT},
    "full": {"rate": "0.005", **EIGHT},
    "fewshot": {"epochs": "2"},
}
PUBLISHED = ("lora", "full")  # an adapter, and a whole model


@pytest.fixture(scope="module")
def made(tiny_folders, tmp_path_factory):
    """A tiny Llama that splits words as the tiny BERT does, and has no sign to pad with."""
    folder = tmp_path_factory.mktemp("decoders") / "tiny-llama"
    shutil.copytree(tiny_folders["acme/tiny-bert"], folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZES)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    told = {k: v for k, v in json.loads(path.read_text()).items() if k != "pad_token"}
    path.write_text(json.dumps({**told, "eos_token": "[SEP]", "padding_side": "left"}))
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    return folder


@pytest.fixture
def with_a_decoder(shelf, made):
    shelf.cache.add(DECODER, files_in(made))
    return shelf


def network(folder):
    return plugins().task(TASK).network(folder, Entry(DECODER), ("a", "b"), "cpu", {})


@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Mistral", "GPTNeoX"])
def test_a_text_is_read_alike_whatever_is_in_its_batch_and_above_a_cut(family, made, tmp_path):
    folder = tmp_path / family
    shutil.copytree(made, folder)
    config = getattr(transformers, f"{family}Config")(**SIZES)
    getattr(transformers, f"{family}ForCausalLM")(config).save_pretrained(folder)
    one = network(folder)
    one.body.eval()
    with torch.inference_mode():
        together = one.features(one.collate(TEXTS))
        alone = torch.cat([one.features(one.collate([text])) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-5)
    assert cut_at(one, 2, TEXTS).layer == 2


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_learns_and_what_is_published_says_the_same(recipe, with_a_decoder, moods):
    place = {"base": DECODER, "hub": with_a_decoder.name, "domain": "general"}
    made = hubtl.adapt(TASK, moods, recipe=recipe, options=RECIPES[recipe], out="out", **place)
    facts = read_facts(made.folder)
    assert facts.metrics["accuracy"]["value"] > 0.7
    assert "the mean over tokens" in (made.folder / "README.md").read_text("utf-8")
    if recipe not in PUBLISHED:
        return
    published = hubtl.publish(made.folder, "acme/read", hub=with_a_decoder.name)
    assert hubtl.verify("acme/read", hub=with_a_decoder.name) and published


def test_a_text_without_a_token_is_refused_and_not_guessed_at(shelf, made, moods, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(made, folder)
    words = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**words, "post_processor": None}))
    shelf.cache.add(DECODER, files_in(folder))
    place = {"base": DECODER, "hub": shelf.name, "domain": "general", "out": tmp_path / "out"}
    adapted = hubtl.adapt(TASK, moods, recipe="probe", **place)
    with pytest.raises(BadData, match="of the input `` the model makes nothing"):
        hubtl.predict(adapted.folder, ["a fine day", ""], hub=shelf.name)


def test_a_ranking_judges_it_beside_others(with_a_decoder, moods):
    found = hubtl.rank(TASK, moods, candidates=[DECODER, ENCODER], hub=with_a_decoder.name)
    assert {each.id for each in found.ranking} == {DECODER, ENCODER} and not found.failed
