"""The ledger of past results: a small database that outlives the index.

Several processes may write at once, and a kill leaves the results that were written before. One
work is one line, wherever it is kept: publishing adds its address to the line of its folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import Refused, Unreachable
from .past import Past

FORMAT = 1
FIELDS = tuple(each.name for each in dataclasses.fields(Past))
ADD = (
    f"INSERT INTO past ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})"
    " ON CONFLICT (work) DO UPDATE SET domain = excluded.domain,"
    " folder = ifnull(excluded.folder, folder), address = ifnull(excluded.address, address)"
)

SCORED = (
    "CREATE TABLE IF NOT EXISTS scored"
    " (task, fingerprint, base, scores, UNIQUE (task, fingerprint, base) ON CONFLICT REPLACE)"
)

# What scorers said of bases, by the fingerprint of the data and the base's id without case.
Scores = Mapping[tuple[str, str], Mapping[str, float]]


class Ledger:
    """The past results in one file, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, past: Past) -> None:
        """Keep a result; raises Unreachable where the file can't be written, and Refused."""
        with self._written() as database:
            database.execute(ADD, dataclasses.astuple(past))

    def note_scores(self, task: str, scores: Scores) -> None:
        """Keep what scorers said, the newest of each base and data; raises as `note` does."""
        with self._written() as database:
            database.execute(SCORED)
            told = [(task, *key, json.dumps(dict(said))) for key, said in scores.items()]
            database.executemany("INSERT INTO scored VALUES (?, ?, ?, ?)", told)

    def scores(self, task: str) -> Scores:
        """Return what scorers said of bases for a task; raises Unreachable and Refused."""
        if not self._path.is_file():
            return {}
        with self._opened() as database:
            kept = "SELECT count(*) FROM sqlite_master WHERE name = 'scored'"
            if not database.execute(kept).fetchone()[0]:
                return {}
            asked = "SELECT fingerprint, base, scores FROM scored WHERE task = ?"
            return {
                (data, base): json.loads(s) for data, base, s in database.execute(asked, (task,))
            }

    def all(self) -> tuple[Past, ...]:
        """Return all results, the oldest first; raises Unreachable and Refused."""
        if not self._path.is_file():
            return ()
        with self._opened() as database:
            if not _format_of(database):
                return ()
            found = database.execute(f"SELECT {', '.join(FIELDS)} FROM past ORDER BY rowid")
            return tuple(Past(*row) for row in found)

    def counts(self) -> Mapping[str, int]:
        """Return how many results there are of each base; raises Unreachable and Refused."""
        found: dict[str, int] = {}
        for each in self.all():
            found[each.base] = found.get(each.base, 0) + 1
        return found

    @contextlib.contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        """Give the database, begun if it is not there yet; what is written is kept at the end."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)  # it tells where a user keeps things
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"CREATE TABLE IF NOT EXISTS past ({', '.join(FIELDS)}, UNIQUE(work))")
            database.execute(f"PRAGMA user_version = {FORMAT}")
            yield database

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        database = None
        try:
            database = sqlite3.connect(self._path, isolation_level=None, timeout=60)
            if _format_of(database) > FORMAT:
                raise Refused(
                    f"the past results in `{self._path}` are of a newer hubtl",
                    "pip install --upgrade hubtl",
                )
            yield database
        except sqlite3.Error as error:
            raise Unreachable(
                f"the past results in `{self._path}` can't be used: {error}",
                "take the file from a copy, or move it away: a new one is begun",
            ) from error
        finally:
            if database:
                database.close()


def _format_of(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
