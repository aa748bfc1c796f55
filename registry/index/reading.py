"""Read the best of an index without reading all of it.

Posting lists are in the order of standing, so the first entries that FTS5 gives for a question are
those that stand highest, and it stops there. It is asked three times: for entries that have all
words in their names, in names or facts, and anywhere. An entry that is not among the first N of its
place has N before it that have as good a place and stand as high, so no more than N are needed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from ..entry import Entry, Query
from ..errors import Unreachable
from ..filters import filters, left_out
from ..licences import Licence
from .conditions import Condition, any_of, conditions, match, together
from .counting import FEW, MOST, Tally, selected, tally
from .folder import opened
from .ranking import (
    EXACT_ID,
    PLACES,
    Asked,
    doc_of,
    key_of,
    meant,
    points_of,
    standing,
    standing_of,
)
from .rows import Row, entry_of, rows_called
from .spelling import WordsOfIndex, asked_for
from .words import IN_FACTS, IN_NAME, IN_TEXT, called, folded, mark, terms_of

ANYWHERE = IN_NAME + IN_FACTS + IN_TEXT


@dataclass(frozen=True, slots=True)
class Hits:
    """What an index has for a question, best first; `meant` is what words were taken for."""

    entries: tuple[Entry, ...]
    searched: int
    date: str
    meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Index:
    """An index that is open; it stays as it was when a search began, whoever changes it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._vocabulary = WordsOfIndex(database)

    @classmethod
    def at(cls, folder: Path) -> Index | None:
        """Return the index of a folder, or None where there is none of this format: build it."""
        database = opened(folder)
        return cls(database) if database else None

    def __enter__(self) -> Index:
        """Give the index."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close it."""
        self._database.close()

    @contextlib.contextmanager
    def moment(self) -> Iterator[None]:
        """Hold the index as it is now, for several questions; raises Unreachable if spoilt."""
        if self._database.in_transaction:
            yield
            return
        try:
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise Unreachable(
                f"the index can't be read: {error}", "`hubtl sync --anew` builds it anew"
            ) from error

    def search(
        self, query: Query, licences: Mapping[str, Licence] | None = None, *, memory_bytes: int = 0
    ) -> Hits:
        """Return the entries that a query asks for, best first; raises Unreachable.

        `licences` are for `allows`, `memory_bytes` for `fits`.
        """
        with self.moment():
            return self._found(query, licences or {}, memory_bytes)

    def count_made_from(self, model: str) -> int:
        """Return how many entries say they were made from a model; raises Unreachable."""
        question = f'"{mark("base", model)}"'
        with self.moment():
            found = self._database.execute(
                "SELECT count(*) FROM found WHERE found MATCH ?", (question,)
            )
            return int(found.fetchone()[0])

    def asked(self, words: str) -> Asked:
        """Return what words ask for, given the words that entries have; raises Unreachable."""
        with self.moment():
            return asked_for(words, self._vocabulary)

    def entries_called(self, model: str) -> list[Entry]:
        """Return the entries of an id, whatever its case, oldest first; raises Unreachable."""
        with self.moment():
            return [entry_of(row) for _, row in self._rows(model)]

    def best(self, words: str, limit: int) -> tuple[Entry, ...]:
        """Return the best entries that words find, whatever else; raises Unreachable."""
        with self.moment():
            keys = self._best(self.asked(words), [], limit)
            return tuple(self._entry(doc_of(key)) for key in keys)

    def counted(
        self,
        query: Query,
        licences: Mapping[str, Licence],
        *,
        memory_bytes: int = 0,
        without: Iterable[str] = (),
        most: int = MOST,
        few: int = FEW,
    ) -> Tally:
        """Return how many of the first entries that words find each filter leaves out.

        `without` are ids that are not counted; up to `few` entries are looked at one by one. It
        takes some milliseconds. Raises Unreachable.
        """
        wanted = filters(query, licences, memory_bytes)
        with self.moment():
            asked = self.asked(query.words)
            places = _places(asked, ANYWHERE)
            told = conditions(query, licences, memory_bytes)
            found, last = tally(self._database, places, wanted, told, most, few)
            counts = Counter(found)
            for doc, row in (each for model in set(without) for each in self._rows(model)):
                seen = last is None or key_of(standing(row), doc) <= last
                if seen and points_of(asked, row, frozenset(terms_of(row).split())) is not None:
                    lacks = left_out(entry_of(row), wanted)
                    counts[lacks.name if lacks else ""] -= 1
        return Tally(counts, None if last is None else most)

    def _found(self, query: Query, licences: Mapping[str, Licence], memory: int) -> Hits:
        asked = self.asked(query.words)
        wanted = together(conditions(query, licences, memory))
        keys = self._best(asked, wanted, query.limit)
        facts = dict(self._database.execute("SELECT name, value FROM fact"))
        entries = tuple(self._entry(doc_of(key)) for key in keys)
        return Hits(entries, facts["entries"], facts["date"], asked.taken)

    def _best(self, asked: Asked, wanted: Sequence[Condition], limit: int) -> list[int]:
        """Return the keys of the best entries under conditions, the best first."""
        best: dict[int, int] = {}
        letters = ""
        for points, letter in PLACES if asked.words else ((0, ANYWHERE),):
            letters += letter
            for key in self._first(_places(asked, letters), wanted, limit):
                best.setdefault(key, standing_of(key) + points)
        for key in self._called(asked.whole):
            if self._first((), wanted, 1, key):
                best[key] = standing_of(key) + EXACT_ID
        return sorted(best, key=lambda key: (-best[key], doc_of(key)))[:limit]

    def _first(
        self, places: Sequence[str], wanted: Sequence[Condition], limit: int, key: int = -1
    ) -> list[int]:
        """Return the keys of the first entries that FTS5 finds, or `key` alone if it is found."""
        sql = f"SELECT found.rowid {selected(wanted)}"
        if key >= 0:
            sql += f" AND found.rowid = {key:d}"
        sql += f" ORDER BY found.rowid LIMIT {limit:d}"
        return [key for (key,) in self._database.execute(sql, (match(places, wanted),))]

    def _rows(self, model: str) -> list[tuple[int, Row]]:
        """Return the rows of an id, whatever its case, with their numbers, oldest first."""
        rows = rows_called(self._database, called(model)) if model else []
        return [(doc, row) for doc, row in rows if folded(row.id) == folded(model)]

    def _called(self, whole: str) -> list[int]:
        """Return the keys of entries of an id."""
        return [key_of(standing(row), doc) for doc, row in self._rows(whole)]

    def _entry(self, doc: int) -> Entry:
        (row,) = self._database.execute("SELECT row FROM entry WHERE doc = ?", (doc,)).fetchone()
        return entry_of(Row.unpacked(row))


def _places(asked: Asked, letters: str) -> list[str]:
    """Return FTS5's questions for words in the places of these letters, one a word."""
    return [
        any_of(
            [
                *(f"{letter}{word}" for word in choices for letter in letters),
                *(meant(choices) if IN_TEXT in letters else ()),
            ]
        )
        for choices in asked.words.values()
    ]
