"""What a word of a question will do for: itself, words that begin so, or the one that was meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from .ranking import Asked
from .words import LONGEST, folded

if TYPE_CHECKING:
    import sqlite3

MOST_WORDS, MOST_ENDINGS, MOST_NEAR = 16, 16, 200
SHORTEST_BEGINNING, SHORTEST_TO_MEND = 2, 4
ALIKE = 3  # letters that a word with two mistakes is taken to begin with rightly
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SPOKEN = re.compile(r"([^\W_]+)(\*?)")
END = "\U0010ffff"


class Vocabulary(Protocol):
    """Words that entries have, and in how many places of entries each stands."""

    def places(self, word: str) -> int:
        """Return in how many places of entries a word stands."""
        ...

    def beginning(self, start: str, shortest: int, longest: int, most: int) -> list[str]:
        """Return the commonest words that begin so and have so many letters, that one first."""
        ...


class WordsOfIndex:
    """The words of an index."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._ask: Callable[..., sqlite3.Cursor] = database.execute

    def places(self, word: str) -> int:
        """Return in how many places of entries a word stands."""
        row = self._ask("SELECT places FROM word WHERE word = ?", (word,)).fetchone()
        return int(row[0]) if row else 0

    def beginning(self, start: str, shortest: int, longest: int, most: int) -> list[str]:
        """Return the commonest words that begin so and have so many letters, that one first."""
        rows = self._ask(
            "SELECT word FROM word WHERE word >= ? AND word < ?"
            " AND length(word) BETWEEN ? AND ? ORDER BY places DESC, word LIMIT ?",
            (start, start + END, shortest, longest, most),
        )
        return [word for (word,) in rows]


def asked_for(words: str, vocabulary: Vocabulary) -> Asked:
    """Return what a question's words ask for: `senti*`, or a word nobody uses, are looked up."""
    text = folded(words.encode("utf-8", "replace").decode()).strip()
    spoken = dict.fromkeys((word[:LONGEST], star) for word, star in SPOKEN.findall(text))
    choices = {
        f"{word}{star}": will_do(word, bool(star), vocabulary)
        for word, star in itertools.islice(spoken, MOST_WORDS)
    }
    return Asked(choices, "" if not text or text.split() != [text] else text)


def will_do(word: str, begins: bool, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words that an entry may have for one that is asked for, never none."""
    long_enough = len(word) >= SHORTEST_BEGINNING
    if begins and long_enough:
        return _begun(word, vocabulary) or (word,)
    if vocabulary.places(word):
        return (word,)
    mended = mended_to(word, vocabulary)
    if mended:
        return (mended,)
    return (long_enough and _begun(word, vocabulary)) or (word,)


def mended_to(word: str, vocabulary: Vocabulary) -> str | None:
    """Return the commonest word that is one mistake away, else two, or None."""
    if len(word) < SHORTEST_TO_MEND:
        return None
    near = [each for each in set(mistaken(word)) if vocabulary.places(each)]
    if not near and len(word) > SHORTEST_TO_MEND:
        alike = vocabulary.beginning(word[:ALIKE], len(word) - 2, len(word) + 2, MOST_NEAR)
        near = [each for each in alike if mistakes(word, each, 2) <= 2]
    return min(near, key=lambda each: (-vocabulary.places(each), each), default=None)


def _begun(start: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the sixteen commonest words that begin so, the commonest first."""
    return tuple(vocabulary.beginning(start, 0, LONGEST, MOST_ENDINGS))


def mistaken(word: str) -> Iterator[str]:
    """Give all words that are one mistake away: a letter less, more, another, or two swapped."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in LETTERS)


def mistakes(one: str, other: str, most: int) -> int:
    """Return how many mistakes lie between two words, swaps of neighbours being one, or more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        last, before, row = before, row, [at, *[0] * len(other)]
        for to, wanted in enumerate(other, 1):
            row[to] = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != wanted))
            if last and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                row[to] = min(row[to], last[to - 2] + 1)
        if min(row) > most:
            return most + 1
    return row[-1]
