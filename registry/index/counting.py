"""How many entries of an index each filter leaves out.

Counted are those that pass the filters one after the other: what is lost at one, it leaves out.
Where the words find more than some thousand, only so many, the highest standing, are counted; the
numbers are exact for these, and the time is bounded.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..filters import Filter
from .conditions import Condition, match
from .ranking import DOCS

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries each filter leaves out, by name; of the `first` alone, or of all if None."""

    by_filter: Mapping[str, int]
    first: int | None


def tally(
    database: sqlite3.Connection,
    places: Sequence[str],
    asked: Sequence[Filter],
    conditions: Mapping[str, Condition],
    most: int,
) -> tuple[Counter[str], int | None]:
    """Return what each filter leaves out of the first entries that have words in these places.

    With it comes the last key of these, or None where they are all.
    """
    key = "SELECT rowid FROM found WHERE found MATCH ? ORDER BY rowid LIMIT 1 OFFSET ?"
    row = database.execute(key, (match(places, ()), most)).fetchone()
    last = row[0] - 1 if row else None
    passed: list[Condition] = []
    before = _count(database, places, passed, last)
    found = Counter[str]()
    for each in asked:
        passed.append(conditions[each.name])
        after = _count(database, places, passed, last) if before else 0
        found[each.name] = before - after
        before = after
    return +found, last


def selected(conditions: Sequence[Condition]) -> str:
    """Return the start of a question in SQL: `?` is FTS5's."""
    also = [each.sql for each in conditions if each.sql]
    join = f" CROSS JOIN entry ON entry.doc = (found.rowid & {(1 << DOCS) - 1})" if also else ""
    return f"FROM found{join} WHERE found MATCH ?" + "".join(f" AND {each}" for each in also)


def _count(
    database: sqlite3.Connection,
    places: Sequence[str],
    conditions: Sequence[Condition],
    last: int | None,
) -> int:
    sql = f"SELECT count(*) {selected(conditions)}"
    if last is not None:
        sql += f" AND found.rowid <= {last:d}"
    return int(database.execute(sql, (match(places, conditions),)).fetchone()[0])
