"""300 broken tables: each is an error with a name and a way on, or is read whole; never less."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hubtl.dataset import read_dataset
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError

from .conftest import SECTIONS

COUNT = 300
OUTCOMES: Counter[str] = Counter()
Rows = list[dict[str, Any]]
ODD: list[Any] = [
    "", " ", None, "\0", "a\0b", "\ufeff", "\u2028", "\r", "\n", "\r\n", '"', '""', "'", ",", ";",
    "\t", "x" * 70_000, "naïve café", "日本語", "👩‍🔬", "null", "NaN", "1e999", "=1+1", "\\", "\\n",
    "{}", "[", "\x1a", "\x7f", "\u202e", 0, -1, 1.5, True, [], ["a"], {"a": 1}, [[None]],
    10**30,
]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp1252", "utf-7", "cp037"]


def real_rows() -> Rows:
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:40]
    return [{"text": row["text"][:200], "label": row["label"], "n": row["package"]} for row in rows]


REAL = real_rows()


def as_delimited(rows: Rows, delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if row.get(name) is None else row.get(name) for name in columns])
    return out.getvalue().encode()


def as_jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_parquet(rows: Rows, compression: str) -> bytes:
    out = io.BytesIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    arrays = {}
    for name in columns:
        cells = [row.get(name) for row in rows]
        try:
            arrays[name] = pa.array(cells)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            arrays[name] = pa.array([None if cell is None else str(cell) for cell in cells])
    parquet.write_table(pa.table(arrays), out, compression=compression, row_group_size=17)
    return out.getvalue()


FORMATS: dict[str, list[Callable[[Rows], bytes]]] = {
    ".csv": [lambda rows, d=d: as_delimited(rows, d) for d in ",;\t|"],  # type: ignore[misc]
    ".tsv": [lambda rows, d=d: as_delimited(rows, d) for d in "\t,"],  # type: ignore[misc]
    ".jsonl": [as_jsonl],
    ".parquet": [lambda rows, c=c: as_parquet(rows, c) for c in ("snappy", "none")],  # type: ignore[misc]
}


def with_odd_cell(draw: st.DrawFn, rows: Rows) -> None:
    row = draw(st.sampled_from(rows))
    row[draw(st.sampled_from(["text", "label", "n", "new"]))] = draw(st.sampled_from(ODD))


def without_column(draw: st.DrawFn, rows: Rows) -> None:
    name = draw(st.sampled_from(["text", "label", "n"]))
    for row in rows:
        row.pop(name, None)


def with_renamed_column(draw: st.DrawFn, rows: Rows) -> None:
    old = draw(st.sampled_from(["text", "label", "n"]))
    new = draw(
        st.sampled_from(["", " text", "LABEL", "split", "label", "t" * 9999, "\ufeff", "a\nb"])
    )
    for row in rows:
        if old in row:
            row[new] = row.pop(old)


def with_fewer_rows(draw: st.DrawFn, rows: Rows) -> None:
    del rows[draw(st.integers(0, 3)) :]


def cut(draw: st.DrawFn, raw: bytes) -> bytes:
    return raw[: draw(st.integers(0, len(raw)))]


def flipped(draw: st.DrawFn, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 8)) if raw else 0):
        changed[draw(st.integers(0, len(raw) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def with_more(draw: st.DrawFn, raw: bytes) -> bytes:
    at = draw(st.integers(0, len(raw)))
    more = st.sampled_from([b"\n", b'"', b",", b"\0", b"\xff\xfe", b"\r", b"\n\n", b"{", b"PAR1"])
    return raw[:at] + draw(more) + raw[at:]


def encoded(draw: st.DrawFn, raw: bytes) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(draw(st.sampled_from(ENCODINGS)), "replace")


def with_a_piece_elsewhere(draw: st.DrawFn, raw: bytes) -> bytes:
    start = draw(st.integers(0, len(raw)))
    end = draw(st.integers(start, min(len(raw), start + 300)))
    at = draw(st.integers(0, len(raw)))
    return raw[:at] + raw[start:end] + raw[at:]


IN_ROWS = [with_odd_cell, without_column, with_renamed_column, with_fewer_rows]
IN_BYTES = [cut, flipped, with_more, encoded, with_a_piece_elsewhere]


@st.composite
def broken_tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A real table of some format, damaged in one to three ways; its ending may be another's."""
    ending = draw(st.sampled_from(list(FORMATS)))
    rows = [dict(row) for row in REAL]
    damages = draw(st.lists(st.sampled_from([*IN_ROWS, *IN_BYTES]), min_size=1, max_size=3))
    for damage in damages:
        if damage in IN_ROWS and rows:
            damage(draw, rows)
    raw = draw(st.sampled_from(FORMATS[ending]))(rows)
    for damage in damages:
        if damage in IN_BYTES:
            raw = damage(draw, raw)
    if draw(st.integers(0, 19)) == 0:
        ending = draw(st.sampled_from(list(FORMATS)))
    return ending, raw


def rows_in(ending: str, path: Path) -> int:
    """Count a file's rows by other means than hubtl's."""
    if ending == ".parquet":
        return int(parquet.read_metadata(path).num_rows)
    text = path.read_bytes().decode("utf-8-sig")
    if ending == ".jsonl":
        return sum(bool(line.strip()) for line in text.split("\n"))
    delimiters = "\t" if ending == ".tsv" else ",;\t"
    found = []
    for delimiter in delimiters:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row
        ]
        if len({len(row) for row in rows}) == 1:
            found.append((len(rows[0]), len(rows) - 1))
    return max(found)[1]


@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(broken_tables())
def test_a_broken_table_is_told_or_read_whole(table: tuple[str, bytes]) -> None:
    ending, raw = table
    path = Path(f"broken{ending}")
    path.write_bytes(raw)
    try:
        data = read_dataset(path, plugins().task("text-classification"), {})
    except HubtlError as error:
        assert path.name in error.message and error.hint, (error.message, error.hint)
        OUTCOMES["told"] += 1
        return
    for row in data.examples:
        assert row.input.strip() and row.label.strip() and "\0" not in row.input + row.label
        (row.input + row.label + row.id).encode()
    assert len(data.examples) == rows_in(ending, path)
    assert sum(map(len, data.parts.values())) in (0, len(data.examples))
    OUTCOMES["read"] += 1


def test_the_fuzz_met_300_tables_of_both_kinds() -> None:
    if not OUTCOMES:
        pytest.skip("the fuzz did not run in this process")
    assert OUTCOMES.total() >= COUNT and min(OUTCOMES["told"], OUTCOMES["read"]) > 30, OUTCOMES
