"""Pictures that have several labels at once: learned, shown as lists, and said so by the card."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.predictions import read_predictions
from hubtl.registry.errors import BadData
from hubtl.registry.facts import read_facts
from hubtl.reporting import render_report
from hubtl.transfer.quiet import quiet_libraries

from .tiny import hub_of

TASK = "image-classification"
COLOURS = {"red": 0, "green": 1, "blue": 2}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Folder:
    with quiet_libraries():
        return hub_of(tmp_path_factory.mktemp("several"), "vit")


@pytest.fixture
def lamps() -> Path:
    """A table of 48 pictures, each with a bright patch for every colour that it is labelled by."""
    Path("lamps").mkdir()
    dice = np.random.default_rng(0)
    with Path("lamps/metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label", "split"])
        for number in range(48):
            on = [name for bit, name in enumerate(COLOURS) if number % 8 >> bit & 1]
            pixels = dice.normal(60, 15, (32, 32, 3))
            for name in on:
                pixels[:, :, COLOURS[name]] += 140
            picture = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
            picture.save(f"lamps/{number}.png")
            part = "test" if number < 16 else "train"
            table.writerow([f"{number}.png", "|".join(on) or "none", part])
    return Path("lamps")


def asked(shelf: Folder, **more: object) -> dict[str, object]:
    return {"base": "acme/vit", "hub": shelf.name, "domain": "general", **more}


@pytest.mark.long
def test_each_label_is_told_by_itself(shelf, lamps, hubtl_cli):
    hubtl.adapt(TASK, lamps, options={"several": "true"}, out="lit", **asked(shelf))
    facts = read_facts(Path("lit"))
    assert facts.labels == ("blue", "green", "red")
    assert set(facts.metrics) == {"f1", "macro_f1", "accuracy"} and facts.main_metric == "f1"
    assert facts.metrics["f1"]["value"] > 0.9
    card = Path("lit/README.md").read_text()
    assert "def choose(row):" in card and "Micro F1" in card
    line = f"predict lit lamps/0.png lamps/5.png --hub {shelf.name}"
    said = hubtl_cli(f"{line} --json").json
    assert [each["label"] for each in said["predictions"]] == [[], ["blue", "red"]]
    assert set(said["predictions"][0]["scores"]) == set(COLOURS)
    assert "blue, red" in hubtl_cli(line).out
    judged = hubtl.evaluate("lit", lamps, hub=shelf.name)
    assert judged.metrics == facts.metrics
    rows = read_predictions(Path("lit"))
    assert rows.true[0] == "none"
    page = render_report(facts, replace(rows, predicted=["green|red", *rows.predicted[1:]]))
    assert "<tr><td><bdi>-</bdi></td><td><bdi>green, red</bdi></td>" in page
    assert "green|red" not in page


def test_a_recipe_that_trains_learns_several_labels_too(shelf, lamps):
    options = {"several": "true", "rate": "0.003", "epochs": "3"}
    hubtl.adapt(TASK, lamps, recipe="lora", options=options, out="lit", **asked(shelf))
    assert read_facts(Path("lit")).metrics["f1"]["value"] > 0.8


def test_a_label_that_no_row_to_train_on_has_is_named(shelf, lamps):
    table = Path("lamps/metadata.csv")
    table.write_text(table.read_text().replace("7.png,red|green|blue", "7.png,red|violet", 1))
    with pytest.raises(BadData, match="no row to train on has the label `violet`"):
        hubtl.adapt(TASK, lamps, options={"several": "true"}, out="lit", **asked(shelf))
