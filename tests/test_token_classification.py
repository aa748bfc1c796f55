"""Spans of texts: read in every form, learnt by every recipe, told by cards, judged as seqeval."""

from __future__ import annotations

from pathlib import Path

import pytest

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.facts import read_facts

from .conftest import FILLER, QUICK, WORDS

TASK = "token-classification"
BASE = "acme/tiny-bert"


def tagged(number: int) -> tuple[list[str], list[str]]:
    """Return the tokens and IOB2 tags of a sentence with a good span and a bad one."""
    good = [WORDS["good"][(number * step) % 8] for step in (1, 3)]
    bad = [WORDS["bad"][(number * 5) % 8]]
    first, then = (FILLER[(number * step) % len(FILLER)] for step in (5, 7))
    tokens = [first, *good, then, *bad] if number % 2 else [first, *bad, then, then, *good]
    signs = {good[0]: "B-GOOD", good[1]: "I-GOOD", bad[0]: "B-BAD"}
    tags = [signs.get(token, "O") for token in tokens]
    if good[0] == good[1]:
        tags = ["B-GOOD" if tag == "I-GOOD" else tag for tag in tags]
    return tokens, tags


def conll(numbers: range, path: Path) -> Path:
    """Write sentences as CoNLL has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sentences = ("".join(f"{a} {b}\n" for a, b in zip(*tagged(n), strict=True)) for n in numbers)
    path.write_text("-DOCSTART- O\n\n" + "\n".join(sentences))
    return path


@pytest.fixture
def corpus() -> Path:
    """A folder of CoNLL files: 60 sentences to train on, 20 to test."""
    conll(range(60), Path("corpus/train.txt"))
    conll(range(60, 80), Path("corpus/test.txt"))
    return Path("corpus")


def adapt(shelf: Folder, data: Path, recipe: str, base: str = BASE, **options: str) -> Path:
    out = Path("adapted", recipe)
    asked = {**QUICK[recipe], **options}
    place = {"base": base, "hub": shelf.name, "out": out, "domain": "general"}
    hubtl.adapt(TASK, data, recipe=recipe, options=asked, **place)
    return out


@pytest.mark.parametrize("recipe", ["probe", "top", "lora", "norm", "full"])
def test_every_recipe_learns_spans(recipe: str, shelf: Folder, corpus: Path) -> None:
    folder = adapt(shelf, corpus, recipe)
    facts = read_facts(folder)
    assert facts.labels == ("BAD", "GOOD")
    assert facts.metrics["f1"]["value"] > 0.8
    said = hubtl.predict(folder, ["so great lovely the awful"], hub=shelf.name)[0]
    assert [each["label"] for each in said.label] == ["GOOD", "BAD"]
