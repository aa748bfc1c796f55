"""Choices by clock and memory are made once, written down, and made again the same."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import hubtl
from hubtl.clock import Clock, seconds_of
from hubtl.predictions import read_predictions
from hubtl.proof import predict_in_clean_process
from hubtl.registry.errors import BadOption, OutOfTime
from hubtl.registry.facts import read_facts
from hubtl.transfer.choices import Choices

from . import serving
from .serving import TOKENS

team_hub = serving.team_hub
TASK = "text-classification"


def adapt(shelf, out: str, **more):
    """Adapt the tiny encoder by the recipe top, and return the folder and its logits."""
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "recipe": "top", "out": out, **more}
    folder = hubtl.adapt(TASK, "moods.csv", **asked).folder
    return folder, read_predictions(folder).logits


@pytest.mark.parametrize(
    ("said", "meant"), [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5m", 90)]
)
def test_a_time_is_read_as_people_write_it(said, meant):
    assert seconds_of(said) == meant


@pytest.mark.parametrize("said", ["", "0", "soon", "5 m", "-3s", "5d"])
def test_what_is_no_time_is_refused(said):
    with pytest.raises(BadOption, match="is no time"):
        seconds_of(said)


def test_a_budget_that_is_clearly_exceeded_ends_the_work():
    clock = Clock(0.5)
    report = clock.watched(lambda *_: None)
    report("training", 1, 2)
    clock._began -= 20
    with pytest.raises(OutOfTime, match="budget of 0 s is used up, at the step `training`"):
        report("training", 2, 2)


def test_a_choice_is_made_once_and_kept_before_it_is_used():
    kept = []
    choices = Choices({"precision": "bf16"}, lambda made: kept.append(dict(made)))
    assert choices.once("precision", lambda: "fp32") == "bf16"
    assert choices.once("steps", lambda: 7) == 7
    assert kept == [{"precision": "bf16", "steps": 7}]


def test_a_budget_below_the_least_is_refused_with_that_least(shelf, moods):
    with pytest.raises(BadOption, match="below the least that this takes here, [0-9]+ s") as told:
        adapt(shelf, "result", time_budget="2s")
    assert told.value.hint.startswith("--time-budget ")
    assert sorted(path.name for path in Path().iterdir()) == ["moods.csv"]


def test_a_budget_is_kept_and_what_it_chose_can_be_chosen_again(shelf, moods):
    endless = {"epochs": "100000", "layers": "1"}
    began = time.monotonic()
    folder, logits = adapt(shelf, "result", time_budget="75s", options=endless)
    assert time.monotonic() - began < 75 + 15
    choices = json.loads((folder / "plan.json").read_text())["choices"]
    assert choices == read_facts(folder).choices
    assert 10 < choices["steps"] < 400_000
    options = {**endless, "rows": "16"}
    _, again = adapt(shelf, "again", plan=folder / "plan.json", options=options)
    assert again == logits


def test_a_dry_run_knows_of_features_that_are_kept(shelf, moods):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "measure": True}
    assert hubtl.plan(TASK, "moods.csv", **asked).estimate["stages"]["features"] > 0
    adapt(shelf, "result")
    assert hubtl.plan(TASK, "moods.csv", **asked).estimate["stages"]["features"] == 0
    again = hubtl.plan(TASK, "moods.csv", recipe="top", **asked)
    assert again.estimate["stages"]["features"] == 0


def test_a_clock_is_asked_each_second_while_the_clean_process_is_silent():
    code = "import time; time.sleep(3); labels = ['a']; logits = lambda xs: [[1.0] for _ in xs]"
    code += "; predict = lambda xs: ['a' for _ in xs]"
    heard = []
    predict_in_clean_process(code, {}, ["x"], progress=lambda *told: heard.append(told))
    assert len(heard) >= 4 and heard[-1] == ("proving", 1, 1)


def test_a_plan_of_nobody_is_refused(shelf, moods):
    Path("plan.json").write_text("[]")
    with pytest.raises(BadOption, match="`plan.json` is no plan"):
        adapt(shelf, "result", plan=Path("plan.json"))


def test_several_seeds_give_a_mean_and_the_best_by_validation_is_kept(shelf, moods):
    folder, _ = adapt(shelf, "result", seeds=3, recipe="lora", options={"epochs": "2"})
    facts = read_facts(folder)
    assert facts.seeds is not None
    runs = facts.seeds["runs"]
    accuracy = [run["metrics"]["accuracy"] for run in runs]
    assert [run["seed"] for run in runs] == [0, 1, 2]
    assert facts.seeds["mean"]["accuracy"] == pytest.approx(sum(accuracy) / 3)
    assert facts.seed == facts.seeds["kept"] in (0, 1, 2)
    assert accuracy[facts.seed] == facts.metrics["accuracy"]["value"]
    assert "(mean ± standard deviation)" in (folder / "README.md").read_text()


def test_a_dry_run_tells_time_memory_and_disk_and_leaves_nothing(shelf, moods, hubtl_cli):
    line = f"adapt {TASK} moods.csv --base acme/tiny-encoder --hub {shelf.name} --recipe top"
    said = hubtl_cli(f"{line} --dry-run --json").json["estimate"]
    assert set(said["stages"]) == set(
        "loading features head training judging calibrating measuring retention baselines".split()
    )
    assert (
        said["least_seconds"]
        <= said["seconds"]
        == pytest.approx(sum(said["stages"].values()), abs=0.1)
    )
    assert said["memory_bytes"] > 10**8 and said["disk_bytes"] > 10**5
    assert "takes    about" in hubtl_cli(f"{line} --dry-run").out
    assert sorted(path.name for path in Path().iterdir()) == ["moods.csv"]


def test_a_dry_run_of_a_base_that_is_not_here_says_how_it_can_be_measured(
    shelf, moods, monkeypatch, team_hub
):
    api = team_hub.api("ana")
    api.create_repo("acme/tiny")
    folder = shelf.cache.snapshot("acme/tiny-encoder")
    api.upload_folder(repo_id="acme/tiny", folder_path=folder)
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    plan = hubtl.plan(TASK, "moods.csv", base="acme/tiny", hub=team_hub.url, measure=True)
    assert plan.estimate is None
    assert plan.not_measured.startswith("the base is not here yet: `hubtl pull acme/tiny` first")
