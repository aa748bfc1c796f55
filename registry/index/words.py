"""The words and the facts that an entry is found by.

A word is a run of letters and digits. An entry has it in its name, in its facts (tags, tasks,
domains, languages, licence, architecture) or in what is said about it; the best place counts.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
import zlib
from collections.abc import Mapping
from urllib.parse import quote

from ..kinship import told_by_tags
from ..trust import is_refused
from .rows import Row

WORD = re.compile(r"[^\W_]+")
# What a byte of ASCII is in a word, a space if nothing: a third of the time that WORD takes.
LOW = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else 32 for byte in range(128)).ljust(256)
ACCENTS = re.compile("[\u0300-\u036f]")
PLAIN = re.compile(r"[a-z0-9/:._+-]+")
# Tags that a hub makes: of the first, only what they name is worth finding; of the second, nothing.
NAMES_A_THING = {
    *("base_model", "base_model:adapter", "base_model:finetune", "base_model:merge"),
    *("base_model:quantized", "dataset"),
}
SAID_ELSEWHERE = {"license", "region"}
SAYS_NOTHING = {"autotrain_compatible", "endpoints_compatible"}
LONGEST = 40
UNKNOWN, REFUSED = "unknown", "refused"  # in place of a size, and of what is never loaded
IN_NAME, IN_FACTS, IN_TEXT = "a", "b", "c"

LETTERS: Mapping[str, str] = {
    "kind": "k", "task": "t", "domain": "m", "language": "l", "licence": "s",
    "base": "v", "organisation": "o", "params": "p", "trust": "u",
}  # fmt: skip


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded: no case, no accents, none longer than forty letters."""
    if text.isascii():
        found = text.encode().translate(LOW).decode().split()
    else:
        text = folded(text)
        found = WORD.findall(text)
    return found if len(text) <= LONGEST else [word[:LONGEST] for word in found]


def folded(text: str) -> str:
    """Return a text without case, accents and other ways to write the same letters."""
    if text.isascii():
        return text.lower()
    return ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def mark(fact: str, value: str) -> str:
    """Return the term that stands for a fact, such as the task `text-classification`."""
    return f"{LETTERS[fact]}:{_kept(value)}"


def called(model: str) -> int:
    """Return a number that stands for an id, whatever its case; few others have the same."""
    return zlib.crc32(folded(model).encode("utf-8", "replace"))


def size_class(params: int) -> int:
    """Return the class of a number of parameters; each spans eight times the one before."""
    return params.bit_length() // 3


def terms_of(row: Row) -> str:
    """Return what an entry is found by, apart by spaces: words after a, b or c, and marks."""
    size = UNKNOWN if row.params is None else size_class(row.params)
    parts = [
        _lettered(IN_NAME, row.id),
        _terms_of_facts(row.tasks, row.domains, row.languages, row.licence),
        _marks_of_use(row.kind, size, row.trust),
    ]
    if row.tags:
        parts += map(_terms_of_tag, row.tags.split("\n"))
    if row.base:
        parts.append(mark("base", row.base))
    organisation, among, _ = row.id.rpartition("/")
    if among:
        parts.append(mark("organisation", organisation))
    if row.about:
        parts.append(_lettered(IN_TEXT, row.about))
    if row.rare:
        rare = json.loads(row.rare)
        parts.append(_lettered(IN_FACTS, rare.get("architecture") or ""))
        if upon := rare.get("upon"):
            parts.append(mark("base", upon))
    return " ".join(parts)


def words_in(terms: str) -> list[str]:
    """Return the words among terms, each as often as there are places where it stands."""
    places = (IN_NAME, IN_FACTS, IN_TEXT)
    return [term[1:] for term in set(terms.split()) if term.startswith(places)]


def _kept(value: str) -> str:
    """Return a value as one term of letters, digits and signs that the index keeps together."""
    low = folded(value)
    return low if PLAIN.fullmatch(low) else quote(low, safe="/:", errors="replace").lower()


def _lettered(letter: str, text: str) -> str:
    """Return the words of a text, each after the letter that says where it stands."""
    found = words_of(text)
    return letter + f" {letter}".join(found) if found else ""


@functools.lru_cache(maxsize=65536)
def _terms_of_facts(*of_kinds: str | None) -> str:
    """Return what tasks, domains, languages and a licence, one a line, are found by.

    Few differ, and so it is kept.
    """
    kinds = ("task", "domain", "language", "licence")
    told = [(kind, lines) for kind, lines in zip(kinds, of_kinds, strict=True) if lines]
    words = [_lettered(IN_FACTS, lines) for _, lines in told]
    marks = [mark(kind, line) for kind, lines in told for line in lines.split("\n")]
    return " ".join(words + marks)


@functools.lru_cache(maxsize=65536)
def _terms_of_tag(tag: str) -> str:
    """Return the words of a tag, and what it says of a base; most are of a few thousand."""
    before, _, after = tag.rpartition(":")
    if before in SAID_ELSEWHERE or tag in SAYS_NOTHING:
        return ""
    words = _lettered(IN_FACTS, after if before in NAMES_A_THING else tag)
    return " ".join([words, *(mark("base", model) for model in told_by_tags([tag]))])


@functools.lru_cache(maxsize=4096)
def _marks_of_use(kind: str, size: int | str, trust: str | None) -> str:
    """Return the marks of what a model is, how large and how safe; few differ."""
    facts = trust.split("\n") if trust else []
    refused = is_refused(facts) * [REFUSED]
    marks = [mark("trust", each) for each in [*facts, *refused]]
    return " ".join([mark("kind", kind), mark("params", str(size)), *marks])
