"""An input that is several columns of a table: one JSON object a row, always written one way."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..registry.errors import BadData, nearest
from .columns import Role, check_there
from .jsonlines import cell_of, object_of
from .table import Table

if TYPE_CHECKING:
    import pyarrow

SHOWN = 5
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
EXACT = 1 << 53  # up to here a float tells whole numbers apart


def wanted_fields(
    table: Table, role: Role, named: Mapping[str, str], known: Sequence[str]
) -> Sequence[str]:
    """Return the columns to make inputs of, where a user named them or a model has `known` ones.

    A comma stands between two names. A role of parts has no other columns than theirs.
    """
    if role.content != "row" or role.parts:
        return ()
    if role.name not in named:
        return known
    names = named[role.name]
    return [names] if names in table.columns else [each.strip() for each in names.split(",")]


def fields_of(
    table: Table,
    role: Role,
    found: Mapping[str, str],
    wanted: Sequence[str],
    taken: Collection[str],
) -> dict[str, str]:
    """Return the column of each key of an input: its role's parts, the wanted, or all not taken.

    `found` has the columns of parts. Raises BadData where a column isn't there, or not one value.
    """
    if role.parts:
        return {part.name: found[part.name] for part in role.parts}
    fields = wanted or [name for name in table.columns if name not in taken]
    if not fields:
        raise BadData(
            f"`{table.path}` has no column left for its {role.name}",
            "an input is made of the columns that have no other role: add one",
        )
    for column in fields:
        check_there(table, column, role.name)
        if column in table.nested:
            raise BadData(
                f"{table.nested[column]}: `{column}` has a list or an object, and each column of "
                f"a {role.name} is one value",
                f"name those to use: --column {role.name}=NAME,NAME",
            )
    return {name: name for name in fields}


def with_rows(
    table: Table, role: Role, fields: Mapping[str, str], *, blank: bool
) -> tuple[Table, str]:
    """Return the table with one more column, made of others when it is asked for, and its name.

    A row without any value, or without one of the role's parts, is an empty cell there, or where
    `blank` is true an object like any other.
    """
    shown = ", ".join([*list(fields.values())[:SHOWN], *(["…"] if len(fields) > SHOWN else [])])
    typed, enough = not role.parts, all if role.parts else any

    def rows(batch: pyarrow.RecordBatch) -> Iterator[str | None]:
        names = set(batch.schema.names)
        cells = (
            batch.column(name).to_pylist() if name in names else [None] * batch.num_rows
            for name in fields.values()
        )
        for row in zip(*cells, strict=True):
            usable = blank or enough(cell and cell.strip() for cell in row)
            yield _written(dict(zip(fields, row, strict=True)), typed) if usable else None

    return replace(table, made={**table.made, shown: rows}), shown


def read_fields(role: Role, text: str, known: Sequence[str]) -> str:
    """Return the object that a user wrote, in the one way; raises BadData for what is wrong in it.

    `known` are the keys that it must have, and no other.
    """
    example = json.dumps(dict.fromkeys(known), ensure_ascii=False).replace("null", "…")
    found = object_of(text, f"the input `{text}`", example)
    for key in known:
        if key not in found:
            close = nearest(key, [each for each in found if each not in known])
            raise BadData(
                f"the input `{text}` has no `{key}`",
                f"is it `{close}`?" if close else "write null for what is not known",
            )
    for key, value in found.items():
        if key not in known:
            raise BadData(
                f"the input `{text}` has `{key}`, which the model does not know",
                f"it knows {', '.join(f'`{each}`' for each in known)}",
            )
        if isinstance(value, dict | list):
            raise BadData(
                f"the input `{text}`: `{key}` is a list or an object",
                f"each column of a {role.name} is one value",
            )
    return _written({key: cell_of(value) for key, value in found.items()}, not role.parts)


def _written(cells: Mapping[str, str | None], typed: bool) -> str:
    """Return cells as JSON, its keys in order: whatever order columns had, a row is one text."""
    values = {key: _value(cell) if typed else cell or "" for key, cell in cells.items()}
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _value(cell: str | None) -> str | int | float | None:
    """Return a cell as a number where JSON would write one so, and null where it is empty.

    What no computer counts with stays a text: 007, or a number past all floats.
    """
    word = (cell or "").strip()
    if not NUMBER.fullmatch(word) or not math.isfinite(number := float(word)):
        return word or None
    if word.lstrip("-").isdigit():
        return int(word)
    return int(number) if number.is_integer() and abs(number) < EXACT else number
