"""`hubtl check` finds what is planted in data, and is silent where nothing is."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hubtl

from .conftest import ROOT

NOUNS = {
    "sea": "wave tide boat shell gull harbour sail reef".split(),
    "wood": "fir moss deer stump fern badger path acorn".split(),
}
OTHERS = [f"{a}{b}{c}" for a in "klmrst" for b in "aeiou" for c in ("b", "nd", "rk", "ss")]
TASK = "text-classification"
Row = dict[str, str]


def rows(count: int = 200, seed: int = 0) -> list[Row]:
    """Rows of two labels, every fifth to test with, no two alike."""
    dice, found = random.Random(seed), []
    for number in range(count):
        label = ("sea", "wood")[number % 2]
        words = dice.sample(NOUNS[label], 4) + dice.sample(OTHERS, 10)
        dice.shuffle(words)
        part = "test" if number % 5 == 0 else "train"
        found.append({"text": " ".join(words), "label": label, "split": part})
    return found


def written(found: list[Row], name: str = "a.csv") -> Path:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)
    return Path(name)


def told(found: list[Row], **options: Any) -> list[tuple[str, str, str]]:
    checked = hubtl.check(TASK, written(found), **options)
    return [(each.kind, each.severity, each.what) for each in checked.findings]


def test_nothing_is_found_where_nothing_is_wrong():
    checked = hubtl.check(TASK, written(rows()))
    assert checked.findings == () and checked.not_checked == ()
    assert checked.rows == {"train": 160, "test": 40}
    assert checked.labels == {"sea": 100, "wood": 100}
    assert checked.inputs["words"] == {"least": 14, "median": 14, "p95": 14, "most": 14}


def test_rows_that_cannot_be_used_are_told_and_the_others_are_checked():
    found = rows()
    found[3]["text"], found[7]["text"], found[9]["label"] = " ", "", ""
    checked = hubtl.check(TASK, written(found))
    assert [(each.what, each.count) for each in checked.findings] == [
        ("`a.csv`: 2 rows have an empty text (lines 5, 9)", 2),
        ("`a.csv`: a row has an empty label (line 11)", 1),
    ]
    assert checked.rows == {"train": 157, "test": 40}


def test_the_same_input_twice_is_told_by_where_it_stands_and_what_its_labels_are():
    found = rows()
    found += [
        {**found[1], "split": "test", "text": found[1]["text"].upper()},
        {**found[2], "label": "sea" if found[2]["label"] == "wood" else "wood"},
        {**found[3]},
    ]
    checked = hubtl.check(TASK, written(found))
    places = {
        each.kind: [(r["row"], r.get("like")) for r in each.rows] for each in checked.findings
    }
    assert places == {
        "overlap": [("a.csv:202", "a.csv:3")],
        "contradiction": [("a.csv:4", None), ("a.csv:203", "a.csv:4")],
        "duplicate": [("a.csv:203", "a.csv:4"), ("a.csv:204", "a.csv:5")],
    }
    assert checked.findings[0].what == "a test row is in training too"


def test_a_test_that_is_all_in_training_is_an_error():
    found = [each for each in rows() if each["split"] == "train"]
    kinds = [each[:2] for each in told(found, test=written(found[:30], "b.csv"))]
    assert kinds[0] == ("overlap", "error")


def test_a_twentieth_of_near_copies_across_the_split_is_found():
    found = rows()
    trained = [each for each in found if each["split"] == "train"][:10]
    for number, each in enumerate(trained):
        words = each["text"].split()
        words[number] = words[number][:-1] + "x"
        found.append({**each, "split": "test", "text": " ".join(words) + "!"})
    checked = hubtl.check(TASK, written(found))
    assert [(each.kind, each.severity, each.count) for each in checked.findings] == [
        ("near_overlap", "warning", 10)
    ]
    assert {row["row"] for row in checked.findings[0].rows} == {
        f"a.csv:{n}" for n in range(202, 212)
    }


def test_classes_are_told_that_have_few_rows_or_are_on_one_side_only():
    found = rows(1000)
    found += [{**each, "label": "sky"} for each in rows(5, seed=1) if each["split"] == "train"]
    found += [{**each, "label": "ice"} for each in rows(5, seed=2) if each["split"] == "test"]
    faults = [each for each in told(found) if each[0] != "label"]
    assert faults == [
        ("unlearnt", "error", "no row to learn from has `ice`, which test rows have"),
        ("untested", "warning", "no test row has `sky`"),
        ("few", "warning", "fewer than 8 rows to learn from: `sky`"),
        ("imbalance", "warning", "`sea` has 100 times the rows of `sky`"),
    ]


@pytest.mark.parametrize(
    ("count", "label", "expected"),
    [
        (40, "sea", ("one_label", "error", "all rows have the label `sea`")),
        (41, "", ("single", "error", "`odd`: one row only, to learn from and to test with")),
    ],
)
def test_what_adapt_would_refuse_is_an_error(count, label, expected):
    found = [{"text": each["text"], "label": label or each["label"]} for each in rows(count)]
    if not label:
        found[-1]["label"] = "odd"
    assert told(found)[0] == expected


def test_columns_are_told_that_are_empty_or_constant_or_give_the_label_away():
    found = [
        {
            **each,
            "none": "",
            "always": "1",
            "id": str(n),
            "code": each["label"][0],
            "size": f"{n}.5",
        }
        for n, each in enumerate(rows())
    ]
    assert told(found) == [
        ("constant", "note", "column `none` is empty"),
        ("constant", "note", "column `always` is `1` in every row"),
        ("gives_label", "note", "column `code` tells 100.0% of the labels by itself"),
        ("group", "note", "column `code` has the same values on both sides of the split, and tells "
         "the label of 100% of those rows"),
    ]  # fmt: skip


def test_a_group_that_is_on_both_sides_and_hangs_on_the_label_is_told():
    dice = random.Random(0)
    found = rows()
    for number, each in enumerate(found):
        mine, other = (["ann", "bo", "cy"], ["dee", "eli"])[:: 1 if number % 2 else -1]
        each["speaker"] = dice.choice(mine if dice.random() < 0.9 else other)
        each["room"] = dice.choice("abcde")
    (only,) = [each for each in hubtl.check(TASK, written(found)).findings]
    assert (only.kind, only.severity) == ("group", "warning") and "`speaker`" in only.what
    assert only.hint == "keep each on one side, by --column group=speaker and without the split"
    free = [{k: v for k, v in each.items() if k != "split"} for each in found]
    assert [kind for kind, *_ in told(free)] == ["group"]
    assert told(free, columns={"group": "speaker"}) == []


def test_swapped_labels_are_found_and_sound_ones_are_not_doubted():
    found = rows(600)
    swapped = random.Random(1).sample(range(600), 3)
    for number in swapped:
        found[number]["label"] = "sea" if found[number]["label"] == "wood" else "wood"
    checked = hubtl.check(TASK, written(found))
    (only,) = checked.findings
    planted, doubted = {f"a.csv:{n + 2}" for n in swapped}, {row["row"] for row in only.rows}
    assert doubted == planted
    assert all(row["rather"] != row["label"] and row["sure"] > 0.9 for row in only.rows)


def test_labels_are_doubted_by_a_bases_features_too(shelf):
    found = rows(100)
    checked = hubtl.check(
        TASK, written(found), base="acme/tiny-encoder", hub=f"folder:{shelf.cache.root}"
    )
    assert checked.not_checked == ()


def test_a_folder_with_a_broken_picture_is_checked_but_for_that(tmp_path):
    from PIL import Image

    dice = np.random.default_rng(0)
    for label, red in (("dark", 40), ("light", 200)):
        Path("shots", label).mkdir(parents=True)
        for number in range(12):
            pixels = dice.integers(red - 40, red + 40, (32, 32, 3)).astype("uint8")
            Image.fromarray(pixels).save(Path("shots", label, f"{number}.png"))
    Path("shots/dark/0.png").write_bytes(b"no picture")
    checked = hubtl.check("image-classification", "shots")
    (only,) = checked.findings
    assert (only.kind, only.severity, only.count) == ("unreadable", "error", 1)
    assert "0.png" in only.what and checked.rows == {"train": 23, "test": 0}


def test_rows_with_several_labels_are_not_doubted_and_that_is_said():
    Path("clips").mkdir()
    import soundfile

    dice = np.random.default_rng(0)
    for number in range(4):
        soundfile.write(f"clips/{number}.wav", dice.normal(size=16_000) * 0.1, 16_000)
    found = [{"file": f"clips/{n}.wav", "label": ("a|b", "a")[n % 2]} for n in range(4)]
    checked = hubtl.check("audio-classification", written(found), options={"several": "true"})
    assert checked.not_checked == ("doubtful labels: rows have no single class",)
    assert checked.labels == {"a": 4, "b": 2}


def test_real_data_raise_no_alarm():
    checked = hubtl.check("image-classification", ROOT / "examples/noto-emoji")
    assert [each for each in checked.findings if each.severity != "note"] == []


def test_the_command_says_the_gravest_first_with_what_to_do_and_json_says_all(hubtl_cli):
    found = rows()
    found += [{**found[n], "split": "test"} for n in (1, 2, 3, 4, 6, 7)]
    found[0]["label"] = ""
    written(found)
    plain, machine = hubtl_cli(f"check {TASK} a.csv"), hubtl_cli(f"check {TASK} a.csv --json")
    assert (plain.code, machine.code) == (0, 0)
    assert plain.out.splitlines()[:5] == [
        "error: `a.csv`: a row has an empty label (line 2)",
        "  fill in or remove it, then run it again",
        "warning: 6 test rows are in training too",
        "  a.csv:202 as a.csv:3; a.csv:203 as a.csv:4; a.csv:204 as a.csv:5; a.csv:205 as a.csv:6; "
        "a.csv:206 as a.csv:8; and 1 more: --json",
        "  `adapt` drops them from the test",
    ]
    assert [each["count"] for each in machine.json["findings"]] == [1, 6]
    assert len(machine.json["findings"][1]["rows"]) == 6


def test_what_is_no_table_is_an_error(hubtl_cli):
    Path("a.csv").write_text("text,label\nonly one cell\n")
    said = hubtl_cli(f"check {TASK} a.csv")
    assert (said.code, said.out) == (1, "") and said.err.startswith("error: ")


def test_adapt_warns_before_work_of_what_it_drops_and_of_near_copies(shelf):
    found = rows(100)
    found += [{**found[n], "split": "test"} for n in (1, 2)]
    found += [{**found[n], "split": "test", "text": found[n]["text"] + " x"} for n in (3, 4)]
    plan = hubtl.plan(
        TASK, written(found), base="acme/tiny-encoder", hub=f"folder:{shelf.cache.root}"
    )
    assert plan.warnings == (
        "2 test rows are in training too: dropped",
        "2 test rows are nearly the same as one to learn from (75% of the runs of 4 letters are in "
        "both)",
    )
    assert json.loads(json.dumps(plan.as_json()))["warnings"] == list(plan.warnings)


def test_adapt_warns_before_work_of_a_group_on_both_sides_that_tells_the_label(shelf):
    found = [{**row, "site": f"site of {row['label']}"} for row in rows(100)]
    place = {"base": "acme/tiny-encoder", "hub": f"folder:{shelf.cache.root}"}
    (warned,) = hubtl.plan(TASK, written(found), **place).warnings
    assert warned == (
        "column `site` has the same values on both sides of the split, and tells the label of "
        "100% of those rows"
    )
    assert hubtl.check(TASK, "a.csv").findings[0].what == warned
