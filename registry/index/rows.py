"""Entries as rows of the index, and back: what search shows, without files and packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..entry import Entry
from ..kinship import Relation

if TYPE_CHECKING:
    import sqlite3

RARE = (
    *("base_revision", "upon", "metrics", "intervals", "tested_on", "test_rows", "architecture"),
    "source",
)
LISTS = ("tasks", "domains", "languages", "tags", "trust")
BETWEEN = "\x1f"  # a control character, which no cleaned text has


class Row(NamedTuple):
    """An entry as a row: lists as lines, and what few entries have as JSON."""

    id: str
    hub: str
    kind: str
    licence: str | None
    params: int | None
    size_bytes: int | None
    downloads: int | None
    base: str | None
    about: str | None
    date: str | None
    tasks: str | None
    domains: str | None
    languages: str | None
    tags: str | None
    trust: str | None
    revision: str | None
    relation: Relation | None
    rare: str | None

    def packed(self) -> str:
        """Return the row as one text; no value holds what stands between them."""
        return BETWEEN.join(["" if value is None else str(value) for value in self])

    @classmethod
    def unpacked(cls, text: str) -> Row:
        """Return the row that `packed` made a text of."""
        values: list[Any] = [value or None for value in text.split(BETWEEN)]
        for at in NUMBERS:
            values[at] = None if values[at] is None else int(values[at])
        return cls(*values)


Numbered = tuple[int, Row]
NUMBERS = [Row._fields.index(name) for name in ("params", "size_bytes", "downloads")]


def row_of(entry: Entry) -> Row:
    """Return an entry as a row."""
    rare = {name: value for name in RARE if (value := getattr(entry, name))}
    return Row(
        entry.id,
        entry.hub,
        entry.kind,
        entry.licence,
        entry.params,
        entry.size_bytes,
        entry.downloads,
        entry.base,
        entry.about or None,
        entry.date,
        "\n".join(entry.tasks) or None,
        "\n".join(entry.domains) or None,
        "\n".join(entry.languages) or None,
        "\n".join(entry.tags) or None,
        "\n".join(entry.trust) or None,
        entry.revision,
        entry.relation,
        json.dumps(rare, ensure_ascii=False) if rare else None,
    )


def entry_of(row: Row) -> Entry:
    """Return the entry that a row holds."""
    told = row._asdict()
    for name in LISTS:
        told[name] = tuple(told[name].split("\n")) if told[name] else ()
    told["about"] = row.about or ""
    rare = told.pop("rare")
    if rare:
        told |= json.loads(rare)
        told["source"] = tuple(told.get("source", ()))
        ends = told.get("intervals", {})
        told["intervals"] = {name: (low, high) for name, (low, high) in ends.items()}
    return Entry(**told)


def rows_called(database: sqlite3.Connection, number: int) -> list[Numbered]:
    """Return the rows of ids that a number stands for, with the entries' numbers, oldest first."""
    found = database.execute("SELECT doc, row FROM entry WHERE called = ? ORDER BY doc", (number,))
    return [(doc, Row.unpacked(text)) for doc, text in found]
