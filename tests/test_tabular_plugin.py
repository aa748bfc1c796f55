"""A stranger's modality: rows of a table, by a plugin of its own, of which hubtl knows nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from .conftest import ROOT
from .plain import plain_python, said_by_cards

PLUGIN = ROOT / "examples" / "plugins" / "hubtl-tabular"
TASK = "tabular-classification"
DIABETES = partial(load_diabetes, scaled=False)
LONG = pytest.mark.long
UNWANTED = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """The Python of a new environment into which pip has installed hubtl and the plugin."""
    room = tmp_path_factory.mktemp("clean")
    shutil.copytree(ROOT, room / "hubtl", symlinks=True, ignore=UNWANTED)
    python = plain_python(room / "environment")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    inside = room / "hubtl" / PLUGIN.relative_to(ROOT)
    subprocess.run([*pip, *options, str(room / "hubtl"), str(inside)], check=True)
    return python


def run(python: Path, *words: object) -> dict:
    """Run a hubtl command of an environment, and return what it says as JSON."""
    line = [str(python), "-Im", "hubtl", *map(str, words), "--json"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def mixed(path: Path) -> Path:
    """Write 60 rows of a number and a word that tell the label, with gaps, and a split."""
    lines = ["size,colour,label,split"]
    for number in range(60):
        label, part = ("good", "bad")[number % 2], "test" if number < 20 else "train"
        size = number % 2 * 5 + number % 3 if number % 7 != 3 else ""
        colour = ("green", "red")[number % 2] if number % 7 != 5 else ""
        lines.append(f"{size},{colour},{label},{part}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_plugin_is_short():
    lines = [line for path in PLUGIN.rglob("*.py") for line in path.read_text().splitlines()]
    assert len(lines) < 300


@pytest.mark.parametrize(
    "recipe", ["probe", pytest.param("lora", marks=LONG), pytest.param("full", marks=LONG)]
)
def test_mixed_columns_with_gaps_take_the_whole_road(recipe, clean, shelf, tmp_path):
    data, hub = mixed(tmp_path / "boxes.csv"), ("--hub", shelf.name)
    assert TASK in run(clean, "plugins")["tasks"]
    base = ("--base", "acme/tiny-encoder", "--recipe", recipe, "--domain", "general")
    facts = run(clean, "adapt", TASK, data, *base, *hub, "--out", "made")
    assert set(facts["baselines"]) == {"majority", "boosting"}
    # Without public inputs of rows, what is kept is known only of a body that is left as it was.
    assert facts["retention"]["score"] == (1.0 if recipe == "probe" else None)
    row = '{"colour": "red", "size": null}'
    (said,) = run(clean, "predict", "made", row, *hub)["predictions"]
    assert (said["input"], said["label"]) == (row, "bad")
    assert run(clean, "publish", "made", "--to", "acme/rows", *hub, "--allow-worse")["verified"]


def test_a_number_is_told_of_mixed_columns_and_goes_the_whole_road(clean, shelf, tmp_path):
    rows = [line.split(",") for line in mixed(tmp_path / "boxes.csv").read_text().splitlines()[1:]]
    prices = [
        f"{3 if label == 'good' else 9}.{number % 5}" for number, (*_, label, _) in enumerate(rows)
    ]
    lines = [
        f"{size},{colour},{price}" for (size, colour, *_), price in zip(rows, prices, strict=True)
    ]
    (tmp_path / "prices.csv").write_text("\n".join(["size,colour,price", *lines]) + "\n")
    hub = ("--hub", shelf.name)
    base = ("--base", "acme/tiny-encoder", "--domain", "general", *hub)
    asked = ("tabular-regression", tmp_path / "prices.csv", *base, "--out", "made")
    facts = run(clean, "adapt", *asked)
    assert set(facts["baselines"]) == {"majority", "boosting"}
    assert facts["metrics"]["mse"]["value"] < facts["baselines"]["majority"]["mse"]
    row = '{"colour": "red", "size": null}'
    (said,) = run(clean, "predict", "made", row, *hub)["predictions"]
    assert (said["score"], said["scores"]) == (None, {"price": said["label"]})
    assert 2 < said["label"] < 11
    assert run(clean, "publish", "made", "--to", "acme/prices", *hub, "--allow-worse")["verified"]


def test_where_boosting_wins_that_is_said_first(clean, shelf, tmp_path):
    # Stripes, three in each fifth: a row's sentence tells the fifth, and a line parts no more than
    # two of its three.
    sizes = [(stripe + part / 60, part) for stripe in range(15) for part in range(60)]
    lines = [
        f"{size:.4f},{('in', 'out')[int(size) % 2]},{'train' if part % 4 else 'test'}"
        for size, part in sizes
    ]
    (tmp_path / "stripes.csv").write_text("\n".join(["size,label,split", *lines]) + "\n")
    words = ["adapt", TASK, str(tmp_path / "stripes.csv"), "--base", "acme/tiny-encoder"]
    line = [str(clean), "-Im", "hubtl", *words, "--hub", shelf.name, "--out", "made"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    facts = json.loads(Path("made/hubtl.json").read_text())
    assert facts["beats_baseline"] is False
    assert facts["metrics"]["accuracy"]["high"] < 0.8
    assert facts["baselines"]["boosting"]["accuracy"] > 0.9
    told = "This does not beat the best baseline: gradient boosting is better on these rows."
    assert done.stdout.splitlines()[0] == told


def test_a_base_that_is_no_sentence_encoder_is_told(clean, shelf, tmp_path):
    words = [TASK, str(mixed(tmp_path / "boxes.csv")), "--base", "acme/tiny-bert"]
    line = [str(clean), "-Im", "hubtl", "adapt", *words, "--hub", shelf.name]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 1
    assert "error: rows are read by a sentence encoder of mean pooling" in done.stderr


@pytest.mark.long
@pytest.mark.weights
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, DIABETES])
def test_real_rows_are_learnt_published_and_told_by_the_cards_own_code(load, clean, tmp_path):
    found, base = load(as_frame=True), "sentence-transformers/all-MiniLM-L6-v2"
    task, label = "tabular-regression", found.target
    if load is not DIABETES:
        task, label = TASK, label.map(dict(enumerate(found.target_names)))
    found.data.assign(label=label).to_csv("rows.csv", index=False)
    facts = run(clean, "adapt", task, "rows.csv", "--base", base, "--out", "made")
    if load is DIABETES:
        assert facts["metrics"]["mse"]["high"] < facts["baselines"]["majority"]["mse"]
    else:
        assert facts["metrics"]["accuracy"]["value"] > 0.9
    hub = f"folder:{tmp_path / 'shared'}"
    asked = ("--to", "acme/rows", "--hub", hub, "--domain", "general", "--with-base")
    sent = run(clean, "publish", "made", *asked, "--allow-worse")
    assert sent["verified"]
    said = run(clean, "predict", "acme/rows", "--data", "rows.csv", "--hub", hub)["predictions"]
    card = next((tmp_path / "shared").rglob("snapshots/*/hubtl.json")).parent / "README.md"
    kept = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "shared"), "HF_HUB_OFFLINE": "1"}
    python = plain_python(tmp_path / "plain")
    (told,) = said_by_cards(python, [card.read_text()], [[each["input"] for each in said]], kept)
    labels = [each["label"] for each in said]
    assert told == (pytest.approx(labels, rel=1e-3) if load is DIABETES else labels)
