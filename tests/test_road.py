"""The whole road on real weights and real data, as the README tells it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import MINILM, ROOT, SECTIONS
from .plain import first_block, plain_python, said_by_cards

pytestmark = pytest.mark.weights
NAME = "acme/debian-sections"


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """What `hubtl demo --json` says, run in an empty folder with nothing set."""
    room = tmp_path_factory.mktemp("road")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUBTL_", "HF_"))}
    environment = {**kept, "HUBTL_HOME": str(room / "home"), "HF_HOME": str(room / "hf")}
    done = subprocess.run(
        [sys.executable, "-m", "hubtl", "demo", "--json"],
        cwd=room,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return room, environment, json.loads(done.stdout)


def only_test_rows(room: Path) -> Path:
    """Write the example's test rows alone and return the file."""
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    path = room / "test.jsonl"
    path.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in rows))
    return path


def step(road, name):
    return next(s for s in road[2]["steps"] if s["command"].split()[1] == name)


def test_the_demo_finds_adapts_publishes_and_verifies(road):
    found, adapted = step(road, "search"), step(road, "adapt")
    assert found["entries"][0]["id"] == MINILM == adapted["base"]
    assert adapted["rows"] == {"train": 120, "validation": 0, "test": 824}
    assert step(road, "publish")["verified"] and step(road, "verify")["verified"]


def test_eight_rows_a_label_beat_the_rival_by_a_clear_margin(road):
    adapted = step(road, "adapt")
    assert adapted["beats_baseline"]
    assert adapted["metrics"]["accuracy"]["value"] > 0.64
    assert 0.45 < adapted["baselines"]["tfidf"]["accuracy"] < 0.58


def test_what_was_published_is_what_was_measured(road):
    metric = step(road, "publish")["metric"]
    assert metric["reproduced"] == metric["measured"]
    assert step(road, "publish")["agreement"]["rows"] == 824


def test_without_hubtl_the_card_gives_the_labels_that_hubtl_gives(road, tmp_path):
    room, environment, demo = road
    python = plain_python(tmp_path / "plain")
    by_hubtl = subprocess.run(
        [sys.executable, "-m", "hubtl", "predict", str(room / demo["folder"] / "adapted")]
        + ["--data", str(only_test_rows(room)), "--json"],
        env=environment,
        cwd=room,
        capture_output=True,
        text=True,
        check=True,
    )
    predictions = json.loads(by_hubtl.stdout)["predictions"]
    assert len(predictions) == 824
    shelf = str(room / demo["folder"] / "shelf")
    [said] = said_by_cards(
        python,
        [(room / demo["card"]).read_text()],
        [[each["input"] for each in predictions]],
        {**environment, "HF_HUB_CACHE": shelf, "HF_HUB_OFFLINE": "1"},
    )
    assert said == [each["label"] for each in predictions]


def test_the_readme_shows_what_the_demo_prints(road):
    readme = (ROOT / "README.md").read_text()
    adapted = step(road, "adapt")
    accuracy = adapted["metrics"]["accuracy"]
    assert f"{accuracy['value']:.3f} ({accuracy['low']:.3f} to {accuracy['high']:.3f})" in readme
    assert f"{adapted['baselines']['tfidf']['accuracy']:.3f}" in readme
    assert f"{adapted['metrics']['accuracy']['value']:.4f}" in readme


def test_the_readmes_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(first_block((ROOT / "README.md").read_text()), names)
    assert names["plan"].rows == {"train": 3305, "validation": 0, "test": 824}
