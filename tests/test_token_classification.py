"""Spans of texts: read in every form that they have in data, found, and judged as by seqeval."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

import hubtl
from hubtl.dataset import read_dataset, read_inputs
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.plugins.text.word_features import _places
from hubtl.plugins.text.words import places_of
from hubtl.predictions import read_predictions
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts
from hubtl.transfer.spans import SPANS
from hubtl.transfer.written_spans import from_tags, written

from .conftest import FILLER, QUICK, WORDS, Said

TASK = "token-classification"
BASE = "acme/tiny-bert"
TEXT = "Ann Lee lives in Oslo"
SPANS_OF_IT = '[[0,7,"PER"],[17,21,"LOC"]]'


def tagged(number: int) -> tuple[list[str], list[str]]:
    """Return the tokens and IOB2 tags of a sentence with a good span and a bad one."""
    dice = random.Random(number)
    good, (bad,) = dice.sample(WORDS["good"], 1 + number % 3 % 2), dice.sample(WORDS["bad"], 1)
    first, then = dice.sample(FILLER, 2)
    tokens = [first, *good, then, bad] if number % 2 else [first, bad, then, then, *good]
    signs = {good[-1]: "I-GOOD", good[0]: "B-GOOD", bad: "B-BAD"}
    return tokens, [signs.get(token, "O") for token in tokens]


def write_conll(numbers: range, path: Path) -> None:
    """Write sentences as CoNLL has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sentences = ("".join(f"{a} {b}\n" for a, b in zip(*tagged(n), strict=True)) for n in numbers)
    path.write_text("-DOCSTART- O\n\n" + "\n".join(sentences))


@pytest.fixture
def corpus() -> Path:
    """A folder of CoNLL files: 120 sentences to train on, 30 to test."""
    write_conll(range(120), Path("corpus/train.txt"))
    write_conll(range(120, 150), Path("corpus/test.txt"))
    return Path("corpus")


def adapt(shelf: Folder, data: Path, recipe: str, base: str = BASE, **options: str) -> Path:
    asked = {**QUICK[recipe], **options}
    place = {"base": base, "hub": shelf.name, "domain": "general"}
    return hubtl.adapt(TASK, data, recipe=recipe, options=asked, **place).folder


def rows(path: Path, **columns: str) -> list[tuple[str, str]]:
    """Return the input and the label of each row of DATA."""
    task = plugins().task(TASK)
    read = read_dataset(path, task, columns, goal=task.goal({})).examples
    return [(row.input, row.label) for row in read]


def conll(*lines: str) -> Path:
    path = Path("a.conll")
    path.write_text("\n".join(lines) + "\n")
    return path


def jsonl(*objects: object) -> Path:
    path = Path("a.jsonl")
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    return path


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param("B-PER I-PER O O B-LOC", id="IOB2"),
        pytest.param("I-PER I-PER O O I-LOC", id="IOB1"),
        pytest.param("B-PER E-PER O O S-LOC", id="IOBES"),
        pytest.param("B-PER L-PER O O U-LOC", id="BILOU"),
    ],
)
def test_every_way_to_tag_tokens_is_read_as_the_same_spans(tags: str) -> None:
    lines = [f"{token}\tX\t{tag}" for token, tag in zip(TEXT.split(), tags.split(), strict=True)]
    assert rows(conll("-DOCSTART- -X- O", "", *lines, "", "", "Go O")) == [
        (TEXT, SPANS_OF_IT),
        ("Go", "[]"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "spans": [{"start": 17, "end": 21, "label": "LOC"}, [0, 7, "PER"]]},
        {"text": TEXT, "entities": [[0, 8, "PER"], [17, 21, "LOC"]]},
        {"sentence": TEXT, "labels": [[0, 7, "PER"], [17, 21, "LOC"]]},
        {"tokens": TEXT.split(), "ner_tags": ["B-PER", "I-PER", "O", "O", "B-LOC"]},
        {"words": TEXT.split(), "tags": ["I-PER", "I-PER", "O", "O", "I-LOC"]},
    ],
    ids=lambda row: " and ".join(row),
)
def test_rows_of_texts_with_spans_and_of_tokens_with_tags_are_read(row: dict[str, object]) -> None:
    assert rows(jsonl(row)) == [(TEXT, SPANS_OF_IT)]


def test_a_csv_and_a_tsv_of_sentences_are_read_too() -> None:
    with Path("a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "spans"], [TEXT, SPANS_OF_IT], ["[sic]", "[]"]])
    Path("a.tsv").write_text("Ann\tI-PER\nLee\tI-PER\n\nGo\tO\n")
    assert rows(Path("a.csv")) == [(TEXT, SPANS_OF_IT), ("[sic]", "[]")]
    assert rows(Path("a.tsv")) == [("Ann Lee", '[[0,7,"PER"]]'), ("Go", "[]")]
    Path("a.tsv").write_text("text\tspans\nA b\t[]\n\n\n")  # blank lines behind are no sentences
    assert rows(Path("a.tsv")) == [("A b", "[]")]


def test_tags_that_parquet_has_as_numbers_get_the_names_that_stand_beside_them() -> None:
    import pyarrow
    from pyarrow import parquet

    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    table = pyarrow.table({"tokens": [TEXT.split()], "ner_tags": [[1, 2, 0, 0, 3]]})
    told = {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}
    about = json.dumps({"info": {"features": {"ner_tags": told}}})
    parquet.write_table(table.replace_schema_metadata({"huggingface": about}), "a.parquet")
    assert rows(Path("a.parquet")) == [(TEXT, SPANS_OF_IT)]


def test_what_is_to_be_predicted_may_be_tokens() -> None:
    path = jsonl({"tokens": ["Ann", "Lee"]}, {"tokens": ["Go"]})
    assert read_inputs(path, plugins().task(TASK), {}) == ["Ann Lee", "Go"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": TEXT, "spans": [[0, 7, "PER"], [4, 12, "X"]]}, "`Lee live` \\(X\\) overlaps"),
        ({"text": TEXT, "spans": [[17, 22, "LOC"]]}, "17 to 22 \\(LOC\\) is no part of the text"),
        ({"text": TEXT, "spans": [[7, 8, "LOC"]]}, "7 to 8 \\(LOC\\) has no word in it"),
        ({"text": TEXT, "spans": [["a", 8, "LOC"]]}, "no whole numbers"),
        ({"text": TEXT, "spans": [{"start": 0, "end": 8}]}, "no span with start, end and label"),
        ({"text": TEXT, "spans": "PER"}, "`PER` is no list of spans or tags"),
        ({"tokens": ["Ann", "Lee"], "tags": ["PER", "O"]}, "`Ann` has the tag `PER`"),
        ({"tokens": ["Ann", "Lee"], "tags": ["B-PER"]}, "1 tags for 2 tokens"),
        ({"tokens": ["Ann"], "spans": [[0, 3, "PER"]]}, "offsets, and the text is a list of"),
        ({"text": TEXT, "tags": ["B-PER"]}, "tags, and the text is no list of tokens"),
    ],
)
def test_a_row_at_fault_is_told_by_its_line_and_word(row: dict[str, object], told: str) -> None:
    good = {key: "Go" if key == "text" else [] for key in row}
    with pytest.raises(BadData, match=f"{told}.*line 2"):
        rows(jsonl({**good, **({"tokens": ["Go"]} if "tokens" in row else {})}, row))


def test_a_token_without_a_tag_is_told_by_its_line() -> None:
    with pytest.raises(BadData, match="`a.conll`, line 3: `Lee` is no token with its tag"):
        rows(conll("Go O", "", "Lee"))


def scores(true: list[str], said: list[str]) -> list[float]:
    """Return F1, macro F1, precision and recall of IOB2 sentences, each one text."""
    labels = []
    for sentences in (true, said):
        tags = [each.split() for each in sentences]
        labels.append([written(from_tags(t, [[n, n + 1] for n in range(len(t))])) for t in tags])
    weights = np.ones((1, len(true)))
    found = (metric(*map(np.array, labels), weights) for metric in SPANS.metrics.values())
    return [round(float(each[0]), 4) for each in found]


@pytest.mark.parametrize(
    ("true", "said", "expected"),
    [
        pytest.param(  # the example of seqeval's README, which prints 0.50 and the rows below
            ["O O O B-MISC I-MISC I-MISC O", "B-PER I-PER O"],
            ["O O B-MISC I-MISC I-MISC I-MISC O", "B-PER I-PER O"],
            [0.5, 0.5, 0.5, 0.5],
            id="seqeval's README",
        ),
        pytest.param(  # the README's example of strict mode, which by default prints 1.00
            ["B-NP I-NP O"], ["I-NP I-NP O"], [1.0] * 4, id="a chunk may begin with I"
        ),
        pytest.param(["B-A B-A"], ["B-A I-A"], [0.0] * 4, id="two are not one"),
        pytest.param(["B-A I-A"], ["B-A I-B"], [0.0] * 4, id="another type begins another"),
        pytest.param(
            ["B-A O B-B", "B-A"], ["B-A O B-A", "O"], [0.4, 0.25, 0.5, 0.3333], id="two types"
        ),
        pytest.param(["O"], ["B-A"], [0.0] * 4, id="made up"),
        pytest.param(["O"], ["O"], [0.0] * 4, id="nothing at all"),
    ],
)
def test_figures_are_those_of_seqeval(
    true: list[str], said: list[str], expected: list[float]
) -> None:
    assert scores(true, said) == expected


def test_a_word_is_judged_by_its_first_token_and_a_sign_is_a_word() -> None:
    split = Tokenizer(models.BPE({"a": 0, "b": 1, ",": 2, "Ġ": 3}, [], unk_token="a"))
    split.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    read = split.encode("ab, ba")
    places = places_of("ab, ba", [list(each) for each in read.offsets], read.word_ids, True)
    assert [each for each in places if each[1]] == [[0, 2], [2, 3], [4, 6]]
    each = places_of("ab", [[0, 1], [1, 2]], [0, 0], False)
    assert each == [[0, 1], [1, 2]]


@pytest.mark.parametrize("text", ["भारत, है", "cafe\u0301, a"], ids=["Hindi", "decomposed"])
def test_marks_upon_letters_are_parts_of_a_word_wherever_a_tokenizer_cuts(text: str) -> None:
    signs = [[n, n + 1] for n in range(len(text))]
    kinds = [sign.isalnum() for sign in text]
    cuts = [int(a != b) for a, b in pairwise([kinds[0], *kinds])]
    wanted = text.replace(",", " ,").split()
    for words in (list(accumulate(cuts)), [0] * len(text)):  # cut at marks as GPT-2 does, and not
        places = [place for place in places_of(text, signs, words, True) if place[1]]
        assert [text[a:b] for a, b in places] == wanted
        assert _places(text) == places


@pytest.mark.long
def test_spans_are_learnt_predicted_and_evaluated(
    shelf: Folder, corpus: Path, hubtl_cli: Callable[..., Said]
) -> None:
    folder = adapt(shelf, corpus, "probe")
    facts = read_facts(folder)
    assert (facts.labels, facts.main_metric) == (("BAD", "GOOD"), "f1")
    assert facts.baselines["majority"]["f1"] == 0 and facts.baselines["features"]["f1"] > 0.9
    assert facts.metrics["f1"]["value"] > 0.7
    measured = read_predictions(folder)
    said = hubtl.predict(folder, [*measured.inputs[:9], ""], hub=shelf.name)
    assert [each.label for each in said] == [*map(SPANS.shown, measured.predicted[:9]), []]
    assert set(said[0].label[0]) == {"start", "end", "label"} and said[-1].score == 1
    found = hubtl.evaluate(folder, corpus, hub=shelf.name)
    assert found.metrics == facts.metrics
    by_type = {each["label"]: each["support"] for each in found.judgement["classes"]}
    true = [kind for label in measured.true for *_, kind in json.loads(label)]
    assert by_type == {"BAD": true.count("BAD"), "GOOD": true.count("GOOD")}
    assert all(each["by"] == "spans missed or made up" for each in found.judgement["worst"])
    page = (folder / "report.html").read_text()
    assert "GOOD" in page and "spans missed or made up" in page and "[[" not in page
    assert "taken for" not in page, "a span that is missed is taken for nothing"
    number = next(n for n, label in enumerate(measured.predicted) if label != "[]")
    told = hubtl_cli(f"predict {folder} '{measured.inputs[number]}' '' --hub {shelf.name}")
    found_first, none = told.out.splitlines()[-2:]
    kinds = "|".join(facts.labels)
    assert re.match(rf"({kinds}) \d+-\d+(, ({kinds}) \d+-\d+)* +[01]\.\d{{3}} ", found_first), told
    assert none.split() == ["-", "1.000"]


def test_what_draws_whole_rows_together_is_refused(shelf: Folder, corpus: Path) -> None:
    with pytest.raises(BadOption, match="`fewshot` draws whole rows of a class together"):
        adapt(shelf, corpus, "fewshot")
    with pytest.raises(BadOption, match="no layer can be probed: its head judges each position"):
        adapt(shelf, corpus, "top", layers="probe")
    assert not Path("adapted").exists()


def test_rows_without_anything_to_find_are_refused(shelf: Folder) -> None:
    path = jsonl(*({"text": f"nothing here {n}", "spans": []} for n in range(20)))
    with pytest.raises(BadData, match="no row to train on has anything to find"):
        adapt(shelf, path, "probe")


def test_one_type_is_enough(shelf: Folder) -> None:
    sentences = (" ".join(tagged(number)[0]) for number in range(60))
    texts = ((text, text.split()[-1]) for text in dict.fromkeys(sentences))
    objects = (
        {"text": text, "spans": [[len(text) - len(last), len(text), "LAST"]]}
        for text, last in texts
    )
    folder = adapt(shelf, jsonl(*objects), "probe")
    assert read_facts(folder).labels == ("LAST",)


def test_a_check_counts_rows_by_type(corpus: Path) -> None:
    found = hubtl.check(TASK, corpus)
    assert set(found.labels) == {"BAD", "GOOD"} and found.rows["test"] == 30
