"""`--base auto` adapts the first of a ranking, says why, and keeps to it when it goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import hubtl
from hubtl.best_base import told
from hubtl.cli.adapt import _say_plan
from hubtl.ranked import Ranked, Ranking
from hubtl.registry.entry import LeftOut
from hubtl.registry.errors import BadOption, UnknownName
from hubtl.registry.fingerprint import files_in
from hubtl.registry.places import trunks

from .conftest import MINILM
from .tiny import clip_folder

TASK = "text-classification"
BERT, ENCODER = "acme/tiny-bert", "acme/tiny-encoder"
BOTH = {f"`{BERT}` and `{ENCODER}`", f"`{ENCODER}` and `{BERT}`"}


def adapt(shelf, out: str, **more):
    asked = {"base": "auto", "hub": shelf.name, "out": Path(out), **more}
    return hubtl.adapt(TASK, "moods.csv", **asked)


def made() -> dict[str, int]:
    """Each kept trunk, and when its features were made."""
    kept = trunks()[0].glob("*/pooled.npy")
    return {path.parent.name: path.stat().st_mtime_ns for path in kept}


def stopping_at(stage: str):
    """Return a progress that is interrupted at a stage, and the stages that it hears."""
    heard: list[str] = []

    def progress(step: str, done: int, total: int) -> None:
        heard.append(step)
        if stage in step:
            raise KeyboardInterrupt

    return progress, heard


def test_the_first_of_the_ranking_is_adapted_from_the_features_that_the_ranking_made(shelf, moods):
    ranking = hubtl.rank(TASK, moods, hub=shelf.name)
    features = made()
    shutil.rmtree(trunks()[0])
    facts = adapt(shelf, "result").facts
    assert facts.base == ranking.ranking[0].id
    assert facts.why == told(ranking)
    assert ranking.advice in facts.why and any(names in facts.why for names in BOTH)
    assert made().keys() == features.keys() and len(features) == 2
    assert facts.choices["base"] == f"{facts.base}@{facts.base_revision}"


def test_test_rows_have_no_say_in_which_base_is_taken(shelf, moods):
    before = adapt(shelf, "before").facts
    swapped = {"good": "bad", "bad": "good"}
    lines = [line.split(",") for line in moods.read_text().splitlines()]
    moods.write_text(
        "\n".join(
            ",".join((text, swapped[label], part) if part == "test" else (text, label, part))
            for text, label, part in lines
        )
    )
    after = adapt(shelf, "after").facts
    assert (after.base, after.why) == (before.base, before.why)
    assert after.metrics["accuracy"]["value"] == pytest.approx(
        1 - before.metrics["accuracy"]["value"]
    )


def test_resume_keeps_the_base_though_another_would_be_first_now(shelf, moods, tiny_folders):
    stop, heard = stopping_at("trying probe (2 of")
    with pytest.raises(KeyboardInterrupt):
        adapt(shelf, "result", recipe="auto", progress=stop)
    assert any("judging, 2 of 2" in step for step in heard)
    shelf.cache.add("acme/another", files_in(tiny_folders[BERT]))
    listen, heard = stopping_at("never")
    resumed = adapt(shelf, "result", recipe="auto", resume=True, progress=listen)
    assert not [step for step in heard if "judging, " in step]
    assert "acme/another" not in resumed.facts.why and "`auto` chose" in resumed.facts.why
    plan = json.loads((resumed.folder / "plan.json").read_text())
    assert plan["job"]["base"] == "auto"
    assert plan["choices"]["base"].partition("@")[0] == resumed.facts.base


def test_what_was_stopped_while_it_ranked_goes_on_too(shelf, moods):
    stop, _ = stopping_at("judging, 2 of 2")
    with pytest.raises(KeyboardInterrupt):
        adapt(shelf, "result", progress=stop)
    before = made()
    assert adapt(shelf, "result", resume=True).facts.base in (BERT, ENCODER)
    assert len(before) == 1 and before.items() <= made().items()


def test_a_plan_takes_the_base_that_was_chosen_for_it(shelf, moods):
    first = adapt(shelf, "first").facts
    listen, heard = stopping_at("never")
    again = adapt(shelf, "again", plan=Path("first"), progress=listen).facts
    assert (again.base, again.why) == (first.base, first.why)
    assert not [step for step in heard if "judging, " in step]


def test_a_budget_leaves_a_fifth_to_the_ranking_and_is_kept(shelf, moods):
    facts = adapt(shelf, "result", time_budget="90s", recipe="top").facts
    assert facts.seconds < 90 + 15 and facts.choices["steps"] != 0
    assert facts.base in (BERT, ENCODER) and "ranked on 60 of 60 rows" in facts.why


def test_without_time_to_rank_the_smallest_is_taken_and_that_is_said(shelf, moods, monkeypatch):
    monkeypatch.setattr("hubtl.best_base.SHARE", 1e-9)
    facts = adapt(shelf, "result", time_budget="60s").facts
    assert facts.why.startswith("There was no time within the budget to rank ")
    assert facts.why.endswith(f"`{facts.base}`, the smallest, was taken.")


def test_an_only_candidate_is_taken_without_ranking_and_one_of_no_domain_is_told(moods):
    listen, heard = stopping_at("never")
    plan = hubtl.plan(TASK, moods, base="auto", domain="legal")
    assert plan.candidates == (MINILM,)
    facts = hubtl.adapt(TASK, moods, base="auto", domain="legal", progress=listen).facts
    assert facts.base == MINILM and facts.why == (
        f"`{MINILM}` was taken without ranking: it is the only candidate for the task. No "
        "candidate is of the domain `legal`, so it is of any."
    )
    assert not [step for step in heard if "judging, " in step]


def test_a_dry_run_reckons_features_at_a_cut_though_bases_are_ranked_on_all_rows(shelf, moods):
    asked = {"base": "auto", "hub": shelf.name, "measure": True}
    plan = hubtl.plan(TASK, moods, recipe="lora", **asked)
    assert plan.estimate and plan.estimate["stages"]["features"] > 0


def test_a_dry_run_says_what_would_be_ranked_and_what_that_takes(shelf, moods):
    plan = hubtl.plan(TASK, moods, base="auto", hub=shelf.name, measure=True)
    assert (plan.base, plan.base_revision) == ("auto", None)
    assert set(plan.candidates) == {BERT, ENCODER} and plan.estimate
    stages = plan.estimate["stages"]
    assert stages["ranking"] > 0 == stages["features"]
    assert plan.estimate["seconds"] == pytest.approx(sum(stages.values()), abs=0.01)
    assert not made()
    said: list[str] = []
    _say_plan(plan, said.append)
    assert any(line.startswith("base     the first of a ranking of acme/") for line in said)


def test_the_errors_are_those_of_rank(shelf, moods, tmp_path):
    with pytest.raises(UnknownName, match="no model for `image-classification` to rank"):
        hubtl.plan("image-classification", _pictures(tmp_path), base="auto", hub=shelf.name)
    with pytest.raises(BadOption, match="there is nothing to resume"):
        adapt(shelf, "result", resume=True)


def test_auto_is_what_a_mistyped_base_may_have_meant(shelf, moods):
    with pytest.raises(UnknownName, match="`auot` is not a model") as told:
        hubtl.plan(TASK, moods, base="auot", hub=shelf.name)
    assert told.value.hint == "did you mean `--base auto`?"


def test_speech_recognition_has_one_starter_and_takes_it(tmp_path):
    clips = clip_folder(tmp_path / "clips", rows=3)
    lines = [f"{path},some words {path.stem}" for path in sorted(clips.glob("*/*.wav"))]
    Path("said.csv").write_text("\n".join(["file,text", *lines]))
    plan = hubtl.plan("automatic-speech-recognition", "said.csv", base="auto", recipe="lora")
    assert plan.candidates == ("starter/whisper-tiny.en",)


def test_the_reason_names_who_failed_and_counts_many():
    def ranked(name: str) -> Ranked:
        return Ranked(name, 0.0, 0.0, 0.0, (), {}, 1.0, 60)

    names = [f"acme/{letter}" for letter in "abcdefg"]
    found = Ranking(
        TASK, tuple(map(ranked, names)), "Take it.", 60, 1200, {}, {}, {}, 0,
        (LeftOut("acme/z", "broken"),), (), (), 1.0,
    )  # fmt: skip
    assert told(found) == (
        "Of `acme/a`, `acme/b`, `acme/c`, `acme/d`, `acme/e` and 2 more (`acme/z` could not be "
        "judged), ranked on 60 of 1,200 rows to learn from, `acme/a` was taken. Take it."
    )


def _pictures(folder: Path) -> Path:
    """Return a folder of pictures: two classes, two of each."""
    from PIL import Image

    for label, colour in (("light", 250), ("dark", 5)):
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(5):
            picture = Image.new("RGB", (8, 8), (colour, number, number))
            picture.save(folder / "pictures" / label / f"{number}.png")
    return folder / "pictures"
