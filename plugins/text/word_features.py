"""The plain rival for spans: logistic regression on what each word and its neighbours look like.

The features are those that conditional random fields of names are given: Ratinov and Roth, "Design
Challenges and Misconceptions in Named Entity Recognition", CoNLL 2009. Each word is told by itself.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...transfer.spans import SPANS
from ...transfer.split import Example, to_choose_by
from ...transfer.written_spans import from_tags, written
from .words import is_inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = re.compile(r"\w+|[^\w\s]")
STRENGTHS = (0.3, 3.0, 30.0)
HELD = 0.25  # of the rows, by which the strength is chosen
MOST = 60_000  # words to learn from
EDGE = "<edge>"


def spans_by_features(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the spans that a linear model of words, learnt from `train`, finds in the test rows.

    Its strength is the one that does best on a quarter of the rows to learn from.
    """
    kept, held = to_choose_by(train, HELD, seed, strata=False)
    strength = STRENGTHS[len(STRENGTHS) // 2]
    if held and kept:
        scores = {each: _f1(_Fitted(kept, each, seed).said(held), held) for each in STRENGTHS}
        strength = max(STRENGTHS, key=lambda each: scores[each])
    return _Fitted(train, strength, seed).said(test)


def _f1(said: Sequence[str], rows: Sequence[Example]) -> float:
    true = np.array([row.label for row in rows])
    return float(SPANS.metrics["f1"](true, np.array(said), np.ones((1, len(rows))))[0])


class _Fitted:
    """A linear model of words, learnt from rows."""

    def __init__(self, rows: Sequence[Example], strength: float, seed: int) -> None:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        # What one word alone looks like tells nothing of others, and takes most of the time.
        self._looks = CountVectorizer(analyzer=list, binary=True, min_df=2, dtype=np.float64)
        places = [_places(row.input) for row in rows]
        order = np.random.default_rng(seed).permutation(len(rows))
        ends = np.cumsum([len(places[number]) for number in order])
        drawn = order[: max(1, int(np.searchsorted(ends, MOST, "right")))]
        some = [rows[int(number)] for number in drawn]
        found = zip(drawn.tolist(), some, strict=True)
        tags = [tag for number, row in found for tag in _tags(places[number], row.label)]
        self._model: Any = None
        if len(set(tags)) > 1:
            x = self._looks.fit_transform(_looks_of([row.input for row in some]))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._model = LogisticRegression(C=strength, max_iter=100).fit(x, tags)

    def said(self, rows: Sequence[Example]) -> list[str]:
        """Return the spans that it finds."""
        if self._model is None:  # then there was nothing to tell apart
            return ["[]"] * len(rows)
        texts = [row.input for row in rows]
        places = [_places(text) for text in texts]
        if not any(places):
            return ["[]"] * len(rows)
        tags = iter(self._model.predict(self._looks.transform(_looks_of(texts))).tolist())
        return [written(from_tags([next(tags) for _ in each], each)) for each in places]


def _places(text: str) -> list[list[int]]:
    # To `re` a mark upon a letter is no part of a word.
    marked = text if text.isascii() else "".join("x" if is_inner(each) else each for each in text)
    return [list(found.span()) for found in WORD.finditer(marked)]


def _tags(places: Sequence[Sequence[int]], label: str) -> list[str]:
    """Return the tag of each word, by the spans that it is in."""
    kinds = SPANS.classes([label])
    names, spans = SPANS.outputs(kinds), SPANS.targets([label], kinds)[0]
    where: NDArray[Any] = np.array(places, np.int64).reshape(len(places), 2)
    return [names[number] for number in SPANS.tags(where, spans)]


def _looks_of(texts: Sequence[str]) -> list[list[str]]:
    """Return what each word of all texts looks like, word after word."""
    return [each for text in texts for each in _looks(text)]


def _looks(text: str) -> Iterator[list[str]]:
    """Yield for each word what it and the two on either side look like."""
    words = [text[start:end] for start, end in _places(text)]
    padded = [EDGE, EDGE, *words, EDGE, EDGE]
    for number, word in enumerate(words):
        found = ["always", f"place {min(number, 5)}", f"from the end {min(len(words) - number, 5)}"]
        lower = word.casefold()
        found += [f"begins {lower[:size]}" for size in (1, 2, 3, 4) if len(word) > size]
        found += [f"ends {lower[-size:]}" for size in (1, 2, 3, 4) if len(word) > size]
        for away in range(-2, 3):
            other = padded[number + 2 + away]
            found += [f"{away} is {other.casefold()}", f"{away} like {_shape(other)}"]
        found.append(f"pair {padded[number + 1].casefold()} {lower}")
        found.append(f"pair {lower} {padded[number + 3].casefold()} next")
        yield found


def _shape(word: str) -> str:
    """Return a word with its letters as `x` or `X` and its digits as `0`, runs cut at three."""
    signs = "".join(
        "X" if sign.isupper() else "x" if sign.isalpha() else "0" if sign.isdigit() else sign
        for sign in word
    )
    return re.sub(r"(.)\1{3,}", r"\1\1\1", signs)
