"""Where answers are texts, bases are ranked by what they write before they are adapted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import hubtl
from hubtl.as_it_is import AS_IT_IS, check_answers, scored
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.speech.transcripts import normaliser
from hubtl.registry.cache import ModelCache
from hubtl.registry.errors import BadOption
from hubtl.registry.fingerprint import files_in
from hubtl.registry.places import trunks
from hubtl.subject import Request, find_recipes, read_subject
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example
from hubtl.transfer.transcript import Transcript

from .spelt import TASK, speller, spelt_clips

UNTAUGHT, TAUGHT, MUTE = "acme/untaught", "acme/taught", "acme/mute"


@pytest.fixture(scope="module")
def road(tmp_path_factory) -> tuple[Folder, Path]:
    """A base that knows letters, what it becomes when it is taught, one that knows none; clips."""
    room = tmp_path_factory.mktemp("road")
    data, shelf = spelt_clips(room / "clips"), ModelCache(room / "shelf")
    hub = Folder(shelf.root)
    with quiet_libraries(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBTL_HOME", str(room / "home"))
        shelf.add(UNTAUGHT, files_in(speller(room / "untaught", "wav2vec2-own")))
        shelf.add(MUTE, files_in(speller(room / "mute", "wav2vec2")))
        place = {"hub": hub.name, "domain": "general", "out": room / "adapted"}
        long = {"rate": "0.005", "epochs": "15", "head_rate": "1", "patience": "99", "rows": "4"}
        hubtl.adapt(TASK, data, base=UNTAUGHT, recipe="full", options=long, **place)
        hubtl.export(room / "adapted", format="merged", out=room / "merged", hub=hub.name)
        shelf.add(TAUGHT, files_in(room / "merged"))
    return hub, data


def rank(road, *named: str, **more) -> hubtl.Ranking:
    hub, data = road
    return hubtl.rank(TASK, data, candidates=named, hub=hub.name, **more)


@pytest.mark.long
def test_the_base_that_writes_what_is_said_comes_first_and_nothing_is_asked_twice(road):
    found = rank(road, UNTAUGHT, TAUGHT)
    assert [each.id for each in found.ranking] == [TAUGHT, UNTAUGHT]
    taught, other = (each.scores[AS_IT_IS] for each in found.ranking)
    assert other <= -0.9 < -0.7 < taught <= 0
    assert found.advice == (
        f"`{TAUGHT}` is ahead of the others by more than chance: take it. The word error rate "
        f"before anything is learnt: {-taught:.3f} (`{TAUGHT}`), {-other:.3f} (`{UNTAUGHT}`)."
    )
    assert set(found.scorers) == {AS_IT_IS}
    for about in trunks()[0].glob("*/about.json"):
        said = json.loads(about.read_text("utf-8"))
        about.write_text(json.dumps(["" for _ in said]), "utf-8")
    again = rank(road, UNTAUGHT, TAUGHT)
    assert [each.scores[AS_IT_IS] for each in again.ranking] == [-1.0, -1.0]


def test_a_base_that_never_learnt_to_write_is_told_and_the_rest_go_on(road):
    found = rank(road, MUTE, TAUGHT)
    assert [each.id for each in found.ranking] == [TAUGHT]
    assert [(each.id, each.why) for each in found.failed] == [
        (MUTE, "it never learnt to write, so nothing tells what it would")
    ]


@pytest.mark.long
def test_the_page_and_a_job_take_what_comes_first(road):
    hub, data = road
    rank(road, UNTAUGHT, TAUGHT, report="page.html")
    assert AS_IT_IS in Path("page.html").read_text("utf-8")
    made = hubtl.adapt(
        TASK,
        data,
        base="auto",
        recipe="norm",
        hub=hub.name,
        out="mine",
        options={"epochs": "1"},
    )
    assert made.facts.base == TAUGHT


def test_the_score_is_the_error_rate_and_each_rows_share_its_mistakes():
    rows = [
        Example(str(n), "x", text) for n, text in enumerate(("one two", "three four", "five six"))
    ]
    found = scored(Transcript(normaliser("basic")), rows, ["One two.", "three for", "fife sicks"])
    assert found.value == pytest.approx(-3 / 6)
    assert found.rows is not None and found.rows.tolist() == pytest.approx([0, -0.5, -1.0])
    perfect = scored(Transcript(normaliser("basic")), rows, [row.label for row in rows])
    assert perfect.value == 0 and perfect.rows is not None and not perfect.rows.any()


def test_what_has_neither_classes_nor_words_is_refused_with_what_to_do(moods):
    request = Request("text-classification", moods)
    subject = read_subject(request, find_recipes(request))
    with pytest.raises(BadOption, match="has no classes to tell apart") as told:
        check_answers(request, dataclasses.replace(subject, labels=()))
    assert told.value.hint.startswith(f"try them: hubtl adapt text-classification {moods} --base")
    check_answers(request, subject)
