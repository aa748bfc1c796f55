"""Find entries by words and filters, best first, and say why others were left out.

Words match, and entries are ordered, as in the index: by the same functions, with the words of
these entries for a vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from .comparing import comparable
from .entry import Counted, Entry, Found, Query
from .filters import Filter, filters, left_out, marks, reasons, told
from .index.ranking import points_of
from .index.rows import row_of
from .index.spelling import asked_for
from .index.words import terms_of, words_in
from .licences import Licence

ALLOWS = ("commercial", "derivatives")


class Words:
    """The words of a few entries, and in how many places each stands."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._places = Counter(word for each in terms for word in words_in(each))

    def places(self, word: str) -> int:
        """Return in how many places of entries a word stands."""
        return self._places[word]

    def beginning(self, start: str, shortest: int, longest: int, most: int) -> list[str]:
        """Return the commonest words that begin so and have so many letters."""
        found = [
            word
            for word in self._places
            if word.startswith(start) and shortest <= len(word) <= longest
        ]
        return sorted(found, key=lambda word: (-self._places[word], word))[:most]


def find(
    entries: Iterable[Entry],
    query: Query,
    licences: Mapping[str, Licence],
    *,
    date: str,
    memory_bytes: int = 0,
) -> Found:
    """Return the entries that a query asks for, best first; `memory_bytes` is for `fits`."""
    known = list(entries)
    rows = [row_of(entry) for entry in known]
    terms = [terms_of(row) for row in rows]
    asked = asked_for(query.words, Words(terms))
    wanted = filters(query, licences, memory_bytes)
    hits, lacking = list[tuple[int, Entry]](), list[tuple[Entry, Filter]]()
    for entry, row, each in zip(known, rows, terms, strict=True):
        points = points_of(asked, row, frozenset(each.split()))
        if points is None:
            continue
        if lacks := left_out(entry, wanted):
            lacking.append((entry, lacks))
        else:
            hits.append((points, entry))
    hits.sort(key=lambda hit: -hit[0])
    found = tuple(entry for _, entry in hits[: query.limit])
    return Found(
        found,
        told(lacking, wanted),
        len(known),
        date,
        comparable=tuple(tuple(entry.id for entry in group) for group in comparable(found)),
        meant=asked.taken,
        counted=Counted(reasons(Counter(lacks.name for _, lacks in lacking), wanted)),
        marks={entry.id: more for entry in found if (more := marks(entry, query))},
    )
