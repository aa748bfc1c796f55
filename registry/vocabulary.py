"""What people call tasks and domains, read from `vocabulary.yaml`: one list for all."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

VOCABULARY = Path(__file__).resolve().parent / "vocabulary.yaml"
RUN = re.compile(r"[^\W_]+")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


Words = tuple[str, ...]
Signs = Mapping[Words, tuple[str, ...]]  # words side by side, and the domains that they say


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words for tasks and domains: in prose, in names, and as beginnings of names.

    `meanings` are what a word alone is taken for: `task` or `domain`, and which; `unlike` are words
    that say nothing of these domains. `networks` are endings that a beginning needs.
    """

    meanings: Mapping[str, tuple[str, str]]
    domains: tuple[str, ...]
    prose: Signs
    names: Signs
    unlike: Signs
    stems: Mapping[str, tuple[str, ...]]
    networks: tuple[str, ...]


@functools.cache
def vocabulary() -> Vocabulary:
    """Return hubtl's vocabulary."""
    text = VOCABULARY.read_text(encoding="utf-8")
    read = yaml.load(text, Loader)  # noqa: S506  (a safe loader, in C where there is one)
    domains = read["domains"]
    called, names = _signs(domains, "called"), _signs(domains, "called", "names")
    meanings = {words[0]: ("domain", each[0]) for words, each in names.items() if len(words) == 1}
    meanings |= {word: ("task", task) for task, words in read["tasks"].items() for word in words}
    stems = {words[0]: each for words, each in called.items() if len(words) == 1}
    stems |= {words[0]: each for words, each in _signs(domains, "stems").items()}
    return Vocabulary(
        meanings,
        tuple(domains),
        called,
        _signs(domains, "called", "names", "datasets"),
        _signs(domains, "not"),
        stems,
        tuple(read["networks"]),
    )


def _signs(domains: Mapping[str, Mapping[str, list[str]]], *kinds: str) -> Signs:
    """Return what these lists of all domains hold, as words, with the domains that say so."""
    found: dict[Words, tuple[str, ...]] = {}
    for domain, lists in domains.items():
        for sign in (each for kind in kinds for each in lists.get(kind, ())):
            words = tuple(RUN.findall(sign.lower()))
            if domain not in (told := found.get(words, ())):
                found[words] = (*told, domain)
    return found
