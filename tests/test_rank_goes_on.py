"""A ranking goes on: around what fails, candidate or scorer, after a kill, and as time allows."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from hubtl.registry.errors import OutOfTime
from hubtl.rounds import sizes_of

from .ranking import BERT, ENCODER, TASK, TWIN, copy_of, kept, many_moods, rank, said


def without_numbers(weights: Path) -> None:
    tensors = {name: tensor * float("nan") for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, {"format": "pt"})


def test_a_candidate_that_fails_is_told_and_the_rest_go_on(shelf, moods, tiny_folders):
    copy_of(shelf, tiny_folders[BERT], "acme/nan", without_numbers)
    copy_of(shelf, tiny_folders[BERT], "acme/cut", lambda at: at.write_bytes(at.read_bytes()[:99]))
    copy_of(shelf, tiny_folders[BERT], "acme/pickle", lambda at: at.rename(at.with_suffix(".bin")))
    found = rank(shelf, moods, "acme/nan", "acme/cut", "acme/pickle", BERT)
    assert [each.id for each in found.ranking] == [BERT]
    assert found.advice.startswith("Only `acme/tiny-bert` could be judged")
    why = {each.id: each.why for each in found.failed}
    assert why["acme/nan"] == "the features of 60 of 60 rows are not numbers (NaN or infinite)"
    assert "SafetensorError" in why["acme/cut"]
    assert [(each.id, each.why) for each in found.left_out] == [("acme/pickle", "only as a pickle")]


def test_ctrl_c_goes_through_and_a_second_call_goes_on_from_what_was_made(shelf, moods):
    def stop(step: str, done: int, total: int) -> None:
        if f"2 of 2: {ENCODER}, features; ahead: {BERT}" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank(shelf, moods, BERT, ENCODER, progress=stop)
    made = kept()
    assert len(made) == 1
    rank(shelf, moods, BERT, ENCODER)
    assert len(kept()) == 2 and made.items() <= kept().items()


def test_a_killed_ranking_goes_on_from_the_features_that_were_whole(shelf, moods):
    line = f"rank {TASK} moods.csv --candidates {BERT} {ENCODER} --hub folder:{shelf.cache.root}"
    killed = subprocess.Popen(
        [sys.executable, "-m", "hubtl", *line.split()], stderr=subprocess.DEVNULL
    )
    while not kept() and killed.poll() is None:
        time.sleep(0.005)
    killed.kill()
    killed.wait()
    made = kept()
    assert made
    assert len(rank(shelf, moods, BERT, ENCODER).ranking) == 2
    assert len(kept()) == 2 and made.items() <= kept().items()


def test_a_candidate_that_fails_on_more_rows_is_told_and_the_rest_go_on(shelf, tiny_folders):
    copy_of(shelf, tiny_folders[BERT], TWIN)
    weights = shelf.cache.snapshot(TWIN) / "model.safetensors"

    def spoil(step: str, done: int, total: int) -> None:
        if f"2 of 3: {BERT}, features" in step and weights.is_file():  # it has been judged once
            weights.unlink()

    data = many_moods(96)
    found = rank(shelf, data, TWIN, BERT, ENCODER, time_budget="5m", progress=spoil)
    assert {each.id: each.rows for each in found.ranking} == {BERT: 96, ENCODER: 96}
    assert [each.id for each in found.failed] == [TWIN] and found.failed[0].why
    assert TWIN not in found.advice


BROKEN = """
from hubtl import hookimpl

class Broken:
    name = "broken"
    def __call__(self, features, targets):
        raise ValueError("no luck today")

@hookimpl
def register_scorers():
    return [Broken()]
"""


def test_a_scorer_that_raises_is_told_and_the_others_count(shelf, moods, hubtl_cli, install):
    line = f"rank {TASK} moods.csv --candidates {BERT} {ENCODER} --hub folder:{shelf.cache.root}"
    alone = hubtl_cli(f"{line} --json").json
    install("broken", BROKEN)
    found = hubtl_cli(f"{line} --json").json
    assert sorted(found["not_known"]) == [
        f"broken of {BERT}: ValueError: no luck today",
        f"broken of {ENCODER}: ValueError: no luck today",
    ]
    assert found["weights"] == alone["weights"]
    scores = [[each["score"] for each in told["ranking"]] for told in (alone, found)]
    assert scores[0] == pytest.approx(scores[1])


SPEECHLESS = """
from hubtl import hookimpl
from hubtl.plugins.tasks.text_classification import TextClassification

class Speechless(TextClassification):
    name = "speechless"
    def language(self, inputs):
        raise ValueError("no luck today")

@hookimpl
def register_tasks():
    return [Speechless()]
"""


def test_a_task_that_fails_to_tell_what_counts_for_nothing_is_told(
    shelf, moods, hubtl_cli, install
):
    install("speechless", SPEECHLESS)
    line = f"rank speechless moods.csv --candidates {BERT} --hub folder:{shelf.cache.root} --json"
    found = hubtl_cli(line).json
    assert found["not_known"] == [
        f"related of {BERT}: ValueError: no luck today",
        "the language of the rows: ValueError: no luck today",
    ]
    assert (found["language"], found["ranking"][0]["related"]["value"]) == (None, None)


def test_under_a_budget_rows_come_in_chunks_and_none_is_computed_twice(shelf):
    data = many_moods(96)
    found = rank(shelf, data, BERT, ENCODER, time_budget="5m")
    assert [each.rows for each in found.ranking] == [96, 96]
    made = kept()
    assert len(made) == 2 * len(sizes_of(96, 2, None, budget=True)) == 4
    again = rank(shelf, data, BERT, ENCODER, time_budget="5m")
    assert (said(again), kept()) == (said(found), made)


def test_without_time_for_any_the_budget_is_named(shelf, moods):
    with pytest.raises(OutOfTime, match="no time was left of the budget of 0 s"):
        rank(shelf, moods, BERT, time_budget="0.001s")
