"""Rows are split by label, group or time; what is alike stays together; it is saved, not shown."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubtl.dataset import Dataset, read_dataset
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError
from hubtl.splitting import fingerprint, split_rows, write_split
from hubtl.transfer.rows import Example
from hubtl.transfer.split import Split, at_most, hold_out


def table(*rows: tuple[object, ...], header: str = "text,label,who") -> Path:
    with Path("a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return Path("a.csv")


def read(path: Path, **columns: str) -> Dataset:
    return read_dataset(path, plugins().task("text-classification"), columns)


def split(data: Dataset, seed: int = 0, validates: bool = False) -> Split:
    return split_rows(data, None, seed, validates=validates)


def told(path: Path, **columns: str) -> str:
    with pytest.raises(HubtlError) as caught:
        split(read(path, **columns))
    return f"{caught.value.message} | {caught.value.hint}"


def visits(count: int = 200) -> Path:
    """Ten texts of each of 20 people, of three labels."""
    rows = [(f"note {n} of the visit", f"l{n % 3}", f"person {n % 20}") for n in range(count)]
    return table(*rows)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_two_sides_and_classes_keep_their_share(seed):
    data = read(visits(), group="who")
    found = split(data, seed, validates=True)
    sides = [{row.group for row in part} for part in (found.train, found.validation, found.test)]
    assert sum(map(len, sides)) == 20 == len(set.union(*sides))
    assert 20 <= found.sizes["test"] <= 60 and found.sizes["validation"]
    assert set(Counter(row.label for row in found.test)) == {"l0", "l1", "l2"}
    assert found == split(data, seed, validates=True)
    assert "with no group on two sides, held out by seed" in found.how


def test_groups_that_share_a_text_are_one():
    rows = [("the same note", "x", "ana"), ("The  same NOTE", "y", "bob")]
    rows += [(f"note {n}", "xy"[n % 2], f"p{n % 6}") for n in range(60)]
    for seed in range(8):
        found = split(read(table(*rows), group="who"), seed)
        sides = [{row.group for row in part} for part in (found.train, found.test)]
        assert not sides[0] & sides[1]
        assert any({"ana", "bob"} <= side for side in sides)


def test_the_latest_rows_are_the_test_rows_and_no_time_is_on_two_sides():
    rows = [(f"note {n}", "xy"[n % 2], f"2026-01-{n // 4 + 1:02}") for n in range(100)]
    found = split(read(table(*reversed(rows)), time="who"), validates=True)
    assert found.how == "the latest 20% held out, 15% of the rest to validate"
    order = [
        sorted(int(row.input.split()[1]) for row in part)
        for part in (found.train, found.validation, found.test)
    ]
    assert found.sizes == {"train": 68, "validation": 12, "test": 20}
    assert order == [list(range(68)), list(range(68, 80)), list(range(80, 100))]


@pytest.mark.parametrize(
    "times",
    [
        ["1999", "2000", "2001", "2002", "2003"],
        ["9.5", "10", "11", "12", "100"],
        ["2026-01-01T23:00:00-05:00", "2026-01-02T05:00:00Z", "2026-01-03", "2026-01-03 01:00",
         "2026-02-01T00:00:00.123456789"],
    ],
)  # fmt: skip
def test_times_are_numbers_or_iso_8601(times):
    rows = [(f"note {n}", "xy"[n % 2], times[n // 2]) for n in range(10)]
    found = split(read(table(*rows), time="who"))
    assert [row.input for row in found.test] == ["note 8", "note 9"]


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        ([("a", "x", "g"), ("b", "y", "")], {"group": "who"}, "`a.csv`: a row has an empty group "),
        ([("a", "x", "1"), ("b", "y", "")], {"time": "who"}, "`a.csv`: a row has an empty time (l"),
        ([("a", "x", "2026-01-01"), ("b", "y", "yesterday")], {"time": "who"},
         "`a.csv`: a row has a time that is none (line 3) | write times as 2026-01-31,"),
        ([("a", "x", "g")], {"group": "whom"}, "`a.csv` has no column `whom` for --group | did yo"),
        ([("a", "x", "g")], {"group": "who", "time": "who"}, "rows are split by group or by time "),
        ([(f"t{n}", "xy"[n % 2], "ana") for n in range(9)], {"group": "who"},
         "`a.csv`: the groups can't be divided: without any of them a label would be gone | add"),
        ([(f"t{n}", "xy"[n % 2], "7") for n in range(9)], {"time": "who"},
         "`a.csv`: all rows have the same time | leave the column of times out"),
    ],
)  # fmt: skip
def test_rows_that_can_not_be_split_so_are_told(rows, columns, expected):
    assert told(table(*rows), **columns).startswith(expected)


def test_a_files_own_split_with_a_group_on_two_sides_is_told():
    rows = [(f"t{n}", "xy"[n % 2], "ana", "train" if n < 8 else "test") for n in range(12)]
    path = table(*rows, header="text,label,who,split")
    assert told(path, group="who").startswith(
        "`a.csv`: a group has rows to train on and rows to test with, such as a.csv:10 | mend"
    )


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz"), st.sampled_from("1234")),
        min_size=2,
    ),
    st.integers(0, 99),
    st.booleans(),
)
@settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_the_rows_each_is_on_one_side_with_all_that_is_like_it(rows, seed, grouped):
    examples = [
        Example(str(n), text.upper() if n % 2 else f" {text} ", label, group if grouped else "")
        for n, (text, label, group) in enumerate(rows)
    ]
    try:
        kept, out = hold_out(examples, 0.3, seed)
    except HubtlError:
        assert grouped
        return
    assert sorted(row.id for row in (*kept, *out)) == sorted(row.id for row in examples)
    keys = [{row.input.strip().lower() for row in part} for part in (kept, out)]
    assert not keys[0] & keys[1]
    assert not grouped or not {row.group for row in kept} & {row.group for row in out}
    assert (kept, out) == hold_out(examples, 0.3, seed)


def test_a_row_added_later_moves_no_other_row_to_the_other_side():
    rows = [Example(str(n), f"text {n}", "xy"[n % 2]) for n in range(100)]
    before = {row.id for row in hold_out(rows, 0.2, 3)[1]}
    after = {row.id for row in hold_out([Example("new", "text new", "x"), *rows], 0.2, 3)[1]}
    assert len(before ^ after - {"new"}) <= 1


def test_test_rows_that_training_has_but_for_case_and_spaces_are_dropped():
    rows = [("A note", "x", "train"), ("b", "y", "train"), ("a  NOTE", "x", "test")]
    rows += [("c", "y", "test")]
    found = split(read(table(*rows, header="text,label,split")))
    assert [row.input for row in found.test] == ["c"]
    assert found.how.endswith("; 1 test rows dropped that are in training too")


def test_a_saved_split_names_rows_by_id_and_fingerprint_and_is_the_same_again():
    data = read(visits(), group="who")
    for folder in ("first", "again"):
        Path(folder).mkdir()
        write_split(Path(folder), split(data, 7, validates=True), 7)
    text = Path("first/split.json").read_text()
    assert text == Path("again/split.json").read_text()
    saved = json.loads(text)
    found = split(data, 7, validates=True)
    assert saved["test"] == [[row.id, fingerprint(row)] for row in found.test]
    assert (saved["seed"], saved["how"], len(saved["train"])) == (7, found.how, len(found.train))
    assert "note" not in text and "person" not in text
    assert stat.S_IMODE(Path("first/split.json").stat().st_mode) == 0o600


def test_plain_rivals_learn_from_so_many_rows_at_most_and_from_every_class():
    rows = [(f"note {n}", "rare" if n < 5 else f"l{n % 2}", "") for n in range(1000)]
    whole = split(read(table(*rows)), validates=True)
    few = at_most(whole, 100, 0)
    counts = Counter(row.label for row in few.train)
    assert 95 <= len(few.train) <= 101 and counts["rare"] >= 1 and len(few.validation) == 0
    assert abs(counts["l0"] - counts["l1"]) <= 2 and few.test == whole.test
    assert at_most(whole, 900, 0) is whole


def test_that_plain_rivals_learnt_from_fewer_rows_is_said(monkeypatch):
    monkeypatch.setattr("hubtl.splitting.RIVAL_ROWS", 50)
    assert split(read(visits())).how.endswith(
        "; plain rivals learnt from a stratified 50 rows of those to train on"
    )


def test_adapt_saves_its_split_and_never_publishes_it(adapted):
    saved = json.loads((adapted / "split.json").read_text())
    facts = json.loads((adapted / "hubtl.json").read_text())
    assert {part: len(saved[part]) for part in ("train", "validation", "test")} == facts["rows"]
    assert "split.json" not in facts["files"]
