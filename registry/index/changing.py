"""Take entries out of an index that exists."""

from __future__ import annotations

import sqlite3

from .ranking import doc_of, key_of, standing
from .rows import SELECTED, Row
from .words import terms_of


def entries_called(database: sqlite3.Connection, term: str) -> list[tuple[int, Row]]:
    """Return the entries that a term of an id stands for, with their numbers, oldest first."""
    keys = database.execute("SELECT rowid FROM found WHERE found MATCH ?", (f'"{term}"',))
    docs = sorted(doc_of(key) for (key,) in keys)
    rows = (database.execute(f"{SELECTED} WHERE doc = ?", (doc,)).fetchone() for doc in docs)
    return [(doc, Row(*row)) for doc, row in zip(docs, rows, strict=True)]


def take_out(database: sqlite3.Connection, doc: int, row: Row) -> None:
    """Take an entry out; what it was found by is reckoned anew, and is what was written."""
    gone = (key_of(standing(row), doc), terms_of(row))
    database.execute("INSERT INTO found(found, rowid, terms) VALUES ('delete', ?, ?)", gone)
    database.execute("DELETE FROM entry WHERE doc = ?", (doc,))
