"""Entries as rows of the index, and back: what search shows, without files and packages."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from ..entry import Entry

RARE = (
    *("base_revision", "upon", "metrics", "intervals", "tested_on", "test_rows", "architecture"),
    "source",
)
LISTS = ("tasks", "domains", "languages", "tags")
SHA = re.compile(r"[0-9a-f]{40}")


class Row(NamedTuple):
    """An entry as a row: lists as lines, a sha as bytes, and what few entries have as JSON."""

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
    revision: str | bytes | None
    rare: str | None


SELECTED = f"SELECT {', '.join(Row._fields)} FROM entry"


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
        revision_kept(entry.revision) if entry.revision else None,
        json.dumps(rare, ensure_ascii=False) if rare else None,
    )


def entry_of(row: Row) -> Entry:
    """Return the entry that a row holds."""
    told = row._asdict()
    for name in LISTS:
        told[name] = tuple(told[name].split("\n")) if told[name] else ()
    told["about"] = row.about or ""
    told["revision"] = row.revision.hex() if isinstance(row.revision, bytes) else row.revision
    rare = told.pop("rare")
    if rare:
        told |= json.loads(rare)
        told["source"] = tuple(told.get("source", ()))
        ends = told.get("intervals", {})
        told["intervals"] = {name: (low, high) for name, (low, high) in ends.items()}
    return Entry(**told)


def revision_kept(revision: str) -> str | bytes:
    """Return a revision as it is kept: a sha in half the room."""
    return bytes.fromhex(revision) if SHA.fullmatch(revision) else revision
