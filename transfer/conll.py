"""Sentences of a file as CoNLL has them: a token a line with its tag last, a blank line between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from ..registry.errors import BadData
from .batches import BATCH_BYTES, BATCH_ROWS
from .lines import Lines, lines_of
from .table import LINE, NESTED

if TYPE_CHECKING:
    import pyarrow

COLUMNS = ("tokens", "tags")
DOCUMENT = "-DOCSTART-"  # a line that begins so is of no sentence
SAMPLE = 1 << 16


def is_such(raw: BinaryIO) -> bool:
    """Return whether the beginning of a file has a blank line between others, as no table has."""
    lines = raw.read(SAMPLE).strip().splitlines()
    raw.seek(0)
    return not all(line.strip() for line in lines)


def batches(raw: BinaryIO, name: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield sentences, tokens and tags as lists in JSON; raises BadData that names the line.

    What stands between a token and its tag is left out, and so is `-DOCSTART-`.
    """
    rows: list[tuple[int, str, str]] = []
    with lines_of(raw, name, newline="\n") as lines:
        for start, tokens, tags in _sentences(lines, name):
            rows.append((start, json.dumps(tokens), json.dumps(tags)))
            if len(rows) >= BATCH_ROWS or lines.size >= BATCH_BYTES:
                yield _batch(rows)
                rows, lines.size = [], 0
        yield _batch(rows)


def _sentences(lines: Lines, name: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the line that each sentence begins in, its tokens and its tags."""
    tokens: list[str] = []
    tags: list[str] = []
    start = 0
    for line in lines:
        cells = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
        if not line.strip() or cells[0].strip() == DOCUMENT:
            if tokens:
                yield start, tokens, tags
            tokens, tags = [], []
            continue
        if len(cells) < 2 or not cells[0].strip() or not cells[-1].strip():
            raise BadData(
                f"`{name}`, line {lines.number}: `{line.strip()[:40]}` is no token with its tag",
                "write a token, a tab and its tag; sentences with a blank line between them",
            )
        start = start if tokens else lines.number
        tokens.append(cells[0].strip())
        tags.append(cells[-1].strip())
    if tokens:
        yield start, tokens, tags


def _batch(rows: list[tuple[int, str, str]]) -> pyarrow.RecordBatch:
    import pyarrow

    numbers, *columns = zip(*rows, strict=True) if rows else ((), (), ())
    fields = [pyarrow.field(LINE, pyarrow.int64())]
    for column in COLUMNS:
        nested = {NESTED: f"line {numbers[0]}"} if numbers else None
        fields.append(pyarrow.field(column, pyarrow.string(), True, nested))
    arrays = [pyarrow.array(numbers, pyarrow.int64())]
    arrays += [pyarrow.array(each, pyarrow.string()) for each in columns]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))
