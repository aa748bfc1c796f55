"""The words and the facts that an entry is found by.

A word is a run of letters and digits. An entry has it in its name, in its facts (tags, tasks, domains,
languages, licence, architecture) or in what is said about it; the best place counts.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from ..entry import Entry

WORD = re.compile(r"[^\W_]+")
ACCENTS = re.compile("[\u0300-\u036f]")
PLAIN = re.compile(r"[a-z0-9/:._+-]+")
ADAPTER = "base_model:adapter:"
# Tags that a hub makes: of the first, only what they name is worth finding; of the second, nothing.
NAMES_A_THING = {
    *("base_model", "base_model:adapter", "base_model:finetune", "base_model:merge"),
    *("base_model:quantized", "dataset"),
}
SAID_ELSEWHERE = {"license", "region"}
LONGEST = 40
MOST = 200  # words of facts that one entry is found by

# What people call a task or a domain, and the fact that they mean by it.
MEANINGS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("sentiment", "topic", "intent"), ("task", "text-classification")),
    **dict.fromkeys(("ner", "entities", "pos"), ("task", "token-classification")),
    **dict.fromkeys(
        ("asr", "transcribe", "transcription", "dictation", "stt"),
        ("task", "automatic-speech-recognition"),
    ),
    **dict.fromkeys(("image", "picture", "vision", "photo"), ("task", "image-classification")),
    **dict.fromkeys(("audio", "sound", "speech"), ("task", "audio-classification")),
    **dict.fromkeys(("embedding", "embeddings", "encoder"), ("task", "sentence-similarity")),
    **dict.fromkeys(("law", "contract", "contracts", "court"), ("domain", "legal")),
    **dict.fromkeys(("clinical", "health", "biomedical"), ("domain", "medical")),
    **dict.fromkeys(("financial", "bank", "banking"), ("domain", "finance")),
    **dict.fromkeys(("code", "programming"), ("domain", "software")),
    **dict.fromkeys(("tweet", "tweets", "twitter"), ("domain", "social-media")),
}
LETTERS: Mapping[str, str] = {
    "kind": "k", "task": "t", "domain": "m", "language": "l", "licence": "s",
    "base": "v", "organisation": "o", "params": "p",
}  # fmt: skip


class Terms(NamedTuple):
    """What an entry is found by: words by where they stand, and marks that stand for facts."""

    name: Sequence[str]
    facts: Sequence[str]
    text: Sequence[str]
    marks: Sequence[str]


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded: no case, no accents, none longer than forty letters."""
    low = folded(text)
    found = WORD.findall(low)
    return found if len(low) <= LONGEST else [word[:LONGEST] for word in found]


def folded(text: str) -> str:
    """Return a text without case, accents and other ways to write the same letters."""
    if text.isascii():
        return text.lower()
    return ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


@functools.lru_cache(maxsize=65536)
def mark(fact: str, value: str) -> str:
    """Return the term that stands for a fact, such as the task `text-classification`."""
    return f"{LETTERS[fact]}:{_kept(value)}"


def called(model: str) -> tuple[str, str]:
    """Return the terms that stand for an id, and for what of it follows the organisation."""
    kept = _kept(model)
    return f"={kept}", f"~{kept.rpartition('/')[2]}"


def size_class(params: int) -> int:
    """Return the class of a number of parameters; each spans eight times the one before."""
    return params.bit_length() // 3


def terms_of(entry: Entry) -> Terms:
    """Return what an entry is found by."""
    facts: list[str] = []
    for each in (*entry.tasks, *entry.domains, *entry.languages, *entry.tags):
        facts += _words_of_fact(each)
    for known in (entry.licence, entry.architecture):
        if known:
            facts += _words_of_fact(known)
    text = words_of(entry.about) if entry.about else []
    return Terms(words_of(entry.id), facts[:MOST], text, _marks(entry))


def made_from(entry: Entry) -> set[str]:
    """Return the ids that an entry says it is made from."""
    found = {tag[len(ADAPTER) :] for tag in entry.tags if tag.startswith(ADAPTER)}
    found.update(each for each in (entry.base, entry.upon) if each)
    return found


def _kept(value: str) -> str:
    """Return a value as one term of letters, digits and signs that the index keeps together."""
    low = folded(value)
    return low if PLAIN.fullmatch(low) else quote(low, safe="/:", errors="replace").lower()


@functools.lru_cache(maxsize=65536)
def _words_of_fact(text: str) -> tuple[str, ...]:
    """Return the words of a fact; most are of a hub's few thousand common tags."""
    before, _, after = text.rpartition(":")
    if before in SAID_ELSEWHERE:
        return ()
    return tuple(words_of(after if before in NAMES_A_THING else text))


def _marks(entry: Entry) -> list[str]:
    found = [mark("kind", entry.kind), *called(entry.id)]
    found += [mark("task", each) for each in entry.tasks]
    found += [mark("domain", each) for each in entry.domains]
    found += [mark("language", each) for each in entry.languages]
    found += [mark("base", each) for each in made_from(entry)]
    if entry.licence:
        found.append(mark("licence", entry.licence))
    if "/" in entry.id:
        found.append(mark("organisation", entry.organisation))
    if entry.params is not None:
        found.append(mark("params", str(size_class(entry.params))))
    return found
