"""Texts as tokens that are judged word by word, and where each word stands.

Where spans to learn from begin or end inside of words, as in a language that writes no spaces, each
token is judged by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadOption
from ...transfer.spans import parts
from .decoder import PaddedTokens, is_decoder
from .tokens import CHUNK, LONGEST, Tokens

if TYPE_CHECKING:
    import torch
    from torch import Tensor

GAINED = 0.01  # of all spans: if so many more can be told token by token, it is done so


def is_inner(sign: str) -> bool:
    """Return whether a sign is a letter, a digit or a mark upon one, as words are made of."""
    return sign.isalnum() or (sign != "_" and f"a{sign}".isidentifier())


def places_of(
    text: str, offsets: list[list[int]], words: list[int | None], whole: bool
) -> list[list[int]]:
    """Return for each token where the word that it begins stands in the text, else [0, 0].

    A word is judged by its first token. If not `whole`, each token is a word.
    """
    places, first = [[0, 0] for _ in offsets], -1
    before: int | None = None
    for number, ((start, end), word) in enumerate(zip(offsets, words, strict=True)):
        while start < end and text[start].isspace():
            start += 1
        if word is None or start >= end:
            continue
        last = places[first][1] if first >= 0 else 0
        pair = text[start - 1 : start + 1]
        inner = start == last > 0 and all(map(is_inner, pair))
        # A mark belongs to its letter even where a tokenizer cuts between them.
        if start < last or (whole and inner and (word == before or not pair.isalnum())):
            places[first][1] = max(last, end)
        else:
            first, places[number] = number, [start, end]
        before = word
    return places


class Words(Tokens):
    """A base's tokenizer, and the words that its tokens are of."""

    def __init__(self, base: Path, most: int) -> None:
        super().__init__(base, most)
        if not self._tokenizer.is_fast:
            raise BadOption(
                "the base's tokenizer does not tell which letters a token is of",
                "choose another --base: `hubtl search --task token-classification`",
            )
        self.whole, self._inside, self._spans = True, 0, 0

    @property
    def identity(self) -> str:
        """How texts are cut, and what is judged."""
        return f"{super().identity}, each {'word' if self.whole else 'token'}"

    def expect(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Be told texts and their spans, by which it is known whether words or tokens are judged.

        Raises BadData never: a span that can't be told exactly is told as near as can be.
        """
        told = {whole: 0 for whole in (True, False)}
        self._spans = 0
        for start in range(0, len(texts), CHUNK):
            some = list(texts[start : start + CHUNK])
            read = self._tokenizer(some, return_offsets_mapping=True)
            for row, (text, label) in enumerate(
                zip(some, labels[start : start + CHUNK], strict=True)
            ):
                spans = parts(label)
                self._spans += len(spans)
                for whole in told if spans else ():
                    offsets = read["offset_mapping"][row]
                    places = places_of(text, offsets, read.word_ids(row), whole)
                    starts, ends = ({each[side] for each in places} for side in (0, 1))
                    told[whole] += sum(a in starts and b in ends for a, b, _ in spans)
        self.whole = told[False] - told[True] <= GAINED * self._spans
        self._inside = self._spans - told[self.whole]

    def batch(self, texts: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return padded token ids, their mask, and the `places` [texts, tokens, 2] of words."""
        import torch

        read = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self.length,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = read.pop("offset_mapping").tolist()
        places = [
            places_of(text, offsets[row], read.word_ids(row), self.whole)
            for row, text in enumerate(texts)
        ]
        batch = {**read, "places": torch.tensor(places, dtype=torch.float32)}
        return {key: value.to(device) for key, value in batch.items()}

    def describe(self, texts: Sequence[str], pooling: str) -> dict[str, Any]:
        """Return how texts are cut and judged, and how many of these were cut."""
        found = super().describe(texts, pooling)
        unit = "word is judged by its first token" if self.whole else "token is judged by itself"
        how = f"{found['how']}; each {unit}"
        if self._inside:
            inner = "word" if self.whole else "token"
            how += (
                f"; {self._inside} of the {self._spans} spans to learn from begin or end inside of "
                f"a {inner}, so that they can't be told exactly"
            )
        return {**found, "whole_words": self.whole, "how": how}


class PaddedWords(Words, PaddedTokens):
    """The same of a base that reads from left to right: padded behind the text."""


def words(base: Path, config: Any) -> Words:
    """Return how texts are read: cut at what the model has positions for, and at 512 tokens."""
    most = min(getattr(config, "max_position_embeddings", None) or LONGEST, LONGEST)
    return (PaddedWords if is_decoder(base) else Words)(base, most)
