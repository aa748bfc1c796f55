"""Texts whose labels are numbers: told, judged, shown and published as numbers."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts

from .conftest import FILLER, WORDS

TASK = "text-classification"
ENCODERS = ("acme/tiny-encoder", "acme/tiny-bert")  # pooled by the mean, and transformers' own


def stars(path: Path, rows: int = 100) -> Path:
    """Write texts, each with from 0 to 6 good words, and stars: 1,000 and 50 more for each."""
    dice = random.Random(0)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "stars", "split"])
        for number in range(rows):
            good = dice.randrange(7)
            words = [*dice.choices(WORDS["good"], k=good), *dice.choices(WORDS["bad"], k=6 - good)]
            words += dice.sample(FILLER, 4)
            dice.shuffle(words)
            part = "test" if number < rows * 0.3 else "train"
            table.writerow([" ".join(words), 1000 + 50 * good + dice.gauss(0, 5), part])
    return path


@pytest.fixture
def reviews() -> Path:
    """A table of 100 texts with their stars, 30 of them to test with."""
    return stars(Path("reviews.csv"))


def adapted(data: Path, hub: str, base: str, **more: object) -> Path:
    asked = {"base": base, "hub": hub, "domain": "general", "out": "made"}
    return hubtl.adapt(TASK, data, **{**asked, "options": {"numbers": "true"}, **more}).folder


@pytest.mark.parametrize("base", ENCODERS)
def test_a_text_is_told_a_number(base, shelf, reviews, hubtl_cli):
    folder = adapted(reviews, shelf.name, base)
    facts = read_facts(folder)
    assert (facts.labels, facts.main_metric) == (("stars",), "mse")
    assert list(facts.metrics) == ["mse", "r2", "spearman"]
    assert facts.metrics["r2"]["low"] > 0.1 and facts.gain["metric"] == "mse"
    config = json.loads((folder / "config.json").read_text())
    assert (config["problem_type"], config["id2label"]) == ("regression", {"0": "stars"})
    said = hubtl_cli(f'predict {folder} "great lovely fine kind so" --hub {shelf.name} --json')
    (one,) = said.json["predictions"]
    assert one["scores"] == {"stars": one["label"]} and one["score"] is None
    assert 1000 < one["label"] < 1500
    assert hubtl.evaluate(folder, reviews, hub=shelf.name).metrics == facts.metrics


def test_a_report_shows_numbers_and_no_classes(shelf, reviews):
    folder = adapted(reviews, shelf.name, ENCODERS[0])
    page = (folder / "report.html").read_text()
    assert all(each in page for each in ("stars: said against true", "stars: how far off"))
    assert not any(each in page for each in ("Each class", "taken for", "Calibration", " nats"))
    card = (folder / "README.md").read_text()
    assert "a number, `stars`" in card and "- Label: the number `stars`" in card
    assert "metrics:\n- mse\n- r_squared\n- spearmanr\n" in card
    assert "TF-IDF + ridge regression at" in card and "the mean of the training labels |" in card


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"numbers": {"mean": True, "deviation": 1.0}}, "are no mean and deviation of one label"),
        ({"commonest": "most"}, "`made` is damaged: its commonest label is none"),
    ],
)
def test_what_a_stranger_tells_of_numbers_is_checked_before_work(told, why, shelf, reviews):
    folder = adapted(reviews, shelf.name, ENCODERS[0])
    facts = json.loads((folder / "hubtl.json").read_text())
    facts["data"] |= told
    (folder / "hubtl.json").write_text(json.dumps(facts))
    with pytest.raises(BadData, match=why):
        hubtl.evaluate(folder, reviews, hub=shelf.name)


@pytest.mark.parametrize("recipe", ["top", "lora", "norm", "full"])
def test_numbers_are_learnt_by_every_recipe_that_needs_no_classes(recipe, shelf, reviews):
    options = {"numbers": "true", "epochs": "1"}
    folder = adapted(reviews, shelf.name, ENCODERS[1], recipe=recipe, options=options)
    facts = read_facts(folder)
    assert facts.metrics["r2"]["low"] > 0
    assert "squared error by the labels' variance" in facts.losses["how"]
    assert all(loss < 1 for loss in facts.losses["validation"])


@pytest.mark.parametrize(
    ("recipe", "option", "why", "instead"),
    [
        ("fewshot", {}, "labels are numbers", "--recipe lora"),
        ("probe", {"class_weights": "balanced"}, "no class is rare", "leave it out"),
        ("probe", {"several": "true"}, "a label is a list", "set one of the two"),
    ],
)
def test_what_is_made_for_classes_is_refused_before_work(
    recipe, option, why, instead, shelf, reviews
):
    options = {"numbers": "true", **option}
    with pytest.raises(BadOption, match=why) as told:
        adapted(reviews, shelf.name, ENCODERS[0], recipe=recipe, options=options)
    assert instead in told.value.hint


def test_a_cell_that_is_no_number_is_told_with_its_row_and_its_word(shelf, reviews, hubtl_cli):
    rows = reviews.read_text().splitlines()
    rows[3] = rows[3].replace(rows[3].split(",")[1], "many")
    rows[5] = rows[5].replace(rows[5].split(",")[1], "inf")
    reviews.write_text("\n".join(rows) + "\n")
    with pytest.raises(BadData, match=r"2 rows .*no finite number.*such as `many`; lines 4, 6"):
        adapted(reviews, shelf.name, ENCODERS[0], columns={"label": "stars"})
    found = hubtl_cli(f"check {TASK} {reviews} --label stars --set numbers=true --json").json
    assert [each["kind"] for each in found["findings"]][0] == "unreadable"
    assert found["labels"] == {} and found["inputs"]["label"]["least"] > 900


def test_numbers_that_are_all_the_same_are_refused(shelf, reviews):
    rows = [row.split(",") for row in reviews.read_text().splitlines()]
    reviews.write_text("\n".join(",".join([a, b if a == "text" else "7", c]) for a, b, c in rows))
    with pytest.raises(BadData, match=r"one label only: `7\.0`"):
        adapted(reviews, shelf.name, ENCODERS[0], columns={"label": "stars"})
    asked = {"columns": {"label": "stars"}, "options": {"numbers": "true"}}
    (found, *_) = hubtl.check(TASK, reviews, **asked).findings
    assert (found.kind, found.severity) == ("one_label", "error")


def test_numbers_that_are_taken_for_classes_are_told_of(shelf, reviews):
    kinds = {
        each.kind: each for each in hubtl.check(TASK, reviews, columns={"label": "stars"}).findings
    }
    assert "--set numbers=true" in kinds["numbers"].hint
    rows = [row.rpartition(",")[0] for row in reviews.read_text().splitlines()]
    reviews.write_text("\n".join(rows))
    with pytest.raises(BadData) as told:
        adapted(reviews, shelf.name, ENCODERS[0], options={}, columns={"label": "stars"})
    assert "--set numbers=true" in told.value.hint


def test_a_number_is_ranked_for_by_all_scorers_that_can(shelf, reviews):
    found = hubtl.rank(
        TASK, reviews, candidates=ENCODERS, hub=shelf.name, options={"numbers": "true"}
    )
    assert len(found.ranking) == 2
    assert set(found.scorers) >= {"probe", "logme", "h_score", "neighbours"}
    assert "nleep" not in found.scorers


def test_plain_rivals_tell_numbers_too(shelf, reviews):
    said = read_predictions(adapted(reviews, shelf.name, ENCODERS[0])).rivals
    assert set(said) == {"majority", "tfidf"}
    assert len(set(said["majority"])) == 1 and len(set(said["tfidf"])) > 10
