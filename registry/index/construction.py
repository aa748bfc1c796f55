"""Build an index out of listings: files with a model a line, as JSON.

Lines become rows in other processes, and this one writes them. Posting lists are in the order of
standing: each piece is sorted by key, so FTS5 writes it as one segment, and merges them at the end.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import Refused
from .changing import replace
from .folder import FORMAT, OURS, held, new_file
from .pieces import Made, made_from_listings
from .ranking import DOCS
from .rows import Row, rows_called

BATCH = 16384  # entries that are taken out in one go
SIGNS = ":/._+%-"
SCHEMA = f"""
CREATE VIRTUAL TABLE found USING fts5(
    terms, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '{SIGNS}'"
);
CREATE VIRTUAL TABLE terms USING fts5vocab(found, 'row');
CREATE TABLE entry(
    doc INTEGER PRIMARY KEY, called INTEGER, params INTEGER, takes_in INTEGER, row TEXT
);
CREATE TABLE word(word TEXT PRIMARY KEY, places INTEGER) WITHOUT ROWID;
CREATE TABLE fact(name TEXT PRIMARY KEY, value);
PRAGMA application_id = {OURS};
PRAGMA user_version = {FORMAT};
INSERT INTO found(found, rank) VALUES
    ('automerge', 0), ('crisismerge', 1000), ('hashsize', 16000000), ('pgsz', 8000);
"""
FAST = """
PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -100000; PRAGMA secure_delete = OFF;
"""
KEEP = "INSERT INTO entry VALUES (NULL, ?, ?, ?, ?)"  # numbered from 1 on

Told = Callable[[int], None]


def build(folder: Path, listings: Sequence[Path], *, told: Told | None = None) -> int:
    """Build the index of a folder anew out of listings, and return how many entries it has.

    Where a model is listed twice by one hub, its last line counts. `told` is called with how many
    were written so far. Raises Refused where there are too many, or another process builds.
    """
    today = datetime.date.today().isoformat()
    with held(folder), new_file(folder) as path:
        database = sqlite3.connect(path, isolation_level=None)
        try:
            database.executescript(FAST + SCHEMA)
            _write(database, made_from_listings(listings, today), told or (lambda count: None))
            count = _finish(database, today, [path.name for path in listings])
        finally:
            database.close()
    return count


def _write(database: sqlite3.Connection, made: Iterable[Made], told: Told) -> None:
    doc = 1
    database.execute("BEGIN")
    for found, kept in made:
        if doc + len(kept) > 1 << DOCS:
            raise Refused(f"an index holds at most {1 << DOCS:,} models", "sync fewer of them")
        database.executemany(KEEP, kept)
        database.executemany(
            f"INSERT INTO found(rowid, terms) VALUES (? + {doc:d}, ?)",  # noqa: S608
            found,
        )
        doc += len(kept)
        told(doc - 1)
    database.execute("COMMIT")


def _finish(database: sqlite3.Connection, today: str, listings: Sequence[str]) -> int:
    """Merge what was written, count its words, and return how many entries there are."""
    database.execute("BEGIN")
    database.execute("INSERT INTO found(found) VALUES ('optimize')")
    database.execute(
        "INSERT INTO word SELECT substr(term, 2), sum(doc) FROM terms"
        " WHERE term >= 'a' AND term < 'd' GROUP BY 1 ORDER BY 1"
    )
    database.execute("CREATE INDEX entry_called ON entry(called)")
    _keep_last(database)
    count, last = database.execute("SELECT count(*), ifnull(max(doc), -1) FROM entry").fetchone()
    facts = [("entries", count), ("last", last), ("date", today)]
    facts.append(("listings", json.dumps(listings)))
    database.executemany("INSERT INTO fact VALUES (?, ?)", facts)
    database.execute(
        "INSERT INTO found(found, rank) VALUES ('automerge', 4), ('hashsize', 1000000)"
    )
    database.execute("COMMIT")
    database.execute("PRAGMA locking_mode = NORMAL")
    database.execute("PRAGMA journal_mode = WAL")
    return int(count)


def _keep_last(database: sqlite3.Connection) -> None:
    """Take out models that the same hub lists again later."""
    twice = "SELECT called FROM entry GROUP BY called HAVING count(*) > 1"
    earlier: list[tuple[int, Row]] = []
    for (number,) in database.execute(twice).fetchall():
        known = rows_called(database, number)
        last = {(row.hub, row.id): doc for doc, row in known}
        earlier += [(doc, row) for doc, row in known if doc != last[row.hub, row.id]]
        if len(earlier) >= BATCH:
            replace(database, earlier, [])
            earlier.clear()
    replace(database, earlier, [])
