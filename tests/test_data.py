"""Bad data is told before any work: by file and line, with what to do, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubtl.dataset import read_dataset
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError
from hubtl.splitting import split_rows
from hubtl.transfer.table import read_table

ROWS = "".join(f"it was fine {n},good\nit was awful {n},bad\n" for n in range(5))


def written(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def told(path: Path, **columns: str) -> str:
    task = plugins().task("text-classification")
    with pytest.raises(HubtlError) as caught:
        split_rows(read_dataset(path, task, columns), None, 0, validates=False)
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "", "`a.csv` is empty | it needs a header and one row an example"),
        ("a.csv", "text,label\n", "`a.csv` has no rows | it needs one row an example, under a"),
        (
            "a.csv",
            "text,note\nhello,1\nworld,2\n",
            "`a.csv` has no label column | it has `text`, `note`: say --label COLUMN",
        ),
        (
            "a.csv",
            "text,label\none,x\ntwo,x\nthree,x\n",
            "`a.csv` has one label only: `x` | there is nothing to tell apart: "
            "add rows with another label",
        ),
        (
            "a.csv",
            f"text,label\n{ROWS}odd,rare\n",
            "`a.csv`: the label `rare` has one row, and learning takes one to learn from and one "
            "to test with | add rows, or leave that label out",
        ),
        (
            "a.csv",
            f"text,label\n{ROWS} ,good\n",
            "`a.csv`: a row has an empty text (line 12) | fill in or remove it, then run it again",
        ),
        (
            "a.csv",
            b"text,label\nfine,good\ncaf\xe9,good\n",
            "`a.csv` is not UTF-8: line 3 has the byte 0xe9 | convert it: "
            "iconv -f latin1 -t utf-8 a.csv > a-utf8.csv",
        ),
        (
            "a.csv",
            "text,label\none, two,x\n",
            "`a.csv`, line 2: 3 cells, but 2 columns | put \"quotes\" round a cell with a comma or "
            "a line break in it",
        ),
        (
            "a.jsonl",
            '{"text": "a", "label": "x"}\n{"text": \n',
            "`a.jsonl`, line 2: no JSON (Expecting value) | write one JSON object a line",
        ),
        ("a.xls", "x", "`a.xls` is no table that hubtl reads | it reads .csv, .tsv, .jsonl,"),
        (
            "a.csv",
            "text,text,label\n1,2,3\n",
            "`a.csv` has two columns called `text` | rename one of them",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_way_on(name, content, expected):
    assert told(written(name, content)).startswith(expected)


def test_a_file_that_is_not_there_is_told():
    assert told(Path("no.csv")).startswith("there is no file `no.csv`")


def test_a_column_that_is_not_there_is_told_with_those_that_are():
    path = written("a.csv", f"text,label\n{ROWS}")
    assert told(path, text="txet") == (
        "`a.csv` has no column `txet` for --text | did you mean `text`? it has `text`, `label`"
    )


def test_columns_are_found_by_name_then_by_content():
    task = plugins().task("text-classification")
    rows = "".join(
        f"{'yes' if n % 2 else 'no'};{n};a sentence of some length {n}\n" for n in range(20)
    )
    data = read_dataset(written("a.csv", f"answer;number;words\n{rows}"), task, {})
    assert dict(data.columns) == {"text": "words", "label": "answer"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\r\n"a, ""b""\nc",x\r\nd,y\r\n'),
        ("a.tsv", 'text\tlabel\n"a, ""b""\nc"\tx\nd\ty\n'),
        ("a.jsonl", '{"text": "a, \\"b\\"\\nc", "label": "x"}\n{"text": "d", "label": "y"}\n'),
        ("a.csv", '\ufefftext,label\n"a, ""b""\nc",x\n\nd,y\n'),
    ],
)  # fmt: skip
def test_quotes_line_breaks_and_byte_order_marks_are_read_alike(name, content):
    rows = read_table(written(name, content)).rows
    assert [dict(row.cells) for row in rows] == [
        {"text": 'a, "b"\nc', "label": "x"},
        {"text": "d", "label": "y"},
    ]


def test_a_split_is_stratified_repeatable_and_keeps_equal_inputs_together():
    task = plugins().task("text-classification")
    data = read_dataset(written("a.csv", f"text,label\n{ROWS}{ROWS}"), task, {})
    first = split_rows(data, None, 1, validates=True)
    assert first == split_rows(data, None, 1, validates=True)
    assert {row.label for row in first.test} == {"good", "bad"}
    assert not {row.input for row in first.test} & {row.input for row in first.train}
    assert first != split_rows(data, None, 2, validates=True)


def test_a_file_says_its_own_split(moods):
    task = plugins().task("text-classification")
    split = split_rows(read_dataset(moods, task, {}), None, 0, validates=False)
    assert (split.sizes, split.how) == (
        {"train": 60, "validation": 0, "test": 20},
        "split as the file says",
    )
