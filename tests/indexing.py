"""An index's answers, found the slow way: every entry is looked at by the plain function."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from hubtl.registry.entry import Entry, Query
from hubtl.registry.filters import filters, left_out
from hubtl.registry.index.construction import build
from hubtl.registry.index.ranking import Asked, points
from hubtl.registry.index.reading import Index
from hubtl.registry.index.rows import row_of
from hubtl.registry.index.words import terms_of, words_of
from hubtl.registry.licences import Licence

LICENCES = {
    "mit": Licence("mit", "MIT", True, True, False, True, ""),
    "cc-by-nc-4.0": Licence("cc-by-nc-4.0", "CC BY-NC", False, True, False, True, ""),
}

MEMORY = 10**9  # bytes that are free: room for some of the models that tests make, by some recipes


def listing(path: Path, entries: Iterable[Entry]) -> Path:
    """Return a file with a model a line, as a hub's listing is kept."""
    path.write_text("".join(f"{json.dumps(asdict(entry))}\n" for entry in entries), "utf-8")
    return path


def index_of(folder: Path, entries: Iterable[Entry]) -> Index:
    """Return an index of entries, built in a folder and open."""
    folder.mkdir(parents=True, exist_ok=True)
    build(folder, [listing(folder / "listing.jsonl", entries)])
    index = Index.at(folder)
    assert index is not None
    return index


def scanned(entries: Sequence[Entry], query: Query) -> list[str]:
    """Return the ids that an index should find, in its order: the first of equals comes first."""
    asked = asked_slowly(query.words, counted(entries))
    found = [
        (given, entry.id)
        for entry in last_of_each(entries)
        if fits(entry, query) and (given := points(asked, entry)) is not None
    ]
    return [model for _, model in sorted(found, key=lambda each: -each[0])[: query.limit]]


def last_of_each(entries: Iterable[Entry]) -> list[Entry]:
    """Return the last entry of each id and hub, in the order of these."""
    last: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        last.pop((entry.hub, entry.id), None)
        last[entry.hub, entry.id] = entry
    return list(last.values())


def counted(entries: Iterable[Entry]) -> Counter[str]:
    """Return in how many places of entries each word stands."""
    places: Counter[str] = Counter()
    for entry in last_of_each(entries):
        terms = set(terms_of(row_of(entry)).split())
        places.update(term[1:] for term in terms if term[0] in "abc" and term[1:2] != ":")
    return places


def asked_slowly(words: str, places: Counter[str]) -> Asked:
    """Return what words ask for, where those without a star stand in some entry or nearly do."""
    choices = {}
    for said in dict.fromkeys(words.replace("/", " ").split()):
        word = words_of(said)[0]
        begins = sorted((-n, each) for each, n in places.items() if each.startswith(word))[:16]
        whole = not said.endswith("*") or len(word) < 2
        choices[said] = (word,) if whole else tuple(each for _, each in begins) or (word,)
    return Asked(choices, words if words and " " not in words else "")


def fits(entry: Entry, query: Query) -> bool:
    """Return whether an entry has what a query's filters ask for."""
    return left_out(entry, filters(query, LICENCES, MEMORY)) is None
