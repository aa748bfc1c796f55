"""Read the best of an index without reading all of it.

Posting lists are in the order of standing, so the first entries that FTS5 gives for a question are
those that stand highest, and it stops there. It is asked three times: for entries that have all
words in their names, in names or facts, and anywhere. An entry that is not among the first N of its
place has N before it that have as good a place and stand as high, so no more than N are needed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from ..entry import Entry, Query
from ..errors import Unreachable
from ..licences import Licence
from .changing import rows_called
from .folder import opened
from .ranking import (
    DOCS,
    EXACT_ID,
    PLACES,
    Asked,
    doc_of,
    key_of,
    meant,
    standing,
    standing_of,
)
from .rows import Row, entry_of
from .spelling import Vocabulary, asked_for
from .words import IN_TEXT, called, folded, mark, size_class


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
        self._vocabulary = Vocabulary(database)

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

    def asked(self, words: str) -> Asked:
        """Return what words ask for, given the words that entries have; raises Unreachable."""
        with self.moment():
            return asked_for(words, self._vocabulary)

    def entries_called(self, model: str) -> list[Entry]:
        """Return the entries of an id, whatever its case, oldest first; raises Unreachable."""
        with self.moment():
            rows = rows_called(self._database, called(model))
        return [entry_of(row) for _, row in rows if folded(row.id) == folded(model)]

    def _found(self, query: Query, licences: Mapping[str, Licence], memory: int) -> Hits:
        asked = self.asked(query.words)
        filters = _filters(query, licences)
        most = _largest(query, memory)
        if most is not None:
            filters.append(_any(_sizes(most)))
        best: dict[int, int] = {}
        for points, question in _questions(asked, filters):
            for key in self._first(question, most, query.limit):
                best.setdefault(key, standing_of(key) + points)
        for key in self._called(asked.whole):
            if not filters or self._first(_all(filters), most, 1, key):
                best[key] = standing_of(key) + EXACT_ID
        keys = sorted(best, key=lambda key: (-best[key], doc_of(key)))[: query.limit]
        facts = dict(self._database.execute("SELECT name, value FROM fact"))
        return Hits(
            tuple(self._entry(doc_of(key)) for key in keys),
            facts["entries"],
            facts["date"],
            {said: choices for said, choices in asked.words.items() if choices != (said,)},
        )

    def _first(self, question: str, most: int | None, limit: int, key: int = -1) -> list[int]:
        """Return the keys of the first entries that FTS5 finds, or `key` alone if it is found."""
        sql = "SELECT found.rowid FROM found"
        if most is not None:
            sql += f" CROSS JOIN entry ON entry.doc = (found.rowid & {(1 << DOCS) - 1})"
        sql += " WHERE found MATCH ?"
        if most is not None:
            sql += f" AND entry.params <= {most:d}"
        if key >= 0:
            sql += f" AND found.rowid = {key:d}"
        sql += f" ORDER BY found.rowid LIMIT {limit:d}"
        return [key for (key,) in self._database.execute(sql, (question,))]

    def _called(self, whole: str) -> list[int]:
        """Return the keys of entries of an id."""
        rows = rows_called(self._database, called(whole)) if whole else []
        return [key_of(standing(row), doc) for doc, row in rows if folded(row.id) == whole]

    def _entry(self, doc: int) -> Entry:
        (row,) = self._database.execute("SELECT row FROM entry WHERE doc = ?", (doc,)).fetchone()
        return entry_of(Row.unpacked(row))


def _questions(asked: Asked, filters: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Give FTS5's questions, the one with the most points first, and the points."""
    if not asked.words:
        yield 0, _all(filters or [_any([mark("kind", "base"), mark("kind", "adapter")])])
        return
    letters = ""
    for points, letter in PLACES:
        letters += letter
        places = [_places(choices, letters) for choices in asked.words.values()]
        yield points, _all([*places, *filters])


def _places(choices: tuple[str, ...], letters: str) -> str:
    terms = [f"{letter}{word}" for word in choices for letter in letters]
    return _any([*terms, *(meant(choices) if IN_TEXT in letters else ())])


def _filters(query: Query, licences: Mapping[str, Licence]) -> list[str]:
    """Return a question of FTS5's for each fact that a query asks for."""
    wanted = (
        ("kind", query.kind),
        ("task", query.task),
        ("domain", query.domain),
        ("language", query.language),
        ("licence", query.licence),
        ("base", query.base),
        ("organisation", query.organisation),
    )
    found = [_quoted(mark(fact, value)) for fact, value in wanted if value]
    if query.allows:
        fine = [name for name, each in licences.items() if getattr(each, query.allows)]
        found.append(_any([mark("licence", name) for name in fine] or ["none"]))
    return found


def _largest(query: Query, memory: int) -> int | None:
    """Return the most parameters that a query lets through."""
    # Weights, gradients, two Adam moments and activations: about six times the weights.
    limits = [query.max_params] if query.max_params is not None else []
    return min([*limits, memory // 24]) if query.fits else min(limits, default=None)


def _sizes(most: int) -> list[str]:
    return [mark("params", str(each)) for each in range(size_class(most) + 1)]


def _quoted(term: str) -> str:
    return f'"{term}"'


def _any(terms: Iterable[str]) -> str:
    return f"({' OR '.join(map(_quoted, terms))})"


def _all(questions: Iterable[str]) -> str:
    return " AND ".join(questions)
