"""Where a model goes wrong, and the page that shows it: whole, private, and safe to open."""

from __future__ import annotations

import csv
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

import hubtl
from hubtl import plots
from hubtl.judgement import judge, sliced
from hubtl.plugins.speech.transcripts import normaliser
from hubtl.plugins.vision.thumbnails import thumbnail
from hubtl.predictions import FILE as PREDICTIONS
from hubtl.predictions import write_predictions
from hubtl.proof import Predicted
from hubtl.registry.errors import BadData, UnknownName
from hubtl.registry.facts import Facts, read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.reporting import _picture
from hubtl.results import worded
from hubtl.transfer.calibration import calibration, reliability
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.judging import Answers, by_class, confusion_matrix
from hubtl.transfer.several import SOME_CLASSES
from hubtl.transfer.spans import SPANS
from hubtl.transfer.split import Example
from hubtl.transfer.transcript import Transcript

from .conftest import ROOT

NAMES = ("cat", "dog", "owl")
EVIL = "<script>alert(1)</script>"
DRAWS = pytest.mark.skipif(not plots.can_plot(), reason="needs the extra `report`")


def answers(true: list[str], said: list[str], logits: list[list[float]] | None = None) -> Answers:
    ids = [f"rows.csv:{number + 2}" for number in range(len(true))]
    return Answers(ids, true, said, logits or [[0.0, 0.0, 0.0]] * len(true))


def test_each_class_is_scored_as_scikit_learn_scores_it():
    dice = np.random.default_rng(3)
    true = [NAMES[n] for n in dice.integers(0, 3, 200)]
    said = [t if dice.random() < 0.7 else NAMES[dice.integers(0, 3)] for t in true]
    found = by_class(answers(true, said), ONE_CLASS, NAMES)
    wanted = precision_recall_fscore_support(true, said, labels=NAMES)
    for number, each in enumerate(found):
        values = [each.precision["value"], each.recall["value"], each.f1["value"], each.support]
        assert values == pytest.approx([part[number] for part in wanted])
        assert each.f1["low"] < each.f1["value"] < each.f1["high"]


def test_a_class_of_several_is_scored_by_itself_and_one_without_rows_by_nothing():
    told = answers(["cat|dog", "dog", "none"], ["cat", "dog", "none"])
    cat, dog, owl = by_class(told, SOME_CLASSES, NAMES)
    assert (cat.recall["value"], dog.recall["value"], dog.precision["value"]) == (1.0, 0.5, 1.0)
    assert (owl.support, owl.precision, owl.recall, owl.f1) == (0, None, None, None)


def test_the_worst_row_is_the_surest_error_and_confusions_are_counted():
    logits = [[1.0, 0.0, 0.0], [9.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 2.0]]
    told = answers(["cat", "dog", "dog", "dog"], ["cat", "cat", "cat", "owl"], logits)
    found = judge(told, ONE_CLASS, NAMES).as_json()
    assert [each["id"] for each in found["worst"]] == ["rows.csv:3", "rows.csv:4", "rows.csv:5"]
    assert found["worst"][0]["by"] == "how sure it was"
    assert found["worst"][0]["wrong"] == pytest.approx(0.99975, abs=1e-5)
    assert found["confusion"] == [
        {"true": "dog", "label": "cat", "rows": 2},
        {"true": "dog", "label": "owl", "rows": 1},
    ]
    assert confusion_matrix(told, NAMES) == [[1, 0, 0], [2, 0, 1], [0, 0, 0]]


def test_confusions_of_several_classes_are_told_as_lists():
    told = answers(["cat|dog", "cat|dog", "none"], ["cat", "cat", "owl"])
    assert judge(told, SOME_CLASSES, NAMES).as_json()["confusion"] == [
        {"true": ["cat", "dog"], "label": ["cat"], "rows": 2},
        {"true": [], "label": ["owl"], "rows": 1},
    ]


def test_the_worst_transcript_has_most_words_to_mend_and_no_classes():
    told = answers(["a b c", "a b c", "a b"], ["a b c", "x y", "A b."], [[0.0]] * 3)
    found = judge(told, Transcript(normaliser("basic")), ()).as_json()
    assert (found["classes"], found["confusion"]) == ([], [])
    assert found["worst"] == [
        {"id": "rows.csv:3", "true": "a b c", "label": "x y", "wrong": 3.0, "by": "words to mend"}
    ]
    assert found["calibration"]["ece"] is None


def test_spans_are_no_classes_to_confuse_and_are_shown_as_they_are_predicted():
    told = answers(['[[0,7,"PER"],[17,21,"LOC"]]', "[]"], ["[]", "[]"], [[0.0, 9.0]] * 2)
    found = judge(told, SPANS, ("LOC", "PER")).as_json()
    assert found["confusion"] == []
    true = [{"start": 0, "end": 7, "label": "PER"}, {"start": 17, "end": 21, "label": "LOC"}]
    by = "spans missed or made up"
    assert found["worst"] == [
        {"id": "rows.csv:2", "true": true, "label": [], "wrong": 2.0, "by": by}
    ]
    assert (worded(true), worded([])) == ("PER 0-7, LOC 17-21", "-")


def test_the_bins_give_the_calibration_error():
    dice = np.random.default_rng(4)
    sure = dice.random(300).tolist()
    right = [bool(dice.random() < each**2) for each in sure]
    bins = reliability(sure, right)
    ece = sum(each.rows * abs(each.confidence - each.accuracy) for each in bins) / 300
    assert ece == pytest.approx(calibration(sure, right)["ece"])
    assert sum(each.rows for each in bins) == 300


def test_slices_of_ten_rows_are_measured_the_worst_first_and_smaller_ones_left_out():
    said = ["cat"] * 10 + ["dog"] * 10 + ["cat"] * 3
    values = ["new"] * 10 + ["old"] * 10 + ["odd"] * 3
    found = sliced("age", values, answers(["cat"] * 23, said), ONE_CLASS)
    told = [(each["value"], each["rows"]) for each in found["values"]]
    assert (told, found["left_out"]) == ([("old", 10), ("new", 10)], {"odd": 3})
    assert found["values"][1]["metrics"]["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}


@pytest.mark.long
def test_evaluate_tells_classes_confusion_calibration_worst_rows_and_slices(
    adapted, moods, shelf, hubtl_cli
):
    rows = list(csv.reader(moods.read_text().splitlines()))
    with Path("aged.csv").open("w", newline="") as file:
        aged = [[*row, "even" if n % 2 else "odd"] for n, row in enumerate(rows[1:])]
        csv.writer(file).writerows([[*rows[0], "age"], *aged])
    line = f"evaluate {adapted} aged.csv --slice age --hub folder:{shelf.cache.root}"
    found = hubtl_cli(f"{line} --json").json
    assert [each["label"] for each in found["classes"]] == ["bad", "good"]
    assert [each["support"] for each in found["classes"]] == [10, 10]
    assert {each["value"] for each in found["slices"]["values"]} == {"even", "odd"}
    assert found["calibration"]["ece"] >= 0 and found["calibration"]["reliability"]
    assert isinstance(found["confusion"], list) and isinstance(found["worst"], list)
    said = hubtl_cli(line).out
    assert "precision" in said and "calibration error" in said and "by age" in said
    wrong = hubtl_cli(line.replace("--slice age", "--slice agge"))
    assert "error: `aged.csv` has no column `agge` for --slice\n" in wrong.err


class Page(HTMLParser):
    """What a browser would make of a page: its tags, addresses and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.source = path.read_text("utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [str(v) for k, v in attrs if k in ("src", "href", "xlink:href")]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]

    def handle_data(self, data):
        self.text += data


@pytest.mark.long
def test_adapt_writes_the_page_for_its_owner_only_and_it_is_never_published(adapted, shelf):
    page = adapted / "report.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "report.html" not in read_facts(adapted).files
    hubtl.publish(adapted, "acme/moods", hub=shelf.name)
    assert "report.html" not in files_in(shelf.cache.snapshot("acme/moods"))


def test_the_page_says_what_was_measured_and_asks_nothing_of_a_network(adapted, hubtl_cli):
    written = hubtl_cli(f"report {adapted}")
    assert written.out == f"{adapted}/report.html\n"
    assert hubtl_cli(f"report {adapted} --json").json["report"] == f"{adapted}/report.html"
    page, facts = Page(adapted / "report.html"), read_facts(adapted)
    assert not {"script", "link", "iframe", "object", "base"} & page.tags
    assert all(each.startswith(("data:", "#")) for each in page.addresses)
    assert not re.search(r"url\((?!#)|@import", page.source)
    assert f"{facts.metrics['accuracy']['value']:.3f}" in page.text
    for words in (*facts.rivals.values(), facts.why, facts.base_revision):
        assert words in page.text
    assert f"Retention 1.000: {facts.retention['how']}." in page.text


def test_the_same_folder_gives_the_same_page(adapted):
    page = adapted / "report.html"
    first = page.read_bytes()
    assert hubtl.report(adapted) == page
    assert page.read_bytes() == first
    assert [each.name for each in adapted.iterdir() if each.name.startswith(".report")] == []


def hostile(folder: Path, label: str, text: str) -> Page:
    """Return the page of a folder whose labels and rows are meant to break it."""
    import dataclasses

    facts: Facts = dataclasses.replace(read_facts(folder), labels=(label, "good"))
    facts.write(folder)
    rows = [Example(f"{text}:{n}", text, label if n % 2 else "good") for n in range(20)]
    said = [label] * 20
    predicted = Predicted(said, [[2.0, 1.0]] * 20, [], {})
    (folder / PREDICTIONS).unlink()
    write_predictions(folder, rows, predicted, {"majority": ["good"] * 20})
    return Page(hubtl.report(folder))


@pytest.mark.parametrize("text", [EVIL, "'\"><img src=x onerror=alert(1)>", "$x_{$ \x00\x1b[2J"])
def test_labels_and_rows_are_shown_and_never_obeyed(adapted, text):
    page = hostile(adapted, text, text)
    assert "script" not in page.tags and page.handlers == []
    assert "img" not in page.tags
    assert text.replace("\x00", "\ufffd").replace("\x1b", "\ufffd") in page.text
    assert "default-src 'none'" in page.source


@DRAWS
def test_plots_stand_in_the_page_as_text_in_the_pages_own_colours(adapted):
    page = hostile(adapted, EVIL, "so so")
    drawn = re.findall(r"<svg .*?</svg>", page.source, re.DOTALL)
    assert len(drawn) == 6
    for svg in drawn:
        assert 'role="img" aria-label="' in svg and "<text" in svg
        assert "var(--ink)" in svg and "#0102" not in svg and "<script" not in svg
    names = re.findall(r' id="([^"]+)"', page.source)
    assert len(names) == len(set(names)), "what a plot refers to is its own"


def test_without_matplotlib_the_page_has_its_tables_and_says_so(adapted, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    page = Page(hubtl.report(adapted))
    assert "svg" not in page.tags and "table" in page.tags
    assert "pip install 'hubtl[report]'" in page.text


def test_a_folder_without_predictions_or_facts_has_no_report(adapted):
    (adapted / PREDICTIONS).unlink()
    with pytest.raises(BadData, match="has no predictions.parquet"):
        hubtl.report(adapted)
    with pytest.raises(UnknownName, match="is no adapted folder"):
        hubtl.report("elsewhere")


def test_a_picture_stands_in_the_page_and_one_that_is_gone_is_told():
    pizza = str(ROOT / "examples/noto-emoji/test/food/pizza.webp")
    address, why = _picture(thumbnail, pizza)
    assert address.startswith("data:image/png;base64,") and why == ""
    assert _picture(thumbnail, "gone.png") == ("", "not shown: No such file or directory")
