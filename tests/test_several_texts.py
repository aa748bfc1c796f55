"""Texts that have several labels at once: each is learned and told by itself, by rivals too."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

import hubtl
from hubtl.plugins.manager import plugins
from hubtl.predictions import read_predictions
from hubtl.registry.facts import read_facts

from .conftest import FILLER, WORDS

TASK = "text-classification"
ENCODERS = ("acme/tiny-encoder", "acme/tiny-bert")  # pooled by the mean, and transformers' own


@pytest.fixture
def notes() -> Path:
    """A table of 80 texts, each with words of the labels that it has: good, bad, both or none."""
    dice, names = random.Random(0), sorted(WORDS)
    with Path("notes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label", "split"])
        for number in range(80):
            has = [name for bit, name in enumerate(names) if number % 4 >> bit & 1]
            words = dice.sample(FILLER, 6) + [
                w for name in has for w in dice.sample(WORDS[name], 4)
            ]
            dice.shuffle(words)
            part = "test" if number < 24 else "train"
            table.writerow([" ".join(words), "|".join(has) or "none", part])
    return Path("notes.csv")


def adapted(notes: Path, hub: str, base: str, **more: object) -> Path:
    asked = {"base": base, "hub": hub, "domain": "general", "out": "made"}
    return hubtl.adapt(TASK, notes, **{**asked, "options": {"several": "true"}, **more}).folder


@pytest.mark.parametrize("base", ENCODERS)
def test_each_label_of_a_text_is_told_by_itself(base, shelf, notes, hubtl_cli):
    folder = adapted(notes, shelf.name, base)
    facts = read_facts(folder)
    assert (facts.labels, facts.main_metric) == (("bad", "good"), "f1")
    said = hubtl_cli(f'predict {folder} "awful broken great lovely" --hub {shelf.name} --json')
    assert set(said.json["predictions"][0]["scores"]) == {"bad", "good"}
    assert isinstance(said.json["predictions"][0]["label"], list)
    assert hubtl.evaluate(folder, notes, hub=shelf.name).metrics == facts.metrics


def test_a_plain_rival_learns_each_label_by_itself_too(shelf, notes):
    said = read_predictions(adapted(notes, shelf.name, ENCODERS[0])).rivals
    assert set(said) == set(plugins().task(TASK).rivals)
    assert len(set(said["majority"])) == 1
    assert set(said["tfidf"]) > {"bad", "good"}


def test_a_label_that_all_rows_to_learn_from_have_is_said_of_all(shelf, notes):
    rows = list(csv.reader(notes.read_text().splitlines()))
    with notes.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                rows[0],
                *(
                    [text, f"{label}|all" if label != "none" else "all", part]
                    for text, label, part in rows[1:]
                ),
            ]
        )
    said = read_predictions(adapted(notes, shelf.name, ENCODERS[0])).rivals
    assert all("all" in label.split("|") for label in said["tfidf"])
