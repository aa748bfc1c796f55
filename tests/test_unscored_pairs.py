"""Pairs of texts that belong together, and triplets: what doesn't is made, within a part."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import hubtl
from hubtl.dataset import Dataset, read_dataset
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts
from hubtl.splitting import split_rows

from .conftest import FILLER, WORDS
from .test_sentence_similarity import BASE, ENOUGH, TASK


def table(head: str, rows: Sequence[Sequence[str]], name: str = "a.csv") -> Path:
    with Path(name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([head.split(","), *rows])
    return Path(name)


def read(path: Path, **columns: str) -> Dataset:
    task = plugins().task(TASK)
    return read_dataset(path, task, columns, goal=task.goal({}))


def scored(data: Dataset) -> list[tuple[str, str, str]]:
    """The first text, the second and the score of each row, in order."""
    pairs = [(json.loads(row.input), row.label) for row in data.examples]
    return [(pair["sentence1"], pair["sentence2"], score) for pair, score in pairs]


def questions(count: int) -> list[list[str]]:
    return [[f"question {number}", f"answer {number}"] for number in range(count)]


def test_each_first_text_is_put_beside_the_second_of_another_row_with_score_0():
    data = read(table("question,answer", questions(50)))
    rows = scored(data)
    assert rows[:50] == [(first, second, "1.0") for first, second in questions(50)]
    made = rows[50:]
    assert Counter(score for *_, score in made) == {"0.0": 50}
    assert [first for first, *_ in made] == [first for first, _ in questions(50)]
    assert {second for _, second, _ in made} <= {second for _, second in questions(50)}
    assert not {(first, second) for first, second, _ in made} & {*map(tuple, questions(50))}
    assert data.made == (
        "`a.csv` has no scores: its 50 pairs have 1, and 50 that don't belong together, made of "
        "two rows each, have 0 and stand behind line 51"
    )
    assert scored(read(Path("a.csv"))) == rows, "the same each time"


def test_a_triplet_is_two_pairs_and_an_empty_negative_none():
    path = table("anchor,positive,negative", [["a", "b", "c"], ["d", "e", ""], ["f", "g", "h"]])
    together = [("a", "b", "1.0"), ("d", "e", "1.0"), ("f", "g", "1.0")]
    assert scored(read(path)) == [*together, ("a", "c", "0.0"), ("f", "h", "0.0")]


def test_no_text_is_on_two_sides_of_a_split_that_hubtl_makes():
    data = read(table("query,positive", questions(200)))
    goal = plugins().task(TASK).goal({})
    split = split_rows(data, None, 0, validates=True, goal=goal)
    texts = [
        {text for row in part for text in json.loads(row.input).values()}
        for part in (split.train, split.validation, split.test)
    ]
    assert all(texts) and sum(map(len, texts)) == len(set().union(*texts)) == 400
    scores = [Counter(row.label for row in part) for part in (split.train, split.test)]
    assert all(abs(each["1.0"] - each["0.0"]) <= 2 for each in scores)
    assert "with no group on two sides," in split.how and data.made in split.how


def test_a_part_of_the_file_s_own_split_keeps_to_itself():
    rows = [
        [*row, "test" if number % 4 == 0 else "train"] for number, row in enumerate(questions(80))
    ]
    data = read(table("question,answer,split", rows))
    test = [json.loads(row.input) for row in data.parts["test"]]
    assert len(test) == 40
    numbers = {text.split()[1] for pair in test for text in pair.values()}
    assert {int(each) % 4 for each in numbers} == {0}
    split = split_rows(data, None, 0, validates=True, goal=plugins().task(TASK).goal({}))
    learnt, chosen = (
        {text for row in part for text in json.loads(row.input).values()}
        for part in (split.train, split.validation)
    )
    assert chosen and not learnt & chosen


def test_a_pair_that_a_row_has_is_never_made_to_be_one_that_does_not_belong_together():
    rows = [[f"q{number % 5}", f"a{number}"] for number in range(40)]
    rows += [[f"q{number % 5}", f"a{number}"] for number in range(40, 45)]
    made = [
        (first, second)
        for first, second, score in scored(read(table("query,answer", rows)))
        if score == "0.0"
    ]
    assert made and not {*made} & {*map(tuple, rows)}


def test_rows_of_a_group_stay_together():
    rows = [[*row, f"g{number // 20}"] for number, row in enumerate(questions(100))]
    data = read(table("question,answer,thread", rows), group="thread")
    of_group = Counter(
        (int(json.loads(row.input)["sentence1"].split()[1]) // 20, row.group)
        for row in data.examples
    )
    assert len({block for _, block in of_group}) == len(of_group) == 5


@pytest.mark.parametrize(
    ("head", "row", "columns", "error", "told"),
    [
        ("sentence1,sentence2,sim", ["a", "b", "0.5"], {}, BadData, "no score column"),
        ("query,answer", ["a", "b"], {}, BadData, "no pair that doesn't belong together"),
        ("query,answer,day", ["a", "b", "2026-01-01"], {"time": "day"}, BadOption, "by time"),
        ("query,text", ["a", "b"], {}, BadData, "no sentence2 column"),
    ],
)
def test_what_can_not_be_completed_is_told(head, row, columns, error, told):
    with pytest.raises(error, match=told):
        read(table(head, [row, row]), **columns)


def test_scores_that_are_there_are_taken_whatever_else_there_is():
    path = table("anchor,positive,score", [["a", "b", "0.5"], ["c", "d", "0.1"]])
    assert scored(read(path)) == [("a", "b", "0.5"), ("c", "d", "0.1")]


def test_pairs_without_scores_are_learnt_judged_and_judged_again(shelf, hubtl_cli):
    dice = random.Random(0)
    rows = []
    for number in range(160):
        words = WORDS[dice.choice(["good", "bad"])]
        texts = [[*dice.choices(words, k=3), *dice.sample(FILLER, 2)] for _ in range(2)]
        rows.append([f"{' '.join(text)} {number}" for text in texts])
    path = table("anchor,positive", rows)
    told = {"base": BASE, "hub": shelf.name, "domain": "general", "options": ENOUGH["top"]}
    folder = hubtl.adapt(TASK, path, recipe="top", **told).folder
    facts = read_facts(folder)
    assert "160 that don't belong together" in facts.data["split"]
    assert facts.metrics["spearman"]["value"] > facts.baselines["base"]["spearman"] + 0.2
    said = hubtl_cli(f"evaluate {folder} {path} --hub {shelf.name} --json")
    assert said.json["rows"]["test"] == 320
    assert said.json["metrics"]["spearman"]["value"] > 0.5
