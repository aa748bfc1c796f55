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


def table(head: str, rows: Sequence[Sequence[str]], name: str | Path = "a.csv") -> Path:
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
        "there are no scores: 50 pairs that belong together have 1, and 50 that don't, made of two "
        "rows each, have 0 and stand behind the last line of each file"
    )
    assert scored(read(Path("a.csv"))) == rows, "the same each time"


def test_a_triplet_is_two_pairs_and_one_without_a_negative_gets_another_rows_text():
    path = table("anchor,positive,negative", [["a", "b", "c"], ["d", "e", ""], ["f", "g", "h"]])
    *first, (d, other, zero) = scored(read(path))[:3], scored(read(path))[4]
    assert first == [[("a", "b", "1.0"), ("d", "e", "1.0"), ("f", "g", "1.0")]]
    assert (d, zero) == ("d", "0.0") and other in {"b", "g"}
    assert [scored(read(path))[place] for place in (3, 5)] == [("a", "c", "0.0"), ("f", "h", "0.0")]


def test_a_negative_that_another_row_says_belongs_to_its_text_is_left_out():
    rows = [["q", "a", "b"], ["q", "b", "a"], ["r", "c", "a"]]
    made = [row for row in scored(read(table("anchor,positive,negative", rows))) if row[2] == "0.0"]
    assert made == [("r", "a", "0.0")]


def test_paraphrases_of_paraphrases_are_not_taken_for_strangers():
    chains = [
        [f"c{chain} v{step}", f"c{chain} v{step + 1}"] for chain in range(30) for step in range(5)
    ]
    made = [row for row in scored(read(table("anchor,positive", chains))) if row[2] == "0.0"]
    assert len(made) == 150
    assert all(first.split()[0] != second.split()[0] for first, second, _ in made)


def test_one_answer_to_thousands_of_questions_meets_those_to_others():
    rows = [[f"how {number}", "see the manual"] for number in range(20_000)]
    data = read(table("question,answer", [*rows, *questions(50)]))
    made = [row for row in scored(data) if row[2] == "0.0"]
    assert len(made) == 20_050, "in a moment: it took hours while each row looked at all others"
    met = Counter(second for first, second, _ in made if first.startswith("how"))
    assert "see the manual" not in met and len(met) >= 16 and max(met.values()) <= 20_000 / 16


def test_what_another_part_says_belongs_together_is_never_made():
    rows = [["q1", "p1", "train"], *([f"x{n}", f"y{n}", "train"] for n in range(6))]
    rows += [["q1", f"y{n}", "test"] for n in range(6)] + [["z1", "w1", "test"]]
    made = [row for row in scored(read(table("query,answer,split", rows))) if row[2] == "0.0"]
    assert made and not {row[:2] for row in made} & {(first, second) for first, second, _ in rows}


def test_files_that_share_most_rows_are_told_apart_by_those_that_they_do_not_share():
    first, second = questions(200), [*questions(190), *([f"n{n}", f"m{n}"] for n in range(20))]
    data, test = read(table("query,answer", first)), read(table("query,answer", second, "te.csv"))
    goal = plugins().task(TASK).goal({})
    split = split_rows(data, test, 0, validates=False, goal=goal)
    assert split.dropped >= 190 and len(split.test) >= 40


def test_pairs_that_all_hang_together_are_refused_by_what_binds_them():
    dice = random.Random(0)
    rows = [[f"q{dice.randrange(60)}", f"p{dice.randrange(60)}"] for _ in range(300)]
    with pytest.raises(BadData, match="no pair that doesn't belong together can be made"):
        read(table("query,positive", rows))
    rows.append(["another question", "another answer"])
    data = read(table("query,positive", rows))
    with pytest.raises(
        BadData, match="can't be divided: pairs that share a text, or of which"
    ) as told:
        split_rows(data, None, 0, validates=False, goal=plugins().task(TASK).goal({}))
    assert told.value.hint == "have a `split` column, or test with another --test FILE"


def test_a_row_more_moves_hardly_any_other():
    goal = plugins().task(TASK).goal({})

    def test_texts(count: int) -> set[str]:
        split = split_rows(
            read(table("query,answer", questions(count))), None, 0, validates=False, goal=goal
        )
        return {json.loads(row.input)["sentence1"] for row in split.test}

    before, after = test_texts(400), test_texts(401)
    assert len(before - after) <= 0.1 * len(before)


def test_a_handful_of_pairs_is_enough():
    goal = plugins().task(TASK).goal({})
    for count in (12, 16, 20, 23):
        data = read(table("query,answer", questions(count)))
        split = split_rows(data, None, 0, validates=False, goal=goal)
        assert (
            {row.label for row in split.test}
            == {row.label for row in split.train}
            == {"0.0", "1.0"}
        )


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


def test_a_users_groups_are_the_blocks():
    rows = [[*row, f"g{number // 20}"] for number, row in enumerate(questions(100))]
    data = read(table("question,answer,thread", rows), group="thread")
    assert data.columns["group"] == data.origin == "thread"
    for row in data.examples:
        numbers = {int(text.split()[1]) // 20 for text in json.loads(row.input).values()}
        assert {f"g{number}" for number in numbers} == {row.group}


def test_groups_on_two_sides_are_told_as_ever(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in ("train", "test"):
        rows = [[f"{part} {first}", second, "g"] for first, second in questions(20)]
        table("question,answer,thread", rows, folder / f"{part}.csv")
    data = read(folder, group="thread")
    with pytest.raises(BadData, match="a group has rows to train on and rows to test with"):
        split_rows(data, None, 0, validates=False, goal=plugins().task(TASK).goal({}))


def test_whose_a_row_is_counts_as_it_does_with_scores():
    rows = [[*row, f"u{number % 7}"] for number, row in enumerate(questions(100))]
    data = read(table("question,answer,user_id", rows))
    assert (data.columns["group"], data.origin) == ("block of pairs", "user_id")


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


@pytest.mark.long
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
    assert "and 160 that don't, made of two rows each" in facts.data["split"]
    assert facts.metrics["spearman"]["value"] > facts.baselines["base"]["spearman"] + 0.2
    said = hubtl_cli(f"evaluate {folder} {path} --hub {shelf.name} --json")
    assert said.json["rows"]["test"] == 320
    assert said.json["metrics"]["spearman"]["value"] > 0.5
