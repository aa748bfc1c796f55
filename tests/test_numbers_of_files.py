"""Numbers told of pictures and of clips: learnt, published, and said by the card without hubtl."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.predictions import read_predictions
from hubtl.registry.facts import read_facts
from hubtl.transfer.number import NUMBERS
from hubtl.transfer.quiet import quiet_libraries

from . import serving
from .plain import plain_python, publish, said_by_cards
from .serving import TOKENS
from .tiny import PICTURES, SOUND, hub_of, write_clip

team_hub = serving.team_hub
ROWS, TESTS = 60, 20
TASKS = {"vit": "image-classification", "whisper": "audio-classification"}
PLACE = {"domain": "general", "options": {"numbers": "true"}}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Folder:
    with quiet_libraries():
        return hub_of(tmp_path_factory.mktemp("numbers"), *TASKS)


def brightness(path: Path, dice: np.random.Generator) -> float:
    """Write a picture, and return how bright it is, in percent."""
    light = dice.uniform(30, 220)
    pixels = dice.normal(light, 10, (32, 32, 3)).clip(0, 255)
    Image.fromarray(pixels.astype("uint8")).save(path)
    return float(light / 2.55)


def pitch(path: Path, dice: np.random.Generator) -> float:
    """Write a clip, and return its pitch in kilohertz."""
    hertz = dice.uniform(200, 2000)
    write_clip(path, hertz, 0.5, dice)
    return float(hertz / 1000)


WRITERS = {"vit": (brightness, "png", "brightness"), "whisper": (pitch, "wav", "pitch")}


def table(name: str) -> Path:
    """Write a table of files and their numbers, and return it."""
    write, ending, label = WRITERS[name]
    dice = np.random.default_rng(0)
    Path(name).mkdir()
    with Path(name, "metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", label, "split"])
        for number in range(ROWS):
            told = write(Path(name, f"{number}.{ending}"), dice)
            rows.writerow([f"{number}.{ending}", told, "test" if number < TESTS else "train"])
    return Path(name, "metadata.csv")


def adapt(name: str, data: Path, hub: str, recipe: str, out: str) -> Path:
    asked = {"base": f"acme/{name}", "hub": hub, "out": out, "columns": {"label": WRITERS[name][2]}}
    return hubtl.adapt(TASKS[name], data, recipe=recipe, **PLACE, **asked).folder


@pytest.mark.parametrize("recipe", ["probe", "lora"])
@pytest.mark.parametrize("name", TASKS)
def test_a_file_is_told_a_number_beside_rivals_by_its_looks(name, recipe, shelf, hubtl_cli):
    data = table(name)
    folder = adapt(name, data, shelf.name, recipe, "made")
    facts = read_facts(folder)
    assert (facts.labels, facts.main_metric) == ((WRITERS[name][2],), "mse")
    assert list(facts.metrics) == ["mse", "r2", "spearman"] and len(facts.baselines) >= 2
    assert facts.metrics["spearman"]["value"] > 0.5 and facts.retention["score"] is not None
    first = Path(name, f"0.{WRITERS[name][1]}")
    said = hubtl_cli(f"predict {folder} {first} --hub {shelf.name} --json")
    (one,) = said.json["predictions"]
    (label, *_) = read_predictions(folder).predicted
    assert one["label"] == pytest.approx(float(label), rel=1e-4) and one["score"] is None
    evaluated = hubtl.evaluate(folder, data, hub=shelf.name)
    assert evaluated.metrics == facts.metrics


def test_the_cards_say_in_a_python_without_hubtl_what_was_measured(team_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    made = []
    for name in TASKS:
        base = tmp_path / "bases" / name
        base.mkdir(parents=True)
        with quiet_libraries():
            {**PICTURES, **SOUND}[name](base)
        team_hub.api("ana").create_repo(f"acme/{name}")
        team_hub.api("ana").upload_folder(repo_id=f"acme/{name}", folder_path=base)
        made.append(adapt(name, table(name), team_hub.url, "lora", f"made-{name}"))
    measured = [read_predictions(folder) for folder in made]
    inputs = [[str(Path(each).resolve()) for each in one.inputs] for one in measured]
    said = said_by_cards(
        plain_python(tmp_path / "plain"),
        [publish(team_hub, folder, tmp_path) for folder in made],
        inputs,
        {**os.environ, "HF_ENDPOINT": team_hub.url},
    )
    for numbers, each in zip(said, measured, strict=True):
        told = [NUMBERS.shown(label) for label in each.predicted]
        assert numbers == pytest.approx(told, rel=1e-4), json.dumps(numbers[:3])
