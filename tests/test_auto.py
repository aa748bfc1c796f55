"""`auto` keeps the cheapest recipe unless a richer one wins by more than the noise, and why."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from pathlib import Path

import pytest

import hubtl
from hubtl.adaptation import adapt
from hubtl.ascent import Ascent, Attempt
from hubtl.auto import climb
from hubtl.climbing import (
    Climb,
    Gains,
    Trial,
    compare,
    folds_for,
    nothing_to_gain,
    paragraph,
)
from hubtl.estimate import takes_by
from hubtl.job import prepare
from hubtl.predictions import read_predictions
from hubtl.registry.errors import BadOption, UnknownName
from hubtl.registry.facts import read_facts
from hubtl.sources import pull
from hubtl.splitting import parts_to_judge
from hubtl.subject import Request
from hubtl.transfer.choices import Choices
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example, folds
from hubtl.transfer.trial import Judged
from hubtl.trying import Part, Trying
from hubtl.unfinished import Unfinished

TENTH = {"value": 0.1, "low": 0.06, "high": 0.14}
TRUE = ["yes", "no"] * 100


def said(wrong: int, loss: float, start: int = 0) -> Judged:
    """Return answers of which so many from a row on are wrong, with losses round a mean."""
    other = {"yes": "no", "no": "yes"}
    at = range(start, start + wrong)
    labels = [other[label] if row in at else label for row, label in enumerate(TRUE)]
    return Judged(tuple(labels), tuple(loss + (row % 5 - 2) / 20 for row in range(200)))


def gains(ours: Judged, theirs: Judged) -> Gains:
    return compare(TRUE, ours, theirs, ONE_CLASS.metrics)


def test_a_recipe_wins_by_its_metric_beyond_the_noise_whatever_its_loss():
    found = gains(said(10, 0.6), said(40, 0.5))
    assert found.metric and found.metric["value"] == pytest.approx(0.15)
    assert found.metric["low"] > 0 > found.loss["high"] and found.wins


def test_a_recipe_wins_by_its_loss_only_where_its_metric_is_no_worse():
    assert gains(said(20, 0.3), said(20, 0.5)).wins
    assert not gains(said(21, 0.3), said(20, 0.5)).wins


def test_what_is_within_the_noise_does_not_win_but_may_be_looked_at_further():
    lucky = gains(said(19, 0.5), said(20, 0.5, start=1))
    assert lucky.possible and not lucky.wins
    surer = gains(said(20, 0.45), said(20, 0.5))  # the same labels, each a little likelier
    assert surer.metric and surer.metric["high"] == 0 and surer.possible
    assert not gains(said(20, 0.5), said(20, 0.5)).possible
    assert not gains(said(40, 0.6), said(20, 0.5)).possible


def test_only_the_rows_that_both_answered_are_compared():
    part = Judged(said(0, 0.1).labels[:60], said(0, 0.1).losses[:60])
    found = gains(part, said(30, 0.5))
    assert found.metric and found.metric["value"] == pytest.approx(0.5)


def test_texts_are_compared_by_their_loss_alone():
    found = gains(Judged((), said(0, 0.3).losses), Judged((), said(0, 0.5).losses))
    assert found.metric is None and found.wins


def test_richer_recipes_are_left_out_where_nothing_is_to_be_gained():
    assert nothing_to_gain(TRUE, said(3, 0.1)).startswith("the one that is kept is wrong on 3")
    assert nothing_to_gain(TRUE, said(4, 0.1)) == ""
    fewer = Judged(said(4, 0.1).labels[:40], said(4, 0.1).losses[:40])
    assert nothing_to_gain(TRUE, fewer) == ""


def test_few_rows_are_judged_all_and_of_many_some_are_enough():
    assert [folds_for(rows) for rows in (60, 500, 1000, 2500, 10_000)] == [3, 3, 2, 1, 1]


def test_one_paragraph_says_what_was_tried_and_what_was_not():
    probe = Trial("probe", 200, 0.85, 0.5, 1.0)
    top = Trial("top", 200, 0.95, 0.4, 9.0, "probe", Gains(TENTH, TENTH))
    climb = Climb("top", "accuracy", (probe, top), {"full": "no time"}, 3, {"tfidf": 0.6})
    assert paragraph(climb, {}) == (
        "`auto` chose `top` by 200 rows that each recipe was judged on without having learnt from "
        "them (3 of 3 folds; test rows had no say). `probe` reached accuracy 0.850 and log loss "
        "0.500; `top` reached accuracy 0.950 and log loss 0.400 on 200 rows, a gain over `probe` "
        "of +0.100 (+0.060 to +0.140) in accuracy and +0.100 (+0.060 to +0.140) in log loss: "
        "kept. Not tried: `full` (no time)."
    )
    assert Climb.from_json(json.loads(json.dumps(climb.as_json()))) == climb


def test_a_rival_that_no_recipe_beats_is_told_first():
    climb = Climb("probe", "accuracy", (Trial("probe", 200, 0.8, 0.5, 1.0),), {}, 3, {"tfidf": 0.9})
    told = paragraph(climb, {"tfidf": "TF-IDF"}, "TF-IDF")
    assert told.startswith(
        "On the test rows it does not beat TF-IDF. On held-out rows TF-IDF reached accuracy 0.900, "
        "and no recipe did better."
    )


def test_folds_hold_out_each_row_once_and_a_group_whole():
    rows = [
        Example(str(n), f"text {n}", "ab"[n % 2], group=f"g{n // 4}" if n < 40 else "")
        for n in range(80)
    ]
    parts = list(folds(rows, 5, 0))
    held = [row.id for _, out in parts for row in out]
    assert len(held) == len(set(held)) > 60
    for kept, out in parts:
        assert len(kept) + len(out) == 80
        assert not {row.group for row in kept} & {row.group for row in out} - {""}


def adapt_by_auto(asked, stop_at: str = "never"):
    """Adapt to moods, interrupted at a step, and return the result and the steps."""
    heard = []

    def progress(step: str, done: int, total: int) -> None:
        heard.append(step)
        if step.startswith(stop_at):
            raise KeyboardInterrupt

    task, out = "text-classification", Path("auto")
    made = hubtl.adapt(task, "moods.csv", recipe="auto", out=out, progress=progress, **asked)
    return made, heard


@pytest.mark.long
def test_auto_is_as_good_as_the_recipe_it_chose_and_goes_on_where_it_was_stopped(
    shelf, moods, home
):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "domain": "general"}
    with pytest.raises(KeyboardInterrupt):
        adapt_by_auto(asked, stop_at="trying probe (3 of")
    made, heard = adapt_by_auto({**asked, "resume": True})
    assert min(step for step in heard if "probe (" in step).startswith("trying probe (3 of")
    facts = read_facts(made.folder)
    assert (facts.asked, facts.recipe) == ("auto", facts.climb and facts.climb["recipe"])
    assert facts.climb and facts.climb["trials"][0]["recipe"] == "probe"
    assert set(facts.climb["trials"][0]) == {
        *("recipe", "rows", "value", "loss", "seconds", "over", "gains"),
    }
    assert all(
        trial["rows"] == facts.climb["trials"][0]["rows"] or not Gains(**trial["gains"]).possible
        for trial in facts.climb["trials"]
    ), "where there is time, what may still win is judged on all rows"
    assert "`auto` chose" in facts.why and facts.why in (made.folder / "README.md").read_text()
    assert not list(home.glob("unfinished/*/plan.json"))
    alone = hubtl.adapt("text-classification", moods, recipe=facts.recipe, out=Path("one"), **asked)
    assert read_predictions(alone.folder).logits == read_predictions(made.folder).logits
    again = hubtl.adapt(
        "text-classification", moods, recipe="auto", plan=made.folder, out=Path("again"), **asked
    )
    assert again.facts.recipe == facts.recipe and again.facts.climb
    assert again.facts.climb["trials"] == ()
    assert read_predictions(again.folder).logits == read_predictions(made.folder).logits


@pytest.mark.long
def test_what_is_slower_than_foreseen_is_given_up_while_there_is_time_for_the_best(shelf, moods):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "time_budget": "10m"}
    job = prepare(Request("text-classification", moods, recipe="auto", **asked))

    def slow(step: str, done: int, total: int) -> None:
        if " of " in step and not step.startswith("trying probe"):
            job.clock._began = min(job.clock._began, time.monotonic() - 598)

    facts = adapt(job, slow, lambda plan: None).facts
    assert facts.recipe == "probe" and facts.climb
    assert [trial["recipe"] for trial in facts.climb["trials"]] == ["probe"]
    told = Counter(why.partition(":")[0] for why in facts.climb["not_tried"].values())
    assert told["it took longer than was foreseen"] == 1


@pytest.mark.parametrize(("left", "chosen"), [(500, "top"), (100, "probe")])
def test_a_winner_is_kept_only_where_time_is_left_to_train_it_as_it_was_judged(
    left, chosen, shelf, moods, tmp_path
):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "time_budget": "10m"}
    job = prepare(Request("text-classification", moods, recipe="auto", **asked))
    base, room = pull(job.source, job.base), Unfinished(tmp_path, Choices())
    climb = Ascent(job, base, room, room, lambda *_: None, "accuracy")
    for rung in (each for each in job.rungs if each.recipe.name in ("probe", "top")):
        takes = takes_by(job.by(rung), base, room.choices, lambda *_: None)
        long = dataclasses.replace(takes, seconds={**takes.seconds, "training": 300.0})
        climb.kept.append(Attempt(rung, long))
    job.clock._began = time.monotonic() - (600 - left)
    climb._turn_back()
    assert climb.best.rung.recipe.name == chosen
    assert list(climb.not_tried) == ([] if chosen == "top" else ["top"])


def test_what_was_said_of_rows_held_out_tells_the_temperature(shelf, moods, tmp_path):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name}
    job = prepare(Request("text-classification", moods, recipe="auto", **asked))
    room = Unfinished(tmp_path, Choices())
    climb = Ascent(job, tmp_path, room, room, lambda *_: None, "accuracy")
    first, second = job.labels
    climb.true = [first, second, second, first]
    climb.kept.append(Attempt(job.rungs[0], None, Judged((first, first), (0.1, 2.0), (2.0, 8.0))))
    held_out = climb.held_out
    assert held_out and held_out.temperature == pytest.approx(4.0)
    assert (held_out.true.tolist(), held_out.said.tolist()) == ([0, 1], [0, 0])
    assert held_out.how == "2 rows out of the folds of `auto`"


def test_what_was_found_before_a_stop_is_gone_on_with_and_nothing_is_tried_again(
    shelf, moods, tmp_path
):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name}
    job = prepare(Request("text-classification", moods, recipe="auto", **asked))
    work = Unfinished(tmp_path, Choices())
    found = Climb("lora", "accuracy", (Trial("probe", 2, 0.5, 0.7, 1.0),), folds=3)
    told = {"true": [0, 1], "said": [0, 0], "temperature": 4.0, "how": "2 rows"}
    (tmp_path / "climb").mkdir()
    done = {"climb": found.as_json(), "held_out": told}
    (tmp_path / "climb" / "done.json").write_text(json.dumps(done))
    again, held_out = climb(job, tmp_path, work, lambda *_: None)
    assert again == found and held_out and held_out.as_json() == told
    assert work.choices.all() == {
        "recipe": "lora",
        "learns from all rows": True,
        "temperature": 4.0,
    }


@pytest.mark.parametrize(
    ("found", "validation", "temperature"),
    [({"learns from all rows": True, "temperature": 2.5}, 0, 2.5), ({}, 8, None)],
)
def test_the_winner_learns_from_all_rows_as_it_was_judged_and_is_calibrated_by_those_held_out(
    found, validation, temperature, shelf, moods, tmp_path
):
    asked = {"base": "acme/tiny-encoder", "hub": shelf.name, "recipe": "auto", "plan": tmp_path}
    (tmp_path / "plan.json").write_text(json.dumps({"choices": {"recipe": "lora", **found}}))
    facts = hubtl.adapt("text-classification", moods, out=Path("made"), **asked).facts
    assert (facts.recipe, facts.rows["validation"]) == ("lora", validation)
    if temperature:
        assert facts.calibration["temperature"] == temperature
    else:
        assert facts.calibration["how"].endswith("validation rows")


def test_auto_is_among_what_a_mistyped_recipe_may_have_meant(moods):
    with pytest.raises(UnknownName) as caught:
        hubtl.adapt("text-classification", moods, recipe="auot")
    assert caught.value.hint == "did you mean `auto`? see `hubtl recipes`"


def test_auto_takes_only_options_that_every_recipe_has(shelf, moods):
    with pytest.raises(BadOption, match="has no option `rank`") as told:
        hubtl.plan("text-classification", moods, recipe="auto", options={"rank": "4"})
    assert told.value.hint.startswith("`--recipe auto` takes what every recipe takes")


def test_what_changes_the_body_is_judged_by_the_body_it_changed(shelf, moods, tmp_path):
    asked = Request(
        "text-classification", moods, base="acme/tiny-encoder", recipe="auto", hub=shelf.name
    )
    job = prepare(asked)
    rows = job.split.train
    parts = [Part(*each) for each in parts_to_judge(job.data, rows, 5, 0, job.goal)][:1]
    base = pull(job.source, job.base)
    room = Unfinished(tmp_path, Choices())
    with quiet_libraries():
        trying = Trying(job, base, room, room, rows, parts)
        said = {
            rung.recipe.name: trying.judge(rung, [0], lambda *_: None)
            for rung in job.rungs
            if rung.recipe.name in ("probe", "fewshot")
        }
    true = [row.label for row in parts[0].held]
    assert said["probe"].losses != said["fewshot"].losses
    assert sum(a == b for a, b in zip(true, said["fewshot"].labels, strict=True)) > len(true) / 2
    assert max(said["fewshot"].losses) < 2  # a new head on the old features would be far off
