"""Rows of one person are alike, so how sure one can be hangs on how many persons there are."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

import hubtl
from hubtl.climbing import compare
from hubtl.dataset import read_dataset
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import Refused
from hubtl.registry.facts import read_facts
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference, known_origins, mean, measure
from hubtl.transfer.trial import Judged

from .conftest import WORDS, sentences

SETS = 300
METRICS = ONE_CLASS.metrics
TASK = "text-classification"


class Speakers:
    """Speakers of whom each is understood in a share of cases, some better than others."""

    def __init__(self, count: int, clips: int, right: float, spread: float) -> None:
        self.dice = np.random.default_rng(count)
        self.count, self.clips, self.right, self.spread = count, clips, right, spread

    def rows(self) -> tuple[list[str], list[str], list[str]]:
        shape = self.right / self.spread, (1 - self.right) / self.spread
        each = self.dice.beta(*shape, self.count).repeat(self.clips)
        true = self.dice.integers(0, 3, len(each))
        said = np.where(self.dice.random(len(each)) < each, true, (true + 1) % 3)
        origins = [f"speaker {number // self.clips}" for number in range(len(each))]
        return true.astype(str).tolist(), said.astype(str).tolist(), origins


@pytest.mark.parametrize(
    ("count", "clips", "right", "spread"),
    [(8, 10, 0.8, 0.1), (15, 10, 0.8, 0.1), (40, 5, 0.9, 0.1), (100, 3, 0.8, 0.3)],
)
def test_an_interval_over_speakers_holds_the_truth_about_95_times_of_100(
    count, clips, right, spread
):
    speakers, held, by_rows = Speakers(count, clips, right, spread), 0, 0
    for seed in range(SETS):
        true, said, origins = speakers.rows()
        found = measure(true, said, METRICS, seed, origins)["accuracy"]
        alone = measure(true, said, METRICS, seed)["accuracy"]
        assert found["low"] <= alone["low"] and alone["high"] <= found["high"]
        held += found["low"] <= right <= found["high"]
        by_rows += alone["low"] <= right <= alone["high"]
    assert 0.92 <= held / SETS <= 0.98 and by_rows < held


def test_with_one_speaker_a_class_nothing_is_shown_to_be_better_than_the_commonest_label():
    true = ["es"] * 10 + ["fr"] * 10 + ["it"] * 10
    said = ["es"] * 8 + ["it"] * 2 + ["fr"] * 8 + ["it"] * 2 + ["it"] * 8 + ["fr"] * 2
    voices = ["ana"] * 10 + ["june"] * 10 + ["carlo"] * 10
    commonest = ["es"] * 30
    assert difference(true, said, commonest, METRICS, "accuracy")["low"] > 0
    found = difference(true, said, commonest, METRICS, "accuracy", origins=voices)
    assert found["value"] == pytest.approx(14 / 30) and found["low"] <= 0


def test_rows_that_are_each_alone_or_all_of_one_are_counted_as_rows():
    true, said = ["a", "b", "c"] * 10, ["a", "b", "b"] * 10
    by_rows = measure(true, said, METRICS)
    assert measure(true, said, METRICS, origins=[""] * 30) == by_rows
    assert measure(true, said, METRICS, origins=[str(n) for n in range(30)]) == by_rows
    assert measure(true, said, METRICS, origins=["ana"] * 30) == by_rows
    assert [known_origins(each) for each in ((), ["", ""], ["a", "b"], ["a", "a", ""])] == [
        0,
        0,
        0,
        2,
    ]


def test_a_mean_over_rows_has_the_interval_of_students_t_and_over_speakers_a_wider_one():
    from scipy import stats

    dice = np.random.default_rng(0)
    values = dice.normal(size=40) + np.repeat(dice.normal(size=8), 5)
    found, wanted = mean(values.tolist()), stats.ttest_1samp(values, 0).confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx(tuple(wanted))
    over = mean(values.tolist(), [str(n // 5) for n in range(40)])
    assert over["value"] == found["value"] and over["low"] < found["low"]


def test_what_wins_with_one_speaker_only_is_no_win():
    true = ["a", "b"] * 30
    wrong = {"a": "b", "b": "a"}
    theirs = Judged(tuple(wrong[t] if n < 20 else t for n, t in enumerate(true)), (0.5,) * 60)
    ours = Judged(tuple(true), tuple(0.1 if n < 20 else 0.5 for n in range(60)))
    voices = ["ana"] * 20 + ["june"] * 20 + ["carlo"] * 20
    assert compare(true, ours, theirs, METRICS).wins
    assert not compare(true, ours, theirs, METRICS, voices).wins


def spoken(header: str, *, whose: int = 4) -> Path:
    """A table of 80 sentences of two labels, 20 of them to test with, of so many persons."""
    path = Path("spoken.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        for label in WORDS:
            for number, text in enumerate(sentences(label, 40)):
                part = "train" if number < 30 else "test"
                writer.writerow([text, label, part, f"{part} {number % whose}"])
    return path


def test_a_column_that_says_who_spoke_is_found_by_its_name_and_has_no_say_in_the_split():
    data = read_dataset(spoken("text,label,split,Speaker"), plugins().task(TASK), {})
    assert data.origin == "Speaker" and "group" not in data.columns
    assert {row.origin for row in data.parts["test"]} == {f"test {n}" for n in range(4)}
    assert {row.group for row in data.examples} == {""}


def test_who_spoke_is_not_found_where_it_is_the_label_or_another_column_is_named():
    task = plugins().task(TASK)
    path = spoken("text,mood,split,speaker")
    assert read_dataset(path, task, {"label": "speaker"}).origin is None
    assert read_dataset(path, task, {"label": "mood", "group": "speaker"}).origin == "speaker"
    by_mood = read_dataset(path, task, {"label": "mood"}, slice_by="mood")
    assert by_mood.origin == "speaker"


def test_one_speaker_a_class_to_learn_from_is_no_fault_and_no_proof(shelf):
    path = spoken("text,label,split,speaker")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "speaker": f"{row['split']} {row['label']}"})
    asked = {"base": "acme/tiny-bert", "hub": shelf.name, "columns": {"group": "speaker"}}
    facts = hubtl.adapt(TASK, path, recipe="probe", out="one", **asked).facts
    assert set(facts.baselines) == {"majority", "tfidf", "letters"}
    assert facts.data["groups"] == 2 and not facts.beats_baseline


@pytest.mark.long
def test_folder_card_and_gate_count_the_speakers(shelf, hubtl_cli):
    place = {"hub": shelf.name, "domain": "general", "out": "moods"}
    made = hubtl.adapt(
        TASK, spoken("text,label,split,speaker"), base="acme/tiny-bert", recipe="probe", **place
    )
    facts = made.facts
    assert facts.data["groups"] == 4
    card = (made.folder / "README.md").read_text()
    assert "on 20 held-out rows of 4 groups; it" in card
    assert "The test rows are of 4 groups, as speakers, and rows of one are alike" in card

    evaluated = hubtl.evaluate("moods", "spoken.csv", hub=shelf.name)
    assert evaluated.metrics == facts.metrics
    assert hubtl.publish("moods", "acme/moods", hub=shelf.name).verified


def test_an_interval_that_does_not_count_the_speakers_is_not_published(shelf):
    place = {"hub": shelf.name, "domain": "general", "out": "moods"}
    made = hubtl.adapt(
        TASK, spoken("text,label,split,speaker"), base="acme/tiny-bert", recipe="probe", **place
    )
    facts = read_facts(made.folder)
    assert all(0 <= each["low"] <= each["high"] <= 1 for each in facts.metrics.values())
    surer = {name: {**each, "low": each["value"]} for name, each in facts.metrics.items()}
    dataclasses.replace(facts, metrics=surer).write(made.folder)
    with pytest.raises(Refused, match="the predictions in the folder don't give that"):
        hubtl.publish("moods", "acme/moods", hub=shelf.name)
