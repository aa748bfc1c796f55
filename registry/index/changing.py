"""Take entries out of an index that exists."""

from __future__ import annotations

import sqlite3

from .ranking import key_of, standing
from .rows import Row
from .words import terms_of


def rows_called(database: sqlite3.Connection, number: int) -> list[tuple[int, Row]]:
    """Return the rows of ids that a number stands for, with the entries' numbers, oldest first."""
    found = database.execute("SELECT doc, row FROM entry WHERE called = ? ORDER BY doc", (number,))
    return [(doc, Row.unpacked(text)) for doc, text in found]


def take_out(database: sqlite3.Connection, doc: int, row: Row) -> None:
    """Take an entry out; what it was found by is reckoned anew, and is what was written."""
    gone = (key_of(standing(row), doc), terms_of(row))
    database.execute("INSERT INTO found(found, rowid, terms) VALUES ('delete', ?, ?)", gone)
    database.execute("DELETE FROM entry WHERE doc = ?", (doc,))
