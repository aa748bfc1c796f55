"""The gate: what was spoilt, swapped or let slip since it was measured, each told in its own words.

Hashes are brought up to date after each act of sabotage, so that none is caught by its hash alone.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import sha256

from .test_publish import NAME, change, refused

ADAPTER = "adapter_model.safetensors"


def rehash(folder):
    facts = json.loads((folder / "hubtl.json").read_text())
    change(folder, "files", to={path: sha256(folder / path) for path in facts["files"]})


def rewrite(folder, path, alter):
    tensors = load_file(folder / path)
    save_file(alter(tensors), folder / path, {"format": "pt"})
    rehash(folder)


def reconfigure(folder, path, **changes):
    config = json.loads((folder / path).read_text())
    (folder / path).write_text(json.dumps({**config, **changes}))
    rehash(folder)


@pytest.fixture
def lora(adapt_once):
    return adapt_once("lora", "acme/tiny-bert")


def test_a_head_that_was_left_out(lora, shelf):
    rewrite(lora, ADAPTER, lambda all: {n: t for n, t in all.items() if "classifier" not in n})
    assert (
        "lacks `classifier`, which learnt anew, so that loading it would go on without"
        in refused(lora, shelf)
    )


def test_an_adapter_that_was_left_out(lora, shelf):
    rewrite(lora, ADAPTER, lambda all: {n: t for n, t in all.items() if "lora_" not in n})
    assert "lacks the adapter itself so that loading it would go on without" in refused(lora, shelf)


def test_an_adapter_that_is_not_applied(adapt_once, shelf):
    learnt = adapt_once("lora", "acme/tiny-encoder")
    rewrite(learnt, ADAPTER, lambda all: {n: t * 0 for n, t in all.items()})
    assert "its adapter is not applied, all of its updates are zero" in refused(learnt, shelf)


def test_numbers_of_which_nothing_is_made(adapt_once, shelf):
    probe = adapt_once("probe", "acme/tiny-bert")
    rewrite(probe, ADAPTER, lambda all: {n: t + ("lora_A" in n) for n, t in all.items()})
    assert re.search("has numbers in `.*lora_A.*` of which nothing is made", refused(probe, shelf))


def test_labels_that_were_permuted_in_the_facts(lora, shelf):
    change(lora, "labels", to=["good", "bad"])
    assert "don't name the same labels in the same order" in refused(lora, shelf)


def test_labels_that_were_permuted_in_the_weights(lora, shelf):
    rewrite(
        lora,
        ADAPTER,
        lambda all: {n: t.flip(0) if "classifier" in n else t for n, t in all.items()},
    )
    assert "its labels are in another order" in refused(lora, shelf)


def test_a_tokenizer_that_was_swapped(lora, shelf):
    path = lora / "tokenizer.json"
    words = json.loads(path.read_text())
    vocabulary = words["model"]["vocab"]
    vocabulary["great"], vocabulary["awful"] = vocabulary["awful"], vocabulary["great"]
    path.write_text(json.dumps(words))
    assert "`tokenizer.json` is not the file that was measured" in refused(lora, shelf)
    rehash(lora)
    assert "its `tokenizer.json`, which prepares inputs, is not the base's" in refused(lora, shelf)


def test_a_base_at_another_revision(lora, shelf):
    change(lora, "base_revision", to="1" * 40)
    assert re.search(r"adapter_config.json is for `acme/tiny-bert` at \w{7}", refused(lora, shelf))


def test_weights_that_were_rounded_to_bf16(adapt_once, shelf):
    full = adapt_once("full", "acme/tiny-bert")
    rewrite(
        full,
        "model.safetensors",
        lambda all: {n: t.to(torch.bfloat16).float() for n, t in all.items()},
    )
    assert "its weights were rounded to bf16" in refused(full, shelf)


def test_a_card_that_claims_a_better_metric(lora, shelf):
    card = lora / "README.md"
    found = re.search(r"value: ([\d.]+)", card.read_text())
    card.write_text(card.read_text().replace(found[0], "value: 1.2345", 1))
    assert "the card claims accuracy 1.2345, and" in refused(lora, shelf)


def test_intervals_that_another_hubtl_reckoned(lora, shelf):
    facts = read_facts(lora)
    metrics = {name: {**each, "low": each["low"] - 0.01} for name, each in facts.metrics.items()}
    versions = {**facts.versions, "hubtl": "0.0.9"}
    dataclasses.replace(facts, metrics=metrics, versions=versions).write(lora)
    now = facts.versions["hubtl"]
    told = f"hubtl 0.0.9 measured it, and this is {now}: adapt again, or publish with hubtl 0.0.9"
    assert told in refused(lora, shelf)


def test_a_card_that_says_a_better_metric_in_words(lora, shelf):
    card = lora / "README.md"
    text = re.sub(r"^Accuracy \*\*[\d.]+\*\*", "Accuracy **0.999**", card.read_text(), flags=re.M)
    card.write_text(text)
    assert "does not say the result in the words that hubtl writes" in refused(lora, shelf)


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("hf_" + "aB3" * 12, "a Hugging Face token"),
        ("ghp_" + "aB3" * 12, "a GitHub token"),
        ("postgresql://ana:sesame@db.acme.example/hub", "a password in a URL"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
    ],
)
def test_a_secret_in_the_facts(secret, what, lora, shelf):
    change(lora, "data", "note", to=secret)
    why = refused(lora, shelf)
    assert f"`hubtl.json` has {what} in it" in why
    assert secret not in why


def test_ones_own_token_whatever_it_looks_like(lora, shelf, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "open sesame 1001")
    assert "`README.md` has your token in it" in refused(
        lora, shelf, description="my token is open sesame 1001"
    )


def test_a_path_of_this_machine(lora, shelf):
    change(lora, "data", "note", to=f"{Path.cwd()}/moods.csv")
    assert "`hubtl.json` has a path of this machine in it" in refused(lora, shelf)


def test_a_row_of_data_in_the_card(lora, shelf):
    row = read_predictions(lora).inputs[3]
    assert "`README.md` has a row of your data in it" in refused(
        lora, shelf, description=f"It was never fooled by {row.replace(' ', chr(10))}."
    )
    card = lora / "README.md"
    card.write_text(f"{card.read_text()}\nSuch as: {row}\n")
    assert "`README.md` has a row of your data in it" in refused(lora, shelf)


def test_a_non_commercial_base_under_an_mit_card(lora, shelf):
    change(lora, "licence", to="cc-by-nc-4.0")
    why = refused(lora, shelf)
    assert "the card gives the licence mit, and what it was made from has cc-by-nc-4.0" in why
    base = shelf.cache.snapshot("acme/tiny-bert") / "README.md"
    base.write_text(base.read_text().replace("license: mit", "license: cc-by-nc-4.0"))
    change(lora, "licence", to="mit")
    assert "the base has the licence cc-by-nc-4.0, and the folder says mit" in refused(lora, shelf)


def test_a_base_with_other_bytes_than_it_was_adapted_from(lora, shelf):
    facts = json.loads((lora / "hubtl.json").read_text())
    weights = next(path for path in facts["base_files"] if path.endswith(".safetensors"))
    change(lora, "base_files", weights, to="0" * 64)
    assert f"`{weights}` of the base `acme/tiny-bert` is not the file it was adapted from" in (
        refused(lora, shelf)
    )


def test_metadata_that_the_hubs_library_does_not_read(lora, shelf):
    card = lora / "README.md"
    card.write_text(card.read_text().replace("model-index:", "model-index: 7\nindex:", 1))
    assert "the metadata of the card" in refused(lora, shelf)


def test_all_of_it_is_told_at_once_and_nothing_twice(lora, shelf):
    change(lora, "labels", to=["good", "bad"])
    change(lora, "data", "note", to="hf_" + "aB3" * 12)
    card = lora / "README.md"
    card.write_text(card.read_text().replace("license: mit", "license: apache-2.0"))
    with pytest.raises(HubtlError) as caught:
        hubtl.publish(lora, NAME, hub=shelf.name)
    told = caught.value.message
    for words in ("labels in the same order", "a Hugging Face token", "the licence apache-2.0"):
        assert told.count(words) == 1
