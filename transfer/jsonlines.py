"""Rows of a jsonl file, a batch at a time: one JSON object a line, values as written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from ..registry.errors import BadData
from .batches import BATCH_BYTES, BATCH_CELLS, BATCH_ROWS
from .lines import lines_of
from .table import LINE, NESTED, check_names

if TYPE_CHECKING:
    import pyarrow


def batches(raw: BinaryIO, name: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows; raises BadData that names the line at fault."""
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    columns: dict[str, None] = {}
    with lines_of(raw, name, newline="\n") as lines:
        for line in lines:
            if not line.strip():
                continue
            row = object_of(line, f"`{name}`, line {lines.number}")
            if not row.keys() <= columns.keys():
                columns.update(dict.fromkeys(row))
                check_names(name, list(columns), f", line {lines.number}")
            rows.append(row)
            numbers.append(lines.number)
            full = len(rows) >= BATCH_ROWS or len(rows) * len(columns) >= BATCH_CELLS
            if full or lines.size >= BATCH_BYTES:
                yield _batch(name, columns, numbers, rows)
                rows, numbers, lines.size = [], [], 0
        yield _batch(name, columns, numbers, rows)


class _Twice(ValueError):
    """An object has one key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise _Twice(next(key for key in names if names.count(key) > 1))
    return found


def _no_number(word: str) -> NoReturn:
    raise json.JSONDecodeError(f"{word} is no JSON value", word, 0)


# Numbers stay as they were written: 1.0 is not 1, and no number is too long.
DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_no_number
)


def object_of(text: str, where: str, such: str = "") -> dict[str, Any]:
    """Return the JSON object that a text is, with numbers as texts; raises BadData.

    What is told says `where` it is, and `such` as what an object of a user should be.
    """
    hint = f"such as {such}" if such else "write one JSON object a line"
    try:
        read = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadData(f"{where}: no JSON ({error.msg})", hint) from error
    except _Twice as error:
        raise BadData(f"{where} has two values for `{error}`", "leave one of them out") from error
    except RecursionError as error:
        raise BadData(f"{where}: nested too deep to read", hint) from error
    if not isinstance(read, dict):
        raise BadData(f"{where}: no JSON object", hint if such else 'such as {"text": "…"}')
    return read


def _batch(
    name: str, columns: dict[str, None], numbers: list[int], rows: list[dict[str, Any]]
) -> pyarrow.RecordBatch:
    import pyarrow

    arrays = [pyarrow.array(numbers, pyarrow.int64())]
    fields = [pyarrow.field(LINE, pyarrow.int64())]
    for column in columns:
        values = [row.get(column) for row in rows]
        nested = [n for n, value in zip(numbers, values, strict=True) if _is_nested(value)]
        cells = [cell_of(value) for value in values]
        try:
            arrays.append(pyarrow.array(cells, pyarrow.string()))
        except UnicodeEncodeError as error:
            raise _half(name, numbers, cells) from error
        metadata = {NESTED: f"line {nested[0]}"} if nested else None
        fields.append(
            pyarrow.field(_whole(name, numbers, column), pyarrow.string(), True, metadata)
        )
    return pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def cell_of(value: object) -> str | None:
    """Return what a cell with a JSON value says, None where it is null."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _whole(name: str, numbers: list[int], column: str) -> str:
    if _is_half(column):
        raise _half(name, numbers, [column])
    return column


def _half(name: str, numbers: list[int], cells: list[str | None]) -> BadData:
    places = zip(numbers, cells, strict=False)
    line = next((number for number, cell in places if cell and _is_half(cell)), numbers[0])
    return BadData(f"`{name}`, line {line}: half a character", "write it as UTF-8")


def _is_half(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)
