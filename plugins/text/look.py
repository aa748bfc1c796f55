"""Texts as `hubtl check` looks at them: by their words, their language, what they share."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.alike import alike_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = 4  # letters of a part
SHARE = 0.75
# The commonest short words of a language. No word is of two languages, unless both are common.
WORDS: Mapping[str, str] = {
    "bg": "не да се от на за си или като има ще това",
    "cs": "se je že jsem není ale jako když nebo který být si",
    "de": "der die das und ist nicht ein eine zu den mit sich auf von es wer wenn",
    "en": "the of and is to in that it you for with are was this be not",
    "es": "el los las que es y una por con para más pero del como lo",
    "fr": "le les des est une et pas qui que dans pour du ce il vous je",
    "it": "il che di è non gli della sono per una chi più del un",
    "nl": "de het een en van niet dat is op zijn met voor ik te",
    "pl": "nie się jest że jak ale tak czy do przez tylko który",
    "pt": "não uma os um para com você mais ao dos é mas",
    "ru": "и не что в он как это но я то так все если кто",
    "sk": "nie sa je že ako ale keď alebo ktorý byť si sú",
    "sv": "och att det är inte en som på av jag har den",
    "uk": "не що і як та це є або він від якщо до",
}


class Texts:
    """Texts that were looked at."""

    near = f"{SHARE:.0%} of the runs of {RUN} letters are in both"
    plain = "TF-IDF"

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def measures(self) -> Mapping[str, Sequence[float]]:
        """Return how many characters and words each text has."""
        return {
            "characters": [len(text) for text in self._texts],
            "words": [len(text.split()) for text in self._texts],
        }

    def traits(self) -> Mapping[str, Sequence[str]]:
        """Return the language of each text by its commonest short words, or `unknown`."""
        known: dict[str, list[str]] = {}
        for language, words in WORDS.items():
            for word in words.split():
                known.setdefault(word, []).append(language)
        return {"language": [_language(text, known) for text in self._texts]}

    def alike(self) -> Sequence[tuple[int, int]]:
        """Return pairs of texts that share most runs of letters, whatever their case and signs."""
        return alike_sets([_parts(text) for text in self._texts], SHARE)

    @functools.cache  # noqa: B019 - it lives as long as the texts it is of
    def features(self) -> Any:
        """Return TF-IDF of words."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]+")
        return words.fit_transform(self._texts)


def language_of(texts: Sequence[str]) -> str | None:
    """Return the language of most texts, where more than half tell theirs."""
    said = Counter(Texts(texts).traits()["language"])
    language, count = max(said.items(), key=lambda each: each[1], default=("unknown", 0))
    return language if language != "unknown" and 2 * count > len(texts) else None


def _language(text: str, known: Mapping[str, Sequence[str]]) -> str:
    """Return the language of most of the words that are known, if there are two more of them."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    found = Counter(language for word in words for language in known.get(word, ()))
    first, second = [*found.most_common(2), ("", 0), ("", 0)][:2]
    return first[0] if first[1] >= 2 and first[1] > second[1] else "unknown"


def _parts(text: str) -> NDArray[Any]:
    """Return hashes of the runs of RUN letters and digits in a text, each once, sorted."""
    import numpy

    plain = " ".join(re.findall(r"\w+", text.casefold()))
    codes = numpy.frombuffer(f" {plain} ".encode("utf-32-le"), "uint32").astype("uint64")
    if not plain:
        return numpy.array([], "uint32")
    factors = numpy.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 1], "uint64")
    codes = numpy.pad(codes, (0, max(0, RUN - len(codes))))
    runs = numpy.lib.stride_tricks.sliding_window_view(codes, RUN) @ factors
    return numpy.unique((runs * factors[0]) >> numpy.uint64(32)).astype("uint32")
