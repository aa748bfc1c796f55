"""The hits of questions by looking at every model of a listing: what an index must find too."""

from __future__ import annotations

import heapq
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hubtl.registry.entry import Query
from hubtl.registry.filters import Filter, filters, left_out
from hubtl.registry.index.cleaning import cleaned
from hubtl.registry.index.ranking import PLACES, Asked, meant, points_of
from hubtl.registry.index.rows import Row, entry_of
from hubtl.registry.index.spelling import WordsOfIndex, asked_for
from hubtl.registry.index.words import terms_of
from hubtl.registry.licences import Licence


def scanned(
    index: Path, listing: Path, queries: Sequence[Query], licences: Mapping[str, Licence]
) -> list[list[str]]:
    """Return the ids that each question finds among all models of a listing, best first."""
    with sqlite3.connect(index) as database:
        asked = [asked_for(query.words, WordsOfIndex(database)) for query in queries]
    by_term = _by_term(asked)
    wanted = [filters(query, licences, 0) for query in queries]
    best: list[list[tuple[int, int, str]]] = [[] for _ in queries]
    with listing.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = cleaned(line, "2026-12-31")
            assert row is not None
            for at, points in _answered(row, asked, wanted, by_term):
                put = heapq.heappush if len(best[at]) < queries[at].limit else heapq.heappushpop
                put(best[at], (points, -number, row.id))
    return [[model for _, _, model in sorted(hits, reverse=True)] for hits in best]


def _answered(
    row: Row,
    asked: Sequence[Asked],
    wanted: Sequence[list[Filter]],
    by_term: Mapping[str, list[int]],
) -> Iterator[tuple[int, int]]:
    """Give the questions that a row answers, and its points."""
    terms = frozenset(terms_of(row).split())
    may = {at for term in terms & by_term.keys() for at in by_term[term]}
    may.update(by_term.get("", ()))
    entry = entry_of(row) if may else None
    for at in may:
        if entry and left_out(entry, wanted[at]) is None:
            points = points_of(asked[at], row, terms)
            if points is not None:
                yield at, points


def _by_term(asked: Sequence[Asked]) -> Mapping[str, list[int]]:
    """Return which questions only rows with a term can answer; under "", those without words."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, asks in enumerate(asked):
        choices = next(iter(asks.words.values()), ())
        terms = {f"{letter}{word}" for word in choices for _, letter in PLACES}
        for term in terms.union(meant(choices)) or {""}:
            found[term].append(at)
    return found
