"""The letters that a model spells with: the base's own, and those of the texts that it lacks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..networks import files

BLANK, UNKNOWN, DELIMITER = "[PAD]", "[UNK]", "|"
TOKENIZER_FILES = (
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
CURLED = "\u2019"  # how many programs write an apostrophe


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens by their numbers, of which the base has trained the first `own`, if any.

    `special` are the names that transformers' tokenizer has for some of them. Texts are spelt in a
    `case`, upper, lower or that of each text, without signs but those within words; or as they are,
    if `verbatim`.
    """

    tokens: Mapping[str, int]
    special: Mapping[str, Any]
    own: int
    case: str
    verbatim: bool

    @property
    def size(self) -> int:
        """How many outputs a head needs."""
        return max(self.own, 1 + max(self.tokens.values()))

    @property
    def blank(self) -> int:
        """The number of what stands between letters, and for no letter."""
        return self.tokens[str(self.special["pad_token"])]

    @property
    def changed(self) -> bool:
        """Whether it is another than the base's own."""
        return self.size > self.own

    @property
    def how(self) -> str:
        """One line on where it is from, for the card."""
        signs = sum(len(token) == 1 for token in self.tokens) - 1  # one is between words
        if not self.changed:
            return f"spelt with the base's own {signs} signs and no other"
        new = self.size - self.own if self.own else signs
        whose = f"{signs - new} of the base's own and {new} of" if self.own else "those of"
        return f"spelt with {signs} signs, {whose} the texts that were learnt from, and no other"

    def holding(self, texts: Iterable[str]) -> Vocabulary:
        """Return one that has all that texts are spelt with, the base's own in their places."""
        found = {
            char
            for text in texts
            for word in self._words(text)
            for char in word
            if char not in self.tokens
        }
        new = {char: self.size + place for place, char in enumerate(sorted(found))}
        return replace(self, tokens={**self.tokens, **new})

    def spell(self, text: str) -> list[int]:
        """Return the numbers of a text's letters; those that it lacks are left out."""
        delimiter = self.tokens[str(self.special["word_delimiter_token"])]
        found: list[int] = []
        for word in self._words(text):
            numbers = [self.tokens[char] for char in word if char in self.tokens]
            found += [delimiter] * bool(found and numbers) + numbers
        return found

    def save(self, base: Path, folder: Path) -> None:
        """Write what transformers' tokenizer is made of: the base's own files, where they hold."""
        if not self.changed:
            files.copy_those(TOKENIZER_FILES, base, folder)
            return
        files.write_json(folder / "vocab.json", dict(self.tokens))
        about = {"tokenizer_class": "Wav2Vec2CTCTokenizer", **self.special}
        files.write_json(folder / "tokenizer_config.json", about)

    def _words(self, text: str) -> list[str]:
        """Return the words of a text as they are spelt here."""
        text = unicodedata.normalize("NFC", text)
        if self.verbatim:
            return text.split()
        text = text if CURLED in self.tokens else text.replace(CURLED, "'")
        text = {"upper": text.upper, "lower": text.lower}.get(self.case, text.strip)()
        letters = [False, *map(_is_letter, text), False]
        kept = ""
        for place, char in enumerate(text, 1):
            within = letters[place - 1] and letters[place + 1]
            # To a head that is trained, a sign that it knows nothing of is not worth new weights.
            sign = within and (char in self.tokens or not self.own)
            kept += char if letters[place] or sign else " "
        return kept.split()


def own_vocabulary(base: Path, trained: int, *, verbatim: bool) -> Vocabulary:
    """Return the vocabulary of a base whose head has trained so many outputs.

    Where it has none, or one that is not of letters, what is returned has no letter yet.
    """
    names = {"pad_token": BLANK, "unk_token": UNKNOWN, "word_delimiter_token": DELIMITER}
    new = Vocabulary(
        {BLANK: 0, UNKNOWN: 1, DELIMITER: 2},
        {**names, "bos_token": None, "eos_token": None, "do_lower_case": False},
        own=0,
        case="lower",
        verbatim=verbatim,
    )
    listed = files.read_json(base / "vocab.json")
    if not trained or not all(isinstance(number, int) for number in listed.values()):
        return new
    from transformers import Wav2Vec2CTCTokenizer

    tokenizer: Any = Wav2Vec2CTCTokenizer.from_pretrained(base)
    tokens = {token: n for token, n in tokenizer.get_vocab().items() if n < trained}
    special = {
        name: (told if (told := getattr(tokenizer, name)) in tokens else None)
        for name in ("pad_token", "unk_token", "word_delimiter_token", "bos_token", "eos_token")
    }
    # Syllables or phonemes need none between words; the tokenizer only thinks that it has one.
    if special["pad_token"] is None or special["word_delimiter_token"] not in listed:
        return new
    lower = bool(tokenizer.do_lower_case)
    return Vocabulary(
        tokens, {**special, "do_lower_case": lower}, trained, _case_of(tokens), verbatim
    )


def frames_for(numbers: list[int]) -> int:
    """Return the fewest frames that can spell this: one a letter, and a blank between two alike."""
    return len(numbers) + sum(a == b for a, b in pairwise(numbers))


def _case_of(tokens: Iterable[str]) -> str:
    """Return the case that all letters have; where they have both or none, nothing."""
    letters = [token for token in tokens if len(token) == 1]
    upper, lower = any(map(str.isupper, letters)), any(map(str.islower, letters))
    return "" if upper == lower else "upper" if upper else "lower"


def _is_letter(char: str) -> bool:
    """Return whether a character is a letter, a digit, or a mark on one."""
    return char.isalnum() or unicodedata.category(char).startswith("M")
