"""How many entries of an index each filter leaves out.

Counted are those that pass the filters one after the other: what is lost at one, it leaves out.
Where the words find more than some thousand, only so many, the highest standing, are counted; the
numbers are exact for these, and the time is bounded.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..filters import Filter, left_out
from ..trust import REFUSED
from .conditions import LOADABLE, Condition, match
from .ranking import DOCS, doc_of
from .rows import Row, entry_of

MOST, FEW = 5_000, 300


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
    few: int = FEW,
) -> tuple[Counter[str], int | None]:
    """Return what each filter leaves out of the first entries that have words in these places.

    With it comes the last key of these, or None where they are all.
    """
    sql = f"SELECT rowid {selected(())} ORDER BY rowid LIMIT {most + 1:d}"
    keys = [key for (key,) in database.execute(sql, (match(places, ()),))]
    last = keys[most] - 1 if len(keys) > most else None
    before = min(len(keys), most)
    if before <= few:  # each of which is sooner looked at than words are looked for again
        return _looked_at(database, keys[:most], asked), last
    passed: list[Condition] = []
    found = Counter[str]()
    loadable = False
    for each in asked:
        if each.name == next(iter(REFUSED)):  # mostly nothing is lost at these, and once is asked
            loadable = _count(database, places, [*passed, LOADABLE], last) == before
        if before and not (loadable and each.name in REFUSED):
            passed.append(conditions[each.name])
            after = _count(database, places, passed, last)
            found[each.name], before = before - after, after
    return +found, last


def _looked_at(
    database: sqlite3.Connection, keys: Iterable[int], asked: Sequence[Filter]
) -> Counter[str]:
    found = Counter[str]()
    for key in keys:
        sql = "SELECT row FROM entry WHERE doc = ?"
        (row,) = database.execute(sql, (doc_of(key),)).fetchone()
        lacks = left_out(entry_of(Row.unpacked(row)), asked)
        found.update([lacks.name] if lacks else [])
    return found


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
