"""How well an entry answers a question: whole points, more is better.

    points = standing of the entry + where the question's words are in it

Standing is downloads on a scale of tenfolds, and the date: half a tenfold a year, so that of two models
alike, one that is two years younger needs a tenth of the downloads. It does not move as time goes
by. Words in the name are worth a thousandfold of downloads over words in the text, words
in facts a hundredfold. The word that an entry has in its poorest place counts.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from ..entry import Entry
from .words import MEANINGS, called, mark, terms_of

TENFOLD = 4096
HIGHEST = 2**17 - 1
NAME, FACTS, TEXT = 3 * TENFOLD, 2 * TENFOLD, 0
EXACT_ID, EXACT_NAME = 100 * TENFOLD, 50 * TENFOLD
CURATED = 10_000  # downloads that somebody's reading of a model's sources stands for
FIRST_YEAR = 2018


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a question, each with the words that will do for it; `whole` is a name."""

    words: tuple[tuple[str, ...], ...]
    whole: str = ""


def standing(entry: Entry) -> int:
    """Return the points that an entry has whatever is asked."""
    downloads = max(entry.downloads or 0, CURATED if entry.source else 0)
    tenfolds = math.log10(1 + downloads) + _years(entry.date) / 2
    return min(HIGHEST, round(TENFOLD * tenfolds))


def points(asked: Asked, entry: Entry) -> int | None:
    """Return the points of an entry for what is asked, or None where it lacks a word."""
    terms = terms_of(entry)
    if asked.whole:
        for name, bonus in zip(called(asked.whole), (EXACT_ID, EXACT_NAME), strict=True):
            if name in terms.marks:
                return standing(entry) + bonus
    if not asked.words:
        return standing(entry)
    poorest = NAME
    for choices in asked.words:
        wanted = set(choices)
        if wanted.intersection(terms.name):
            continue
        if wanted.intersection(terms.facts):
            poorest = min(poorest, FACTS)
        elif wanted.intersection(terms.text) or set(meant(choices)).intersection(terms.marks):
            poorest = TEXT
        else:
            return None
    return standing(entry) + poorest


def meant(choices: tuple[str, ...]) -> list[str]:
    """Return the marks of the tasks and domains that people call by one of these words."""
    return [mark(*MEANINGS[word]) for word in choices if word in MEANINGS]


@functools.lru_cache(maxsize=16384)
def _years(date: str | None) -> float:
    """Return the years from 2018 on to a date; none where it is not known."""
    if not date:
        return 0.0
    year, month, day = (int(part) for part in date[:10].split("-"))
    return max(0.0, year - FIRST_YEAR + (month - 1) / 12 + (day - 1) / 365)
