"""Rows of a csv or tsv file, a batch at a time: strict UTF-8, quotes, delimiters told apart."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from ..registry.errors import BadData
from .batches import BATCH_BYTES, BATCH_CELLS, BATCH_ROWS
from .lines import Lines, lines_of
from .table import LINE, check_names

if TYPE_CHECKING:
    import pyarrow

DELIMITERS = ",;\t"
MAX_CELL = 1 << 27
SAMPLE = 1 << 16


def batches(raw: BinaryIO, name: str, ending: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows under the header; raises BadData that names the line at fault."""
    with lines_of(raw, name, newline="") as lines:
        sample = lines.sample(SAMPLE)
        delimiter = "\t" if ending == ".tsv" else _delimiter(sample)
        # The limit is the whole process's, so it is put back as it was.
        before = csv.field_size_limit(MAX_CELL)
        try:
            yield from _rows(lines, name, delimiter)
        finally:
            csv.field_size_limit(before)


def _rows(lines: Lines, name: str, delimiter: str) -> Iterator[pyarrow.RecordBatch]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start = 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
        while not header:
            header = [cell.strip() for cell in next(reader)]
        check_names(name, header)
        rows: list[list[str]] = []
        starts: list[int] = []
        most = max(1, min(BATCH_ROWS, BATCH_CELLS // len(header)))
        start = lines.number + 1
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    raise _miscounted(name, start, len(cells), len(header))
                rows.append(cells)
                starts.append(start)
            start = lines.number + 1
            if len(rows) >= most or lines.size >= BATCH_BYTES:
                yield _batch(header, starts, rows)
                rows, starts, lines.size = [], [], 0
        yield _batch(header, starts, rows)
    except csv.Error as error:
        raise _misquoted(name, start, error) from error
    except StopIteration as error:
        raise BadData(f"`{name}` is empty", "it needs a header and one row an example") from error


def _batch(header: list[str], starts: list[int], rows: list[list[str]]) -> pyarrow.RecordBatch:
    import pyarrow

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    arrays = [pyarrow.array(column, pyarrow.string()) for column in columns]
    lines = pyarrow.array(starts, pyarrow.int64())
    return pyarrow.RecordBatch.from_arrays([lines, *arrays], [LINE, *header])


def _delimiter(sample: str) -> str:
    """Return the delimiter that cuts the header into most cells; a comma where all are alike."""
    return max(DELIMITERS, key=lambda each: _cells(sample, each))


def _cells(sample: str, delimiter: str) -> int:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        return len(next((row for row in reader if row), []))
    except csv.Error:
        return 0


def _miscounted(name: str, line: int, found: int, wanted: int) -> BadData:
    cells = "1 cell" if found == 1 else f"{found} cells"
    columns = "1 column" if wanted == 1 else f"{wanted} columns"
    hint = 'put "quotes" round a cell with a comma or a line break in it'
    if found < wanted:
        hint = "a row needs a cell for every column, be it an empty one"
    return BadData(f"`{name}`, line {line}: {cells}, but {columns}", hint)


def _misquoted(name: str, line: int, error: csv.Error) -> BadData:
    said = str(error)
    if "unexpected end of data" in said or "field limit" in said:
        # A cell that goes on to the end of the file, or for ever, is one whose quote is missing.
        said = "a cell that never ends: its closing quote is missing"
        if "field limit" in str(error):
            said = f"a cell of more than {MAX_CELL >> 20} MB, or one without its closing quote"
    return BadData(f"`{name}`, line {line}: {said}", "look at its quotes")
