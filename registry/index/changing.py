"""Change an index that exists: a few entries among millions, in one go or not at all.

Readers go on with what they had when they began. What an entry was found by is not kept: it is
reckoned from its row anew, by the same functions of the same format.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import Refused, UnknownName
from .cleaning import cleaned
from .conditions import takes_in
from .folder import held, opened
from .ranking import DOCS, doc_of, key_of, standing
from .rows import Numbered, Row, rows_called
from .words import called, mark, terms_of, words_in


def change(
    folder: Path,
    lines: Iterable[str],
    gone: Iterable[tuple[str, str]] = (),
    *,
    all_of: Iterable[tuple[str, str]] = (),
    listings: Sequence[str] | None = None,
) -> int:
    """Put the models of a listing's lines into an index, and return how many there are then.

    They take the place of what is known of the same models; `gone` are hubs and ids of models that
    are no more. Of `all_of`, hubs and organisations, what the lines do not tell is no more either.
    `listings` are the names of those that the index holds then. Raises UnknownName where there is
    no index of this format, and Refused where it can take no more changes.
    """
    today = datetime.date.today().isoformat()
    told: dict[tuple[str, str], Row] = {}
    for line in lines:
        if row := cleaned(line, today):
            told.pop((row.hub, row.id), None)  # the last line counts, and its place too
            told[row.hub, row.id] = row
    gone = set(gone) - told.keys()
    with held(folder):
        database = opened(folder)
        if database is None:
            raise UnknownName(f"there is no index in `{folder}`", "`hubtl sync` builds it")
        try:
            database.execute("BEGIN IMMEDIATE")
            for hub, organisation in all_of:
                gone |= _models_of(database, hub, organisation) - told.keys()
            known = _known(database, {*gone, *told})
            # Most of what is told again of a whole organisation is known like that.
            old = [(doc, row) for doc, row in known if told.get((row.hub, row.id)) != row]
            same = {(row.hub, row.id) for _, row in known} - {(row.hub, row.id) for _, row in old}
            new = _numbered(database, [row for key, row in told.items() if key not in same])
            replace(database, old, new)
            count = _dated(database, len(new) - len(old), today)
            if listings is not None:
                fact = ("listings", json.dumps(listings))
                database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", fact)
            database.execute("COMMIT")
        finally:
            database.close()
    return count


def replace(database: sqlite3.Connection, old: Sequence[Numbered], new: Sequence[Numbered]) -> None:
    """Take entries out and put others in; words are counted where they are counted already."""
    take = "INSERT INTO found(found, rowid, terms) VALUES ('delete', ?, ?)"
    put = "INSERT INTO found(rowid, terms) VALUES (?, ?)"
    changes = [(key_of(standing(row), doc), terms_of(row), take) for doc, row in old]
    changes += [(key_of(standing(row), doc), terms_of(row), put) for doc, row in new]
    for key, terms, sql in sorted(changes):  # FTS5 writes a segment whenever keys go back
        database.execute(sql, (key, terms))
    database.executemany("DELETE FROM entry WHERE doc = ?", [(doc,) for doc, _ in old])
    added = [(doc, called(row.id), row.params, takes_in(row), row.packed()) for doc, row in new]
    database.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", added)
    places: Counter[str] = Counter()
    for _, terms, sql in changes:
        (places.update if sql == put else places.subtract)(words_in(terms))
    database.executemany(
        "INSERT INTO word VALUES (?, ?)"
        " ON CONFLICT (word) DO UPDATE SET places = places + excluded.places",
        [(word, count) for word, count in places.items() if count],
    )
    database.executemany(
        "DELETE FROM word WHERE word = ? AND places <= 0", [(word,) for word in places]
    )


def _models_of(database: sqlite3.Connection, hub: str, organisation: str) -> set[tuple[str, str]]:
    """Return hub and id of what is known of an organisation."""
    question = f'"{mark("organisation", organisation)}"'
    keys = database.execute("SELECT rowid FROM found WHERE found MATCH ?", (question,)).fetchall()
    rows = [
        Row.unpacked(database.execute("SELECT row FROM entry WHERE doc = ?", each).fetchone()[0])
        for each in ((doc_of(key),) for (key,) in keys)
    ]
    return {(row.hub, row.id) for row in rows if row.hub == hub}


def _known(database: sqlite3.Connection, models: Iterable[tuple[str, str]]) -> list[Numbered]:
    """Return what is known of models, by hub and id."""
    return [
        (doc, row)
        for hub, model in models
        for doc, row in rows_called(database, called(model))
        if (row.hub, row.id) == (hub, model)
    ]


def _numbered(database: sqlite3.Connection, rows: Sequence[Row]) -> list[Numbered]:
    """Return rows with numbers of their own, above all that were given; raises Refused."""
    (last,) = database.execute("SELECT value FROM fact WHERE name = 'last'").fetchone()
    if last + len(rows) >= 1 << DOCS:
        raise Refused("the index can take no more changes", "`hubtl sync` builds it anew")
    database.execute("UPDATE fact SET value = ? WHERE name = 'last'", (last + len(rows),))
    return list(enumerate(rows, last + 1))


def _dated(database: sqlite3.Connection, more: int, today: str) -> int:
    database.execute("UPDATE fact SET value = value + ? WHERE name = 'entries'", (more,))
    database.execute("UPDATE fact SET value = ? WHERE name = 'date'", (today,))
    return int(database.execute("SELECT value FROM fact WHERE name = 'entries'").fetchone()[0])
