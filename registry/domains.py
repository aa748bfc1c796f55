"""Which domains a model is of, told from its name, tags, data sets, base and summary.

The rule is data, `vocabulary.yaml`. What a card states counts, and then nothing is derived.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .entry import Entry
from .vocabulary import RUN, Signs, vocabulary

STATED = "domain:"
DATASET = "dataset:"
BASES = re.compile(r"base_model(?::(?:adapter|finetune|merge|quantized))?:")
# Tags of a hub's own that say nothing of what a model is about.
OTHER = ("arxiv:", "doi:", "license:", "region:", "deploy:", "diffusers:")
HUMP = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
LONGEST, SHOWN = 4000, 80  # characters of a text that are looked at, and that are shown
MOST_WORDS = 3  # of a phrase


def stated(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the domains that a card states by its tags."""
    return tuple(dict.fromkeys(tag[len(STATED) :] for tag in tags if tag.startswith(STATED)))


def derived(
    model: str, tags: Iterable[str] = (), datasets: Iterable[str] = (), about: str = ""
) -> dict[str, str]:
    """Return the domains of a model with from what each is told, such as `name FinBERT`."""
    found: dict[str, str] = {}
    for what, text, prose in _told(model, tuple(tags), datasets, about):
        for domain, words in _said(text[:LONGEST], prose):
            found.setdefault(domain, f"{what} {words if what == 'summary' else text[:SHOWN]}")
    return {domain: found[domain] for domain in vocabulary().domains if domain in found}


def sources(entry: Entry) -> Mapping[str, str]:
    """Return from what each domain of an entry comes."""
    told = stated(entry.tags)
    if entry.source:
        return dict.fromkeys(entry.domains, "the catalogue")
    by = derived(entry.id, entry.tags, (), entry.about)
    return {each: "its card" if each in told else by.get(each, "its hub") for each in entry.domains}


def _told(
    model: str, tags: tuple[str, ...], datasets: Iterable[str], about: str
) -> Iterator[tuple[str, str, bool]]:
    """Give what is told of a model: of what kind it is, its words, and whether they are prose."""
    yield "name", model.rpartition("/")[2], False
    bases = []
    for tag in tags:
        if tag.startswith(DATASET):
            yield "dataset", tag[len(DATASET) :], False
        elif base := BASES.match(tag):
            bases.append(tag[base.end() :])
        elif not tag.startswith((*OTHER, STATED)):
            yield "tag", tag, False
    yield from (("dataset", each, False) for each in datasets)
    yield from (("base", each, False) for each in bases)
    # Who makes models of a field says so in whole words: `DataScience` is none.
    yield "organisation", model.rpartition("/")[0], True
    yield "summary", about, True


@functools.lru_cache(maxsize=65536)
def _said(text: str, prose: bool) -> tuple[tuple[str, str], ...]:
    """Return the domains that a text says, each with the words that say it; many texts are alike.

    A name is looked at whole and by its humps: InLegalBERT has the word `legal`.
    """
    known, runs = vocabulary(), RUN.findall(text)
    found: dict[str, str] = {}
    whole = [run.lower() for run in runs]
    humps = [] if prose else [hump.lower() for run in runs for hump in HUMP.findall(run)]
    for words in (whole, humps) if humps != whole else (whole,):
        unlike = {(at, domain) for at, _, domain in _places(words, known.unlike)}
        for at, phrase, domain in _places(words, known.prose if prose else known.names):
            if (at, domain) not in unlike:
                found.setdefault(domain, " ".join(phrase))
        for word in () if prose else words:
            for domain in _fused(word):
                found.setdefault(domain, word)
    return tuple(found.items())


def _places(words: Sequence[str], signs: Signs) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Give where words side by side say a domain: each of their places, they, and the domain."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            phrase = tuple(words[start:end])
            for domain in signs.get(phrase, ()):
                yield from ((at, phrase, domain) for at in range(start, end))


def _fused(word: str) -> Iterator[str]:
    """Give the domains of a beginning that is one word with the name of a network: FinBERT."""
    known = vocabulary()
    for network in known.networks:
        if word.endswith(network):
            yield from known.stems.get(word[: -len(network)], ())
