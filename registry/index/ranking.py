"""How well an entry answers a question: whole points, more is better.

    points = standing of the entry + where the question's words are in it

Standing is downloads on a scale of tenfolds, and the date: a quarter of a tenfold a year, so that a
model four years younger needs a tenth of the downloads. The order does not change as time goes by.
Words in the name are worth a thousandfold of downloads over words in the text, words in facts a
hundredfold; of several words, the one that an entry has in the poorest place counts.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..entry import Entry
from ..vocabulary import vocabulary
from .rows import Row, row_of
from .words import IN_FACTS, IN_NAME, IN_TEXT, folded, mark, terms_of

TENFOLD = 4096
HIGHEST = 2**17 - 1
DOCS = 24  # bits of a key for the number of an entry; those above tell how far it is from the best
NAME, FACTS, TEXT = 3 * TENFOLD, 2 * TENFOLD, 0
PLACES = ((NAME, IN_NAME), (FACTS, IN_FACTS), (TEXT, IN_TEXT))
EXACT_ID = 100 * TENFOLD
CURATED = 10_000  # downloads that somebody's reading of a model's sources stands for
FIRST_YEAR = 2018


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a question, each with the words that will do for it; `whole` may be an id."""

    words: Mapping[str, tuple[str, ...]]
    whole: str = ""

    @property
    def taken(self) -> dict[str, tuple[str, ...]]:
        """What misspelt words and beginnings of words are taken for."""
        return {said: choices for said, choices in self.words.items() if choices != (said,)}


def standing(row: Row) -> int:
    """Return the points that an entry has whatever is asked."""
    downloads, date = row.downloads or 0, row.date
    if row.rare and '"source"' in row.rare:
        downloads = max(downloads, CURATED)
        date = date and f"{date[:4]}-01-01"  # the day on which it was read says nothing of a model
    tenfolds = math.log10(1 + downloads) + _years(date) / 4
    return min(HIGHEST, round(TENFOLD * tenfolds))


def points(asked: Asked, entry: Entry) -> int | None:
    """Return the points of an entry for what is asked, or None where it lacks a word."""
    row = row_of(entry)
    return points_of(asked, row, frozenset(terms_of(row).split()))


def points_of(asked: Asked, row: Row, terms: frozenset[str]) -> int | None:
    """Return the points of a row that is found by these terms, or None where it lacks a word."""
    stands = standing(row)
    if asked.whole and folded(row.id) == asked.whole:
        return stands + EXACT_ID
    if not asked.words:
        return stands
    poorest = NAME
    for choices in asked.words.values():
        for place, letter in PLACES:
            if not terms.isdisjoint(letter + word for word in choices):
                poorest = min(poorest, place)
                break
        else:
            if terms.isdisjoint(meant(choices)):
                return None
            poorest = TEXT
    return stands + poorest


def key_of(stands: int, doc: int) -> int:
    """Return the key that posting lists are ordered by: the best standing first, then as given."""
    return (HIGHEST - stands) << DOCS | doc


def doc_of(key: int) -> int:
    """Return the number of the entry that a key is of."""
    return key & ((1 << DOCS) - 1)


def standing_of(key: int) -> int:
    """Return the standing of the entry that a key is of."""
    return HIGHEST - (key >> DOCS)


def meant(choices: tuple[str, ...]) -> list[str]:
    """Return the marks of the tasks and domains that people call by one of these words."""
    meanings = vocabulary().meanings
    return [mark(*meanings[word]) for word in choices if word in meanings]


@functools.lru_cache(maxsize=16384)
def _years(date: str | None) -> float:
    """Return the years from 2018 on to a date; none where it is not known."""
    if not date:
        return 0.0
    year, month, day = (int(part) for part in date[:10].split("-"))
    return max(0.0, year - FIRST_YEAR + (month - 1) / 12 + (day - 1) / 365)
