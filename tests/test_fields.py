"""A task may take several columns of a table for one input: a JSON object, written one way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubtl.asked import asked_for
from hubtl.dataset import read_dataset, read_inputs
from hubtl.plugins.tasks.text_classification import TextClassification
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import read_facts
from hubtl.transfer.columns import Role

LABEL = Role("label", ("label",), "few")
PLUGIN = """
import hubtl
from hubtl.plugins.tasks.text_classification import TextClassification
from hubtl.transfer.columns import Role


class RowClassification(TextClassification):
    name = "row-classification"
    roles = (Role("row", (), "row"), Role("label", ("label",), "few"))


@hubtl.hookimpl
def register_tasks():
    return [RowClassification()]
"""


class WholeRows(TextClassification):
    """All columns that nothing else takes."""

    roles = (Role("row", (), "row"), LABEL)


class Pairs(TextClassification):
    """Two texts."""

    first, second = Role("first", ("premise",), "long"), Role("second", ("hypothesis",), "long")
    roles = (Role("pair", (), "row", parts=(first, second)), LABEL)


ROWS, PAIRS = WholeRows(), Pairs()
PEOPLE = "name,age,label\nada,36,yes\nbob,,no\n"


def table(text: str, name: str = "people.csv") -> Path:
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def inputs(text: str, task=ROWS, name="people.csv", **columns: str) -> list[str]:
    return [row.input for row in read_dataset(table(text, name), task, columns).examples]


def refused(*words: object, **more: object) -> str:
    with pytest.raises(HubtlError) as caught:
        inputs(*words, **more)
    return f"{caught.value.message} | {caught.value.hint}"


def test_an_input_is_all_columns_but_the_labels():
    assert inputs(PEOPLE) == ['{"age": 36, "name": "ada"}', '{"age": null, "name": "bob"}']
    data = read_dataset(Path("people.csv"), ROWS, {})
    assert data.fields == ("name", "age")
    assert data.columns == {"row": "name, age", "label": "label"}


def test_a_row_is_the_same_text_whatever_kind_of_table_it_is_in_and_however_columns_lie():
    as_csv = inputs("b;a;label\n1.50;x;yes\n2.0;;no\n")
    lines = [{"a": "x", "label": "yes", "b": 1.5}, {"a": None, "b": "2", "label": "no"}]
    assert as_csv == inputs("".join(f"{json.dumps(each)}\n" for each in lines), name="a.jsonl")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(
        [{"label": "yes", "b": 1.5, "a": "x"}, {"label": "no", "b": 2.0, "a": None}]
    ), "a.parquet")  # fmt: skip
    assert as_csv == [row.input for row in read_dataset(Path("a.parquet"), ROWS, {}).examples]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("3", 3), ("3.0", 3), ("-0", 0), (" 2.5 ", 2.5), ("1e-7", 1e-7), ("1e3", 1000),
        ("007", "007"), ("1e999", "1e999"), ("nan", "nan"), ("٣", "٣"), ("1_0", "1_0"),
        ("12345678901234567890", 12345678901234567890), ("", None), ("true", "true"),
    ],
)  # fmt: skip
def test_a_cell_is_a_number_where_json_would_write_one(cell, value):
    (row, _) = inputs(f"cell,other,label\n{cell},1,yes\n4,2,no\n")
    assert json.loads(row)["cell"] == value
    asked = asked_for(ROWS.roles[0], [row], ("cell", "other"))
    assert asked.inputs == [row]


def test_columns_with_another_role_are_no_part_of_an_input():
    text = "age,label,split,clinic,patient,seen\n" + "".join(
        f"{n},yes,{part},{n},{n},2026-01-0{n}\n{n + 4},no,{part},{n},{n},2026-01-0{n}\n"
        for n, part in ((1, "train"), (2, "test"))
    )
    assert inputs(text, group="clinic")[0] == '{"age": 1, "patient": 1, "seen": "2026-01-01"}'
    assert inputs(text, time="seen")[0] == '{"age": 1, "clinic": 1}'  # `patient` says whose it is
    assert inputs(text, label="patient", row="age, clinic")[0] == '{"age": 1, "clinic": 1}'


def test_an_input_may_be_named_columns_each_of_which_is_a_text():
    text = "premise,other,hypothesis,label\nit rains,x,007,yes\nit snows,y,it is cold,no\n"
    assert inputs(text, PAIRS)[0] == '{"first": "it rains", "second": "007"}'
    named = inputs(text, PAIRS, second="other")
    assert named[0] == '{"first": "it rains", "second": "x"}'
    assert asked_for(
        PAIRS.roles[0], ['{"second": 7, "first": null}'], ("first", "second")
    ).inputs == ['{"first": "", "second": "7"}']


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("label\nyes\nno\n", {}, "`people.csv` has no column left for its row | an input is made"),
        (PEOPLE, {"row": "age,nam"}, "`people.csv` has no column `nam` for --row | did you mean"),
        (PEOPLE, {"row": "age,label", "label": "label"}, "`label` is the label, and was named as"),
        (PEOPLE, {"body": "name"}, "this task has no role `body` | it has row, label"),
        ("a,b,label\n1,2,yes\n,,no\n", {}, "`people.csv`: a row has an empty row (line 3) |"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_inputs_is_told(text, more, told):
    assert refused(text, **more).startswith(told)


def test_a_cell_that_is_a_list_and_a_pair_without_one_of_its_texts_are_told():
    lines = '{"a": [1], "b": 2, "label": "yes"}\n{"a": 1, "b": 3, "label": "no"}\n'
    why = refused(lines, name="a.jsonl")
    assert why.startswith(
        "`a.jsonl`, line 1: `a` has a list or an object, and each column of a row"
    )
    assert inputs(lines, name="a.jsonl", row="b") == ['{"b": 2}', '{"b": 3}']
    pair = "premise,hypothesis,label\nit rains,,yes\nit snows,cold,no\n"
    assert refused(pair, task=PAIRS).startswith("`people.csv`: a row has an empty pair (line 2)")


def test_rows_to_predict_need_no_label_and_may_be_empty():
    path = table("age,name,more\n36,ada,x\n,,y\n")
    found = read_inputs(path, ROWS, {}, fields=("name", "age"))
    assert found == ['{"age": 36, "name": "ada"}', '{"age": null, "name": null}']


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("ada", 'the input `ada`: no JSON (Expecting value) | such as {"name": …, "age": …}'),
        ("[1]", 'the input `[1]`: no JSON object | such as {"name": …, "age": …}'),
        ('{"name": "ada"}', 'the input `{"name": "ada"}` has no `age` | write null for what'),
        ('{"name": "a", "agee": 1}', "has no `age` | is it `agee`?"),
        ('{"name": "a", "age": 1, "x": 2}', "has `x`, which the model does not know | it knows"),
        ('{"name": "a", "age": [1]}', "`age` is a list or an object | each column of a row is"),
        ('{"name": "a", "name": "b"}', "has two values for `name` | leave one of them out"),
    ],
)  # fmt: skip
def test_an_object_that_is_not_as_the_model_knows_it_is_told(word, told):
    with pytest.raises(HubtlError) as caught:
        asked_for(ROWS.roles[0], [word], ("name", "age"))
    assert told in f"{caught.value.message} | {caught.value.hint}"


@pytest.fixture
def letters() -> Path:
    """A table of 60 rows whose number and word both tell the label, with an id and a split."""
    lines = ["number,word,label,split"]
    for number in range(60):
        label, part = ("good", "bad")[number % 2], "test" if number < 20 else "train"
        word = ("great", "awful")[number % 2] if number % 6 else ""
        lines.append(f"{number % 10},{word} {number},{label},{part}")
    return table("\n".join(lines) + "\n", "letters.csv")


def test_the_whole_road_takes_rows_of_several_columns(install, letters, shelf, hubtl_cli):
    install("rows", PLUGIN)
    hub, base = f"--hub {shelf.name}", "--base acme/tiny-encoder"
    made = hubtl_cli(f"adapt row-classification {letters} {base} {hub} --out made --json")
    assert made.code == 0, made.err
    assert read_facts(Path("made")).fields == ("number", "word")
    # Columns that the model does not take are passed over, as the label is.
    letters.write_text(letters.read_text().replace("number,word", "word,number", 1))
    by_table = hubtl_cli(f"predict made --data {letters} {hub} --json").json["predictions"]
    assert by_table[1]["input"] == '{"number": "awful 1", "word": 1}'
    row = '\'{"word": 1, "number": "awful 1"}\''
    by_hand = hubtl_cli(f"predict made {row} {hub} --json").json["predictions"]
    assert by_hand[0]["scores"] == pytest.approx(by_table[1]["scores"], abs=1e-5)
    said = hubtl_cli(f"predict made '{{\"word\": 1}}' {hub}")
    assert said.err.startswith('error: the input `{"word": 1}` has no `number`')
    assert hubtl_cli(f"evaluate made {letters} {hub} --slice word --json").code == 0
    checked = hubtl_cli(f"check row-classification {letters} --json")
    # `number` tells the label by itself, and is in the input for that.
    assert checked.code == 0 and "`number`" not in checked.out
    letters.write_text("word,label\na,good\nb,bad\n")
    said = hubtl_cli(f"evaluate made {letters} {hub}")
    assert "error: `letters.csv` has no column `number` for --row\n" in said.err
    sent = hubtl_cli(f"publish made --to acme/rows {hub} --domain general --allow-worse --json")
    assert sent.code == 0 and sent.json["verified"], sent.err
