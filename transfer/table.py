"""Read a table of rows: csv, tsv, jsonl or parquet, with every mistake told by its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..registry.errors import BadData, UnknownName

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands in its file (from 1, the header counted), and its cells as text."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file and the names of its columns, in order."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Return the rows of a file; raises UnknownName or BadData that name the file and the line."""
    if path.is_dir():
        raise BadData(f"`{path}` is a folder", f"give a file: {', '.join(ENDINGS)}")
    if not path.is_file():
        raise UnknownName(f"there is no file `{path}`", "check the path; `ls` shows what is there")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadData(f"`{path}` is no table that hubtl reads", f"it reads {', '.join(ENDINGS)}")
    if ending == ".parquet":
        rows = list(_parquet_rows(path))
    else:
        text = _text(path)
        rows = list(_jsonl_rows(path, text) if ending == ".jsonl" else _csv_rows(path, text))
    if not rows:
        raise BadData(f"`{path}` has no rows", "it needs one row an example, under a header")
    columns = dict.fromkeys(name for row in rows for name in row.cells)
    return Table(path, tuple(columns), tuple(rows))


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if not raw.strip():
        raise BadData(f"`{path}` is empty", "it needs a header and one row an example")
    try:
        text = raw.decode("utf-8-sig")
        if not text.strip():
            raise BadData(f"`{path}` is empty", "it needs a header and one row an example")
        return text
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadData(
            f"`{path}` is not UTF-8: line {line} has the byte 0x{raw[error.start]:02x}",
            f"convert it: iconv -f latin1 -t utf-8 {path} > {path.stem}-utf8{path.suffix}",
        ) from error


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    tab = path.suffix.lower() == ".tsv"
    delimiter = "\t" if tab else max(",;\t", key=head.count)
    csv.field_size_limit(1 << 27)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise BadData(f"`{path}` has two columns called `{twice}`", "rename one of them")
        end = reader.line_num
        for cells in reader:
            start, end = end + 1, reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadData(
                    f"`{path}`, line {start}: {len(cells)} cells, but {len(header)} columns",
                    'put "quotes" round a cell with a comma or a line break in it',
                )
            yield Row(start, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise BadData(f"`{path}`, line {reader.line_num}: {error}", "look at its quotes") from error


def _jsonl_rows(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadData(
                f"`{path}`, line {number}: no JSON ({error.msg})", "write one JSON object a line"
            ) from error
        if not isinstance(read, dict):
            raise BadData(f"`{path}`, line {number}: no JSON object", 'such as {"text": "…"}')
        cells = {str(name): _cell(value) for name, value in read.items()}
        if any("\ud800" <= sign <= "\udfff" for cell in cells.values() for sign in cell):
            raise BadData(f"`{path}`, line {number}: half a character", "write it as UTF-8")
        yield Row(number, cells)


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"`{path}` is no parquet file: {str(error).splitlines()[0]}") from error
    for number, read in enumerate(table.to_pylist(), 1):
        yield Row(number, {str(name): _cell(value) for name, value in read.items()})


def _cell(value: object) -> str:
    return (
        "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    )
