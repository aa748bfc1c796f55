"""Tables are read whole or told by line: what a file is, what its cells are, how much it takes."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from hubtl.dataset import read_dataset, read_inputs
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import rows_fingerprint
from hubtl.transfer import batches
from hubtl.transfer.rows import Example
from hubtl.transfer.table import read_table

GOOD = '{"text": "a", "label": "x"}\n'


def written(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def as_parquet(**columns: object) -> Path:
    parquet.write_table(pa.table(columns), "a.parquet")
    return Path("a.parquet")


def examples(path: Path, **columns: str) -> list[Example]:
    return list(read_dataset(path, plugins().task("text-classification"), columns).examples)


def told(path: Path, **columns: str) -> str:
    with pytest.raises(HubtlError) as caught:
        examples(path, **columns)
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        # Without a fixed time two workers would name this case differently.
        ("a.csv", gzip.compress(b"text,label\na,x\n", mtime=0), "`a.csv` is gzip, not .csv"),
        ("a.csv", b"PK\x03\x04\x14\0\0\0", "`a.csv` is a zip or Excel file, not .csv | save it as"),
        ("a.csv", "text,label\na,x\n".encode("utf-16"), "`a.csv` is UTF-16, not .csv | conv"),
        ("a.csv", "text,label\na,x\n".encode("utf-16-le"), "`a.csv`, line 1 has a NUL byte"),
        ("a.csv", b"text,label\na\0b,x\n", "`a.csv`, line 2 has a NUL byte, which no text"),
        ("a.csv", ",text,label\n0,a,x\n", "`a.csv`: column 1 has no name | name it, or"),
        ("a.csv", "text,label\na,x\nb\n", "`a.csv`, line 3: 1 cell, but 2 columns | a row"),
        ("a.csv", 'text,label\na,x\n"b,x\nc,y\n', "`a.csv`, line 3: a cell that never ends"),
        ("a.csv", "text,label\na,x\n,\n", "`a.csv`: a row has an empty text (line 3) | fill"),
        ("a.csv", "text,label\n" + ",x\n" * 7, "`a.csv`: 7 rows have an empty text (lines 2, "
         "3, 4, 5, 6…) | fill in or remove them"),
        ("a.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n", "`a.csv` has 100000 col"),
        ("a.jsonl", GOOD + '{"text": "a"}\n', "`a.jsonl`: a row has an empty label (line 2)"),
        ("a.jsonl", GOOD + '{"text": null, "label": "x"}', "`a.jsonl`: a row has an empty te"),
        ("a.jsonl", GOOD + '{"text": ["a"], "label": "x"}', "`a.jsonl`, line 2: `text` has a "
         "list or an object, and a text is one value | name another column"),
        ("a.jsonl", GOOD + '["a"]', "`a.jsonl`, line 2: no JSON object | such as"),
        ("a.jsonl", GOOD + '{"text": NaN}', "`a.jsonl`, line 2: no JSON (NaN is no JSON val"),
        ("a.jsonl", '{"text": "a", "text": "b"}', "`a.jsonl`, line 1 has two values for `te"),
        ("a.jsonl", GOOD + '{"": 1}', "`a.jsonl`, line 2: column 3 has no name | name it"),
        ("a.jsonl", '{"text":' + "[" * 99_999, "`a.jsonl`, line 1: nested too deep to read"),
        ("a.jsonl", GOOD + '{"text": "\\ud800", "label": "x"}', "`a.jsonl`, line 2: half a ch"),
        ("a.jsonl", GOOD + '{"text": "a\\u0000", "label": "x"}', "`a.jsonl`: a row has a NUL "
         "byte in its text (line 2)"),
        ("a.parquet", b"text,label\na,x\n", "`a.parquet` is no parquet file: "),
        ("a.parquet", b"", "`a.parquet` is empty | it needs"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_with_the_way_on(name, content, expected):
    assert told(written(name, content)).startswith(expected)


def test_what_is_no_plain_file_is_told(tmp_path):
    os.mkfifo("pipe.csv")
    assert told(Path("pipe.csv")).startswith("`pipe.csv` is no plain file but a pipe or a device")
    Path("folder.csv").mkdir()
    assert told(Path("folder.csv")).startswith("`folder.csv` holds no file ending in .csv, .tsv,")
    assert told(Path("x" * 300 + ".csv")).partition(" ")[2].startswith("can't be read: File name")
    Path("loop.csv").symlink_to("loop.csv")
    assert told(Path("loop.csv")).startswith("`loop.csv` can't be read: Too many levels")


@contextlib.contextmanager
def nobody():
    """Be a user without rights for a moment: nothing is closed to root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_that_is_closed_to_us_is_told():
    path = written("a.csv", GOOD)
    told(path)  # so that what reading needs is imported
    path.chmod(0)
    with nobody():
        why = told(path)
    assert why.startswith("`a.csv` can't be read: Permission denied | `ls -l a.csv`")


def test_a_file_that_changes_while_it_is_read_is_told():
    path, done = written("a.csv", "text,label\n" + "fine words,good\n" * 300_000), threading.Event()

    def write_on():
        while not done.wait(0.01):
            with path.open("a") as file:
                file.write("more words,good\n")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        assert told(path).startswith("`a.csv` changed while it was read | run it again when")
    finally:
        done.set()
        writer.join()


def test_a_cell_of_50_megabytes_is_a_cell():
    path = written("a.csv", f"text,label\n{'long ' * 10_000_000},x\nshort,y\n")
    assert [(len(row.input), row.label) for row in examples(path)] == [(50_000_000, "x"), (5, "y")]


def test_numbers_in_jsonl_stay_as_they_were_written():
    numbers = ["1", "1.0", "1e3", "12345678901234567890123", "true"]
    path = written("a.jsonl", "".join(f'{{"text": "t", "label": {n}}}\n' for n in numbers))
    assert [row.label for row in examples(path)] == numbers


def test_a_column_that_comes_late_in_jsonl_is_a_column():
    path = written("a.jsonl", GOOD * 5000 + '{"text": "b", "label": "y", "split": "test"}\n')
    table = read_table(path)
    assert table.columns == ("text", "label", "split")
    assert [dict(row.cells) for row in table.rows][-1]["split"] == "test"


def test_every_kind_of_column_in_parquet_is_read_as_text():
    day = datetime.date(2026, 1, 31)
    path = as_parquet(
        text=pa.array(["a", "b", "c"]).dictionary_encode(),
        label=pa.array([1, 2, 3], pa.int8()),
        float=[1.0, None, float("nan")],
        day=[day, None, day],
        at=pa.array([datetime.datetime(2026, 1, 31, 1, 2), None, None], pa.timestamp("ns")),
        flag=[True, False, None],
        tags=[["x"], [], None],
        nothing=pa.nulls(3),
    )
    assert [dict(row.cells) for row in read_table(path).rows] == [
        {
            "text": "a",
            "label": "1",
            "float": "1.0",
            "day": "2026-01-31",
            "at": "2026-01-31 01:02:00.000000000",
            "flag": "true",
            "tags": '["x"]',
        },
        {"text": "b", "label": "2", "flag": "false", "tags": "[]"},
        {"text": "c", "label": "3", "day": "2026-01-31"},
    ]
    assert told(path, label="tags").startswith("`a.parquet`, row 1: `tags` has a list or an object")


def test_numbers_of_classes_get_the_names_that_the_file_has_for_them():
    features = {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}
    table = pa.table({"text": ["a", "b"], "label": [1, 0]})
    metadata = {"huggingface": json.dumps(features)}
    parquet.write_table(table.replace_schema_metadata(metadata), "a.parquet")
    assert [row.label for row in examples(Path("a.parquet"))] == ["yes", "no"]


def test_bytes_in_parquet_that_are_no_text_are_told_by_row():
    bad = pa.array([b"fine"] * 3 + [b"caf\xe9"])
    text = pa.Array.from_buffers(pa.string(), 4, bad.buffers())
    path = as_parquet(text=text, label=["x"] * 4)
    assert told(path).startswith("`a.parquet`, row 4: `text` is no text (")


def test_delimiters_are_told_apart_by_the_header():
    rows = [{"text": "a, b", "label": "x"}]
    for content in ('text;label\n"a, b";x\n', 'text,label\n"a, b",x\n', "text\tlabel\na, b\tx\n"):
        assert [dict(row.cells) for row in read_table(written("a.csv", content)).rows] == rows
    quoted = written("a.csv", '"text, in words";label\na, b;x\n')
    assert read_table(quoted).columns == ("text, in words", "label")


def test_a_row_is_known_by_the_line_it_starts_in():
    path = written("a.csv", 'text,label\r\n"a\r\n\r\nb",x\r\n\r\nc,y\r\n')
    assert [row.id for row in examples(path)] == ["a.csv:2", "a.csv:6"]


def test_inputs_are_given_in_order_and_none_is_dropped():
    path = written("a.csv", "text\nb\n \na\n")
    assert read_inputs(path, plugins().task("text-classification"), {}) == ["b", " ", "a"]


@pytest.fixture
def spilled(monkeypatch):
    """Write every table to its unnamed file, however small it is."""
    monkeypatch.setattr(batches, "LARGE", 0)


def test_rows_on_disk_are_those_in_memory_in_any_order(spilled, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    (tmp_path / "room").mkdir()
    path = written("a.csv", "text,label\n" + "".join(f"row {n},l{n % 3}\n" for n in range(9000)))
    rows = read_dataset(path, plugins().task("text-classification"), {}).examples
    wanted = [Example(f"a.csv:{n + 2}", f"row {n}", f"l{n % 3}") for n in range(9000)]
    assert list(rows) == wanted and list(rows.inputs) == [row.input for row in wanted]
    assert [rows[n] for n in (8999, 0, 4096, 4095, -1)] == [
        wanted[n] for n in (8999, 0, 4096, 4095, -1)
    ]
    assert list(rows[5000:3:-1000]) == wanted[5000:3:-1000]
    assert (rows[1:3] + rows[8990:])[-1] == wanted[-1]
    assert list((tmp_path / "room").iterdir()) == []


def test_a_full_disk_is_told_and_nothing_is_left():
    written("a.csv", "text,label\n" + "words,good\n" * 10_000)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from hubtl.transfer import batches, table\n"
        "from hubtl.registry.errors import HubtlError\n"
        "batches.LARGE = 0; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "try: table.read_table(Path('a.csv'))\n"
        "except HubtlError as error: print(error.message, '|', error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "may not hold files this large | raise the limit: ulimit -f; TMPDIR names" in done.stdout


def test_the_order_of_rows_does_not_change_their_fingerprint():
    rows = [(f"text {n}", "x") for n in range(30_000)]
    assert rows_fingerprint(rows) == rows_fingerprint(reversed(rows))
    assert rows_fingerprint([("a", "x"), ("b", "y")]) == (
        "6829ea95f44fbc8359c23f0cc53b88ef2093a9dde5089704cde4ec7206ffaf7a"
    )


PEAK = """
import resource, sys
from pathlib import Path
from hubtl.dataset import read_dataset
from hubtl.plugins.manager import plugins
data = read_dataset(Path(sys.argv[1]), plugins().task("text-classification"), {})
data.fingerprint
print(len(data.examples), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_ten_times_the_rows_take_at_most_a_fifth_more_memory(kind):
    peaks = []
    for count in (40_000, 400_000):
        path = many(kind, count)
        run = [sys.executable, "-c", PEAK, str(path)]
        rows, peak = subprocess.run(run, capture_output=True, text=True).stdout.split()
        assert int(rows) == count
        peaks.append(int(peak))
    assert peaks[1] <= 1.2 * peaks[0], peaks


def many(kind: str, count: int) -> Path:
    """Write a table of many rows of a hundred bytes, with little memory of this process."""
    path, words = Path(f"{count}.{kind}"), "and words that make up a sentence of the usual length"
    if kind == "parquet":
        schema = pa.schema({"text": pa.string(), "label": pa.string()})
        with parquet.ParquetWriter(path, schema) as file:
            for start in range(0, count, 20_000):
                texts = [f"row {n} {words}" for n in range(start, start + 20_000)]
                labels = ["good" if n % 3 else "bad" for n in range(start, start + 20_000)]
                file.write_table(pa.table({"text": texts, "label": labels}, schema))
        return path
    row = '{"text": "row %d %s", "label": "%s"}\n' if kind == "jsonl" else "row %d %s,%s\n"
    with path.open("w") as file:
        file.write("" if kind == "jsonl" else "text,label\n")
        file.writelines(row % (n, words, "good" if n % 3 else "bad") for n in range(count))
    return path
