"""`rank` judges bases by rows to learn from, tells ties, and goes on where a candidate fails."""

from __future__ import annotations

import csv
import dataclasses
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import hubtl
from hubtl.candidates import Candidate, find_candidates
from hubtl.cli.rank import bar, command
from hubtl.job import prepare
from hubtl.learning import network_of, session_of
from hubtl.ranked import Ranking
from hubtl.rating import Rated
from hubtl.registry.cache import ModelCache
from hubtl.registry.entry import Entry, Query
from hubtl.registry.errors import BadOption, OutOfTime, UnknownName
from hubtl.registry.fingerprint import files_in
from hubtl.registry.ledger import Ledger
from hubtl.registry.past import Past
from hubtl.registry.places import ledger, models, trunks
from hubtl.rounds import next_round, sizes_of
from hubtl.sources import pull
from hubtl.standings import priors_of
from hubtl.subject import Request
from hubtl.transfer.choices import Choices
from hubtl.transfer.meter import Meter
from hubtl.transfer.progress import silent
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.views import viewed

from .conftest import WORDS, sentences
from .tiny import clip_folder

TASK = "text-classification"
NAN = float("nan")
BERT, ENCODER, TWIN = "acme/tiny-bert", "acme/tiny-encoder", "acme/twin"


def rank(shelf, data, *named: str, **more) -> Ranking:
    return hubtl.rank(TASK, data, candidates=named, hub=shelf.name, **more)


def said(found: Ranking) -> list[hubtl.Ranked]:
    """What was said of candidates but for the time it took."""
    return [dataclasses.replace(each, seconds=0) for each in found.ranking]


def kept() -> dict[str, int]:
    """Each trunk that is kept whole, and when its features were made."""
    made = trunks()[0].glob("[0-9a-f]*/pooled.npy")
    return {path.parent.name: path.stat().st_mtime_ns for path in made}


def copy_of(shelf, folder: Path, name: str, spoil=None) -> None:
    """Put a copy of a tiny base on the shelf under another name, its weights spoilt."""
    shutil.copytree(folder, name.partition("/")[2])
    weights = Path(name.partition("/")[2], "model.safetensors")
    if spoil:
        spoil(weights)
    shelf.cache.add(name, files_in(weights.parent))


def without_numbers(weights: Path) -> None:
    tensors = {name: tensor * float("nan") for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, {"format": "pt"})


def many_moods(rows: int, path: Path = Path("many.csv")) -> Path:
    """A csv of so many rows to train on, and ten to test."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for label in WORDS:
            for number, text in enumerate(sentences(label, rows // 2 + 5)):
                part = "train" if number < rows // 2 else "test"
                writer.writerow([f"{text} {number}", label, part])
    return path


def test_a_score_is_the_sum_of_its_parts_and_has_an_interval(shelf, moods):
    found = rank(shelf, moods, BERT, ENCODER)
    assert {each.id for each in found.ranking} == {BERT, ENCODER}
    assert (found.rows, found.of_rows) == (60, 60)
    assert {"probe", "neighbours", "logme", "h_score", "nleep"} == set(found.scorers)
    for each in found.ranking:
        assert each.score == pytest.approx(sum(part or 0 for part in each.parts.values()))
        assert each.low <= each.score <= each.high and each.seconds > 0
        assert each.priors == {"parameters": each.params, "downloads": None, "benchmark": None}
    promised = {"id", "score", "low", "high", "tied_with", "priors", "seconds"}
    told = found.as_json()
    assert promised <= set(told["ranking"][0]) and {"scorer", "rows"} <= set(told)


def test_what_test_rows_are_changes_nothing(shelf, moods):
    before = rank(shelf, moods, BERT, ENCODER)
    with moods.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    other = {"good": "bad", "bad": "good"}
    with moods.open("w", encoding="utf-8", newline="") as file:
        for text, label, part in rows:
            changed = (text + " not", other.get(label, label))
            csv.writer(file).writerow([*(changed if part == "test" else (text, label)), part])
    made = kept()
    after = rank(shelf, moods, BERT, ENCODER)
    assert (said(after), after.advice) == (said(before), before.advice)
    assert kept() == made


def test_adapt_starts_from_what_rank_made(shelf, moods, tmp_path):
    rank(shelf, moods, BERT)
    made = kept()
    job = prepare(Request(TASK, moods, base=BERT, hub=shelf.name, out=tmp_path / "made"))
    with quiet_libraries():
        network = network_of(job, pull(job.source, job.base), silent)
        session = session_of(job, 0, Choices(), Meter())
        learnt = job.method.adapt(network, job.recipe.options, viewed(session, network))
    assert learnt.how == "a linear head on frozen features"
    assert session.meter.seconds["features"] == 0 and kept() == made and len(made) == 1


def test_each_layer_is_scored_by_the_pass_that_makes_features_and_none_where_these_were_kept(
    shelf, moods
):
    found = rank(shelf, moods, ENCODER, BERT)
    for each in found.ranking:
        assert [one.layer for one in each.layers] == [1, 2] and each.averaged is not None
        assert each.layers[-1].value == pytest.approx(each.scores["logme"])
    assert said(rank(shelf, moods, ENCODER, BERT)) == said(found)
    for path in trunks()[0].glob("*/layers.npz"):
        path.unlink()
    assert [each.layers for each in rank(shelf, moods, ENCODER, BERT).ranking] == [(), ()]


def test_an_adapter_is_a_candidate_as_it_is_a_base_for_adapt(shelf, moods, adapt_once):
    commit = shelf.cache.add("acme/made", files_in(adapt_once("probe", BERT)))
    found = rank(shelf, moods, "acme/made", ENCODER)
    assert not found.failed
    assert {each.id: each.upon for each in found.ranking} == {
        "acme/made": f"acme/made@{commit}",
        ENCODER: None,
    }


def test_twins_are_tied_and_the_advice_says_so(shelf, moods, tiny_folders):
    copy_of(shelf, tiny_folders[BERT], TWIN)
    found = rank(shelf, moods, BERT, TWIN)
    assert {each.id: each.tied_with for each in found.ranking} == {BERT: (TWIN,), TWIN: (BERT,)}
    assert found.advice == (
        "These don't differ on your data by more than chance: take `acme/tiny-bert`, than which "
        "none is smaller."
    )


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


def rated(name: str, pace: float | None = 0.01) -> Rated:
    return Rated(Candidate(name, Entry(name)), {}, {}, 1, 32, 0.1, 0.1, pace, 1.0, "", None)


def test_published_results_count_where_they_are_of_the_same_rows():
    def published(name: str, value: float, rows: str) -> Rated:
        told = Entry(name, tasks=(TASK,), metrics={"accuracy": value}, tested_on=rows, test_rows=9)
        return dataclasses.replace(rated(name), candidate=Candidate(name, told))

    some = [published("a", 0.7, "x"), published("b", 0.8, "x"), published("c", 0.9, "y")]
    assert priors_of(some)["benchmark"].tolist() == pytest.approx([0.7, 0.8, NAN], nan_ok=True)


def test_the_better_half_goes_on_to_as_many_rows_as_there_is_time_for():
    sizes, five = [32, 64, 128, 256], [rated(name) for name in "abcde"]

    def names(left: float, some=five, done: int = 0):
        going_on = next_round(some, sizes, done, left)
        return going_on and ("".join(each.id for each in going_on[0]), sizes[going_on[1]])

    assert names(1000) == ("abcde", 256)
    assert names(20) == ("abc", 128)
    assert names(4) == ("ab", 64)
    assert names(1) is None
    assert names(1000, done=3) is None
    assert names(1000, five[:1]) is None
    # What was kept from before does not tell how long more rows take.
    assert names(1000, [rated("a", None), *five[1:]]) == ("abc", 64)


def test_what_was_reached_on_other_data_counts_and_on_the_same_does_not(shelf, moods):
    def reached(work: str, base: str, value: float, **where) -> None:
        Ledger(ledger()).note(Past(work, base, TASK, "accuracy", value, recipe="probe", **where))

    before = rank(shelf, moods, BERT, ENCODER)
    assert before.past_sets == 0 and "past" not in before.weights
    for number, base in enumerate((BERT, ENCODER)):
        reached(f"other {base}", base, 0.6 + 0.1 * number, tested_on="other")
        reached(f"alone {base}", base, 0.9, tested_on=f"only {base}")
    found = rank(shelf, moods, BERT, ENCODER)
    parts = {each.id: each.parts["past"] or 0 for each in found.ranking}
    assert found.past_sets == 1 and parts[ENCODER] > 0 > parts[BERT]
    data = prepare(Request(TASK, moods, base=BERT, hub=shelf.name)).data
    for base in (BERT, ENCODER):
        reached(f"same {base}", base, 0.9, tested_on="same", fingerprint=data.fingerprint)
    assert said(rank(shelf, moods, BERT, ENCODER)) == said(found)


def test_rows_are_about_as_many_as_asked_and_stratified(shelf, moods):
    found = rank(shelf, moods, BERT, rows=20)
    assert (found.rows, found.of_rows) == (20, 60)


def test_unless_named_candidates_are_those_that_are_here(tiny_folders):
    def ids(**more) -> list[str]:
        found = find_candidates((), Query(task=TASK, **more), None)
        return [each.known.id for each in found.all]

    here = ids()
    assert here == ["sentence-transformers/all-MiniLM-L6-v2"]
    ModelCache(models()).add(ENCODER, files_in(tiny_folders[ENCODER]))
    assert ids() == [*here, ENCODER]
    assert ids(licence="mit") == [ENCODER]
    found = find_candidates((), Query(task=TASK, max_params=10_000_000_000), None)
    why = {each.id: each.why for each in found.left_out}
    assert why["BAAI/bge-small-en-v1.5"].startswith("not on this machine: `hubtl pull`")
    with pytest.raises(UnknownName, match="no model is left to rank") as told:
        find_candidates((), Query(task=TASK, max_params=1), None)
    assert told.value.hint.startswith("name some: --candidates ID")


def test_a_misspelt_candidate_is_told_before_any_work(shelf, moods):
    with pytest.raises(UnknownName) as told:
        rank(shelf, moods, BERT, "acme/tiny-encodr")
    assert "acme/tiny-encoder" in told.value.hint
    assert not kept()


def test_what_has_no_classes_is_refused_with_what_to_do(tmp_path):
    clips = clip_folder(tmp_path / "clips", rows=3)
    lines = [f"{path},some words {path.stem}" for path in sorted(clips.glob("*/*.wav"))]
    Path("said.csv").write_text("\n".join(["file,text", *lines]))
    with pytest.raises(BadOption, match="has no classes to tell apart") as told:
        hubtl.rank("automatic-speech-recognition", "said.csv")
    assert told.value.hint.startswith("try them: hubtl adapt automatic-speech-recognition said.csv")


def test_the_command_shows_bars_parts_and_advice(shelf, moods, capsys):
    command(TASK, moods, candidates=[BERT, ENCODER], hub=shelf.name, rows=40)
    shown = capsys.readouterr()
    titles, *rows = shown.out.splitlines()
    assert titles.split() == [
        *("MODEL", "SCORE", "95", "%", "INTERVAL", "MAY", "BE", "BEST"),
        *("PARAMS", "LICENCE", "ROWS", "SECONDS", "RELATED"),
    ]
    assert "●" in rows[0] and rows[3].startswith("MADE OF")
    assert f"judging, 2 of 2: {ENCODER}, features; ahead: {BERT} …" in " ".join(shown.err.split())
    told = (
        "on 40 of 60 rows to learn from (text from `text`, label from `label`, split from `split`)"
    )
    assert told in shown.err and "no test row was read" in shown.err
    assert f"next: hubtl adapt {TASK} moods.csv --base {rows[0].split()[0]}" in shown.err


def test_a_bar_is_drawn_to_scale():
    assert bar(0.0, 0.5, 1.0, 0.0, 1.0) == "├" + "─" * 9 + "●" + "─" * 9 + "┤"
    assert bar(0.0, 0.0, 0.0, 0.0, 0.0) == " " * 10 + "●" + " " * 10
