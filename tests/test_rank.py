"""`rank` judges bases by rows to learn from, tells ties, and says what each score is made of."""

from __future__ import annotations

import csv
import dataclasses

import pytest

from hubtl.candidates import Candidate, find_candidates
from hubtl.cli.rank import bar, command
from hubtl.job import prepare
from hubtl.learning import network_of, session_of
from hubtl.rating import Rated
from hubtl.registry.cache import ModelCache
from hubtl.registry.entry import Entry, Query
from hubtl.registry.errors import UnknownName
from hubtl.registry.fingerprint import files_in
from hubtl.registry.ledger import Ledger
from hubtl.registry.past import Past
from hubtl.registry.places import ledger, models, trunks
from hubtl.rounds import next_round
from hubtl.sources import pull
from hubtl.standings import priors_of
from hubtl.subject import Request
from hubtl.transfer.choices import Choices
from hubtl.transfer.meter import Meter
from hubtl.transfer.progress import silent
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.views import viewed

from .ranking import BERT, ENCODER, TASK, TWIN, copy_of, kept, many_moods, rank, said

NAN = float("nan")


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


@pytest.mark.parametrize(
    ("more", "lacking"), [({}, 0), ({"time_budget": "10m"}, 0), ({"rows": 50}, 150)]
)
def test_adapt_starts_from_what_rank_made(more, lacking, shelf, tmp_path, monkeypatch):
    data = many_moods(200)
    rank(shelf, data, BERT, ENCODER, **more)  # at once, in parts, or some
    ran: list[int] = []
    job = prepare(Request(TASK, data, base=BERT, hub=shelf.name, out=tmp_path / "made"))
    with quiet_libraries():
        network = network_of(job, pull(job.source, job.base), silent)
        session = session_of(job, 0, Choices(), Meter())
        features = network.features
        monkeypatch.setattr(
            network, "features", lambda b: ran.append(len(b["input_ids"])) or features(b)
        )
        learnt = job.method.adapt(network, job.recipe.options, viewed(session, network))
    assert learnt.how == "a linear head on frozen features"
    assert sum(ran) == lacking


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


def test_what_counts_hangs_on_whether_the_recipe_trains_the_base(shelf, moods):
    kept, trained = (rank(shelf, moods, BERT, ENCODER, recipe=name) for name in ("", "lora"))
    assert (kept.recipe, kept.frozen) == ("probe", True)
    assert (trained.recipe, trained.frozen) == ("lora", False)
    priors = {"downloads": 0, "benchmark": 1, "parameters": 0.5}
    assert dict(trained.weights) == {**dict.fromkeys(trained.scorers, 1 / 5), **priors}
    heads = {**dict.fromkeys(kept.scorers, 0.0), "probe": 0.5, "logme": 0.5}
    assert dict(kept.weights) == pytest.approx({**heads, **{k: v / 10 for k, v in priors.items()}})


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
    assert names(20) == ("abcde", 256)
    assert names(11) == ("abc", 128)
    assert names(3) == ("ab", 64)
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
