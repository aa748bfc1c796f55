"""Build an index out of listings: files with a model a line, as JSON.

Lines become rows in other processes, and this one writes them. Posting lists are in the order of
standing: each batch is sorted by key, so FTS5 writes it as one segment, and merges them at the end.
"""

from __future__ import annotations

import datetime
import itertools
import marshal
import multiprocessing
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from ..errors import Refused
from .changing import replace, rows_called
from .cleaning import cleaned
from .folder import FORMAT, OURS, held, new_file
from .ranking import DOCS, key_of, standing
from .rows import Row
from .words import called, terms_of

PIECE = 4 << 20  # bytes of a listing that are read in one go
BATCH = 16384  # entries that are sorted and written in one go: what a cache can hold
SMALL = 16 << 20  # bytes of listings from which on other processes are worth starting
SIGNS = ":/._+%-"
SCHEMA = f"""
CREATE VIRTUAL TABLE found USING fts5(
    terms, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '{SIGNS}'"
);
CREATE VIRTUAL TABLE terms USING fts5vocab(found, 'row');
CREATE TABLE entry(doc INTEGER PRIMARY KEY, called INTEGER, params INTEGER, row TEXT);
CREATE TABLE word(word TEXT PRIMARY KEY, places INTEGER) WITHOUT ROWID;
CREATE TABLE fact(name TEXT PRIMARY KEY, value);
PRAGMA application_id = {OURS};
PRAGMA user_version = {FORMAT};
INSERT INTO found(found, rank) VALUES
    ('automerge', 0), ('crisismerge', 1000), ('hashsize', 16000000), ('pgsz', 8000);
"""
FAST = """
PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -100000;
"""
ADD = "INSERT INTO entry VALUES (?, ?, ?, ?)"

Made = tuple[int, str, int, int | None, str]  # standing, terms, and three values of `entry`
Piece = tuple[str, int, int]
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
            count = _finish(database, today)
        finally:
            database.close()
    return count


def made_from_listings(listings: Sequence[Path], today: str) -> Iterator[list[Made]]:
    """Give what is written of the listings' models, in the listings' order, piece by piece."""
    pieces = list(itertools.chain.from_iterable(_pieces(path) for path in listings))
    if sum(length for _, _, length in pieces) < SMALL:
        for piece in pieces:
            yield marshal.loads(made_from_piece(piece, today))
        return
    workers = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[Future[bytes]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(made_from_piece, piece, today))
            if len(waiting) > workers + 1:  # no more in memory than keeps all busy
                yield marshal.loads(waiting.popleft().result())
        while waiting:
            yield marshal.loads(waiting.popleft().result())


def made_from_piece(piece: Piece, today: str) -> bytes:
    """Return what is written of the models in a piece of a listing, as `marshal` has it."""
    path, start, length = piece
    with Path(path).open("rb") as file:
        file.seek(start)
        lines = file.read(length).decode("utf-8", errors="replace").split("\n")
    rows = (cleaned(line, today) for line in lines if line)
    return marshal.dumps([_made(row) for row in rows if row])


def _made(row: Row) -> Made:
    return standing(row), terms_of(row), called(row.id), row.params, row.packed()


def _pieces(path: Path) -> Iterator[Piece]:
    """Give the pieces of a listing, each of whole lines."""
    end = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start < end:
            file.seek(min(start + PIECE, end))
            file.readline()
            yield str(path), start, file.tell() - start
            start = file.tell()


def _write(database: sqlite3.Connection, made: Iterable[list[Made]], told: Told) -> None:
    doc, batch = 0, list[tuple[int, str]]()
    database.execute("BEGIN")
    for piece in made:
        if doc + len(piece) >= 1 << DOCS:
            raise Refused(f"an index holds at most {1 << DOCS:,} models", "sync fewer of them")
        database.executemany(ADD, [(number, *each[2:]) for number, each in enumerate(piece, doc)])
        batch += [(key_of(each[0], number), each[1]) for number, each in enumerate(piece, doc)]
        doc += len(piece)
        if len(batch) >= BATCH:
            _write_batch(database, batch)
        told(doc)
    _write_batch(database, batch)
    database.execute("COMMIT")


def _write_batch(database: sqlite3.Connection, batch: list[tuple[int, str]]) -> None:
    batch.sort()
    database.executemany("INSERT INTO found(rowid, terms) VALUES (?, ?)", batch)
    batch.clear()


def _finish(database: sqlite3.Connection, today: str) -> int:
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
