"""Entries as rows of the index, and back: what search shows, without files and packages."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from ..entry import Entry
from .ranking import HIGHEST, standing
from .words import Terms, terms_of

LISTS = ("tasks", "domains", "languages", "tags")
PLAIN = (
    *("id", "hub", "kind", "licence", "params", "size_bytes", "downloads", "base", "about", "date"),
)
RARE = (
    *("base_revision", "upon", "metrics", "intervals", "tested_on", "test_rows", "architecture"),
    "source",
)
COLUMNS = (*PLAIN, *LISTS, "revision", "rare")
SELECTED = f"SELECT {', '.join(COLUMNS)} FROM entry"
SHA = re.compile(r"[0-9a-f]{40}")
DOCS = 24  # bits of a key for the number of an entry; those above tell how far it stands from the best

Row = tuple[Any, ...]


def key_of(points: int, doc: int) -> int:
    """Return the key that posting lists are ordered by: the best standing first, then as given."""
    return (HIGHEST - points) << DOCS | doc


def doc_of(key: int) -> int:
    """Return the number of the entry that a key is of."""
    return key & ((1 << DOCS) - 1)


def standing_of(key: int) -> int:
    """Return the standing of the entry that a key is of."""
    return HIGHEST - (key >> DOCS)


def indexed(entry: Entry) -> tuple[int, str, Row]:
    """Return an entry's standing, the terms it is found by, and its row."""
    return standing(entry), joined(terms_of(entry)), row_of(entry)


def joined(terms: Terms) -> str:
    """Return terms as one text; a word's first letter says where the entry has it."""
    parts = [
        letter + f" {letter}".join(words)
        for letter, words in (("a", terms.name), ("b", terms.facts), ("c", terms.text))
        if words
    ]
    return " ".join([*parts, *terms.marks])


def row_of(entry: Entry) -> Row:
    """Return an entry as the values of COLUMNS."""
    revision: str | bytes | None = entry.revision
    if entry.revision and SHA.fullmatch(entry.revision):
        revision = bytes.fromhex(entry.revision)
    rare = {name: value for name in RARE if (value := getattr(entry, name))}
    return (
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
        revision,
        json.dumps(rare, ensure_ascii=False) if rare else None,
    )


def entry_of_row(row: sqlite3.Row | Row) -> Entry:
    """Return the entry that a row of COLUMNS holds."""
    told = dict(zip(COLUMNS, row, strict=True))
    for name in LISTS:
        told[name] = tuple(told[name].split("\n")) if told[name] else ()
    told["about"] = told["about"] or ""
    if isinstance(told["revision"], bytes):
        told["revision"] = told["revision"].hex()
    rare = told.pop("rare")
    if rare:
        told |= json.loads(rare)
        told["source"] = tuple(told.get("source", ()))
        told["intervals"] = {
            name: (low, high) for name, (low, high) in told.get("intervals", {}).items()
        }
    return Entry(**told)
