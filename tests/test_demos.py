"""`hubtl demo`: a plugin's demo is walked like hubtl's own, and those of pictures and sound win."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from hubtl.plugins.manager import plugins

from .conftest import ROOT

STRANGER = """
from pathlib import Path

import hubtl
from hubtl.plugins.hookspecs import Demo

MOODS = Path(__file__).parent / "moods.csv"

@hubtl.hookimpl
def register_demos():
    about = dict(task="text-classification", domain="general", suits="moods", words="tiny")
    return [
        Demo(
            name="moods",
            **about,
            learns="4 rows a label",
            data=MOODS,
            few=4,
            test=MOODS,
            inputs=("a lovely warm day",),
            model="moods",
            base="acme/tiny-encoder",
            recipe="top",
            options={"epochs": "1"},
        )
    ]
"""


def test_text_is_the_first_demo_and_each_has_its_data():
    demos = plugins().demos
    assert list(demos) == ["text", "vision", "speech"]
    assert plugins().demo(None) is demos["text"]
    assert {demo.task for demo in demos.values()} <= set(plugins().tasks)
    files = [path for demo in demos.values() for path in (demo.data, demo.test or demo.data)]
    files += [each for demo in demos.values() for each in demo.inputs if not isinstance(each, str)]
    assert all(path.exists() for path in files)


def test_a_demo_that_nobody_offers_is_told_with_those_there_are(hubtl_cli):
    said = hubtl_cli("demo --modality smell")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "error: `smell` is not a demo that hubtl knows\n\nhint: there are: speech, text, vision\n"
    )


def test_a_strangers_demo_walks_the_road_and_a_tie_is_no_success(
    install, moods, shelf, tmp_path, hubtl_cli
):
    install("moods", STRANGER)
    shutil.copy(moods, tmp_path / "site" / "moods.csv")
    said = hubtl_cli("demo --modality moods --json", HUBTL_HUB=shelf.name)
    assert said.out, said.err
    steps = said.json["steps"]
    assert [step["command"].replace(str(tmp_path), "…") for step in steps] == [
        "hubtl search tiny --task text-classification --limit 3",
        "hubtl adapt text-classification hubtl-demo/few.csv --test …/site/moods.csv "
        "--domain general --base acme/tiny-encoder --recipe top --set epochs=1 "
        "--out hubtl-demo/adapted",
        "hubtl predict hubtl-demo/adapted 'a lovely warm day'",
        "hubtl publish hubtl-demo/adapted --to acme/moods --hub folder:hubtl-demo/shelf "
        "--with-base",
        "hubtl search --hub folder:hubtl-demo/shelf --kind adapter",
        "hubtl verify acme/moods --hub folder:hubtl-demo/shelf",
    ]
    assert steps[1]["rows"] == {"train": 8, "validation": 0, "test": 20}
    assert steps[3]["verified"] and steps[5]["verified"]
    # Words alone tell these moods apart, so no network can beat them.
    assert (said.code, said.json["beats_baseline"]) == (1, False)
    assert "error: the adapted model does not beat its baseline" in said.err


@pytest.fixture(scope="module", params=["vision", "speech"])
def walked(request, tmp_path_factory):
    """What `hubtl demo --modality NAME --json` says, run in an empty folder with nothing set."""
    room = tmp_path_factory.mktemp(request.param)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUBTL_", "HF_"))}
    done = subprocess.run(
        [sys.executable, "-m", "hubtl", "demo", "--modality", request.param, "--json"],
        cwd=room,
        env={**kept, "HUBTL_HOME": str(room / "home"), "HF_HOME": str(room / "hf")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def step(walked, name):
    return next(s for s in walked["steps"] if s["command"].split()[1] == name)


@pytest.mark.weights
def test_a_demo_finds_adapts_publishes_and_verifies(walked):
    adapted, published = step(walked, "adapt"), step(walked, "publish")
    assert step(walked, "search")["entries"][0]["id"] == adapted["base"]
    assert published["verified"] and step(walked, "verify")["verified"]
    assert published["agreement"]["rows"] == adapted["rows"]["test"]
    assert published["metric"]["reproduced"] == published["metric"]["measured"]


@pytest.mark.weights
def test_a_demo_beats_the_strongest_rival_by_a_clear_margin(walked):
    gain = step(walked, "adapt")["gain"]
    assert gain["over"] in {"colours", "mfcc"}
    assert gain["low"] > 0.02


@pytest.mark.weights
def test_the_readme_shows_what_the_demos_print(walked):
    readme = (ROOT / "README.md").read_text()
    adapted = step(walked, "adapt")
    accuracy = adapted["metrics"]["accuracy"]
    assert f"{accuracy['value']:.3f} ({accuracy['low']:.3f} to {accuracy['high']:.3f})" in readme
    # A rival's solver stops after so many steps: its last digit hangs on the number of threads.
    told = [float(each) for each in re.findall(r"logistic regression +(0\.\d+)", readme)]
    for name in set(adapted["baselines"]) - {"majority"}:
        found = adapted["baselines"][name]["accuracy"]
        assert min(abs(found - each) for each in told) < 0.02
