"""Rows of a parquet file, a batch at a time, every cell as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from ..registry.errors import BadData
from .batches import BATCH_BYTES, BATCH_CELLS, BATCH_ROWS
from .table import LINE, NESTED, check_names

if TYPE_CHECKING:
    import pyarrow

# What Arrow raises for a cell that is no text: most of its own exceptions are one of these too.
UNTOLD = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
HINT = "take it from a copy, or write it again"


def batches(raw: BinaryIO, name: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows, counted from 1; raises BadData that names the row, or the file if damaged."""
    import pyarrow

    start = 1
    for batch in _read(raw, name):
        arrays = [pyarrow.array(range(start, start + batch.num_rows), pyarrow.int64())]
        fields = [pyarrow.field(LINE, pyarrow.int64())]
        names = _class_names(batch.schema)
        for field, array in zip(batch.schema, batch.columns, strict=True):
            try:
                arrays.append(_texts(array, names.get(field.name)))
            except UNTOLD as error:
                raise _no_text(name, field.name, array, start) from error
            nested = {NESTED: f"row {start}"} if _is_nested(array.type) else None
            fields.append(pyarrow.field(field.name, pyarrow.string(), True, nested))
        yield pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))
        start += batch.num_rows


def _read(raw: BinaryIO, name: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield batches as the file has them; whatever a damaged one makes Arrow raise is told."""
    from pyarrow import parquet

    try:
        # A file that is cut or changed may claim any size, so nothing is fetched ahead of use.
        file = parquet.ParquetFile(raw, pre_buffer=False, page_checksum_verification=True)
        about = file.metadata
        columns = file.schema_arrow.names
        size = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
        a_row = max(1, size // max(1, about.num_rows))
    except Exception as error:
        raise BadData(f"`{name}` is no parquet file: {_first_line(error)}", HINT) from error
    check_names(name, columns)
    most = min(BATCH_ROWS, BATCH_CELLS // max(1, len(columns)), BATCH_BYTES // a_row)
    found = file.iter_batches(batch_size=max(1, most), use_threads=False)
    row = 0
    while True:
        try:
            batch = next(found, None)
        except Exception as error:
            why = _first_line(error)
            raise BadData(f"`{name}` is damaged after row {row}: {why}", HINT) from error
        if batch is None:
            return
        row += batch.num_rows
        yield batch


def _texts(array: pyarrow.Array, names: list[str] | None) -> pyarrow.Array:
    """Return an array as texts: numbers and dates as Arrow writes them, nested cells as JSON."""
    import pyarrow
    from pyarrow import types

    # Arrow takes a file's bytes for text unseen: what is no UTF-8 would fail much later.
    array.validate(full=True)
    kind = array.type
    if names and types.is_integer(kind):
        cells = [_class_name(number, names) for number in array.to_pylist()]
        return pyarrow.array(cells, pyarrow.string())
    if types.is_floating(kind):
        numbers = (None if x is None or math.isnan(x) else repr(x) for x in array.to_pylist())
        return pyarrow.array(numbers, pyarrow.string())
    if names and _is_nested(kind):
        listed = array.to_pylist()
        cells = [None if x is None else json.dumps(_named(x, names)) for x in listed]
        return pyarrow.array(cells, pyarrow.string())
    if _is_nested(kind):
        cells = [None if x is None else json.dumps(x, default=_unknown) for x in array.to_pylist()]
        return pyarrow.array(cells, pyarrow.string())
    return array.cast(pyarrow.string())


def _is_nested(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_nested(kind))


def _unknown(value: object) -> str:
    """Return what stands for a value that JSON has no word for; bytes are not text."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _class_names(schema: pyarrow.Schema) -> Mapping[str, list[str]]:
    """Return the names of class numbers, where the library `datasets` wrote them in the file.

    They are those of a column's numbers, or of the numbers in a column's lists.
    """
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        inner = {name: each.get("feature", each) for name, each in features.items()}
        found = {name: each["names"] for name, each in inner.items() if "names" in each}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}
    return {
        name: names
        for name, names in found.items()
        if isinstance(names, list) and all(isinstance(each, str) for each in names)
    }


def _class_name(number: int | None, names: list[str]) -> str | None:
    """Return the name of a class number; -1 stands for no class."""
    if number is None or number == -1:
        return None
    return names[number] if 0 <= number < len(names) else str(number)


def _named(numbers: object, names: list[str]) -> object:
    """Return a list of class numbers as one of their names; anything else as it is."""
    if not isinstance(numbers, list) or not all(isinstance(each, int) for each in numbers):
        return numbers
    return [_class_name(each, names) for each in numbers]


def _no_text(name: str, column: str, array: pyarrow.Array, start: int) -> BadData:
    """Return the error for a column with a cell that is no UTF-8, or of a kind with no text."""
    for number in range(len(array)):
        try:
            _texts(array.slice(number, 1), None)
        except UNTOLD as error:
            return BadData(
                f"`{name}`, row {start + number}: `{column}` is no text ({_first_line(error)})",
                "write it as UTF-8, or take the column out",
            )
    return BadData(f"`{name}`: `{column}` is {array.type}, which is no text", "take it out")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
