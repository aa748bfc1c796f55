"""What was made from a model and what was made from that, over the index and the model's own hub.

Each step looks at what is nearest first and at no more than so many of them, and goes to no model
twice: names are strangers', and may go round in circles.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from .plugins.hookspecs import Hub
from .registry import places
from .registry.entry import Entry, Query
from .registry.errors import HubtlError
from .registry.index.reading import Index
from .sources import open_hub, search_models

NEAR, FAR = 20, 5  # of the model itself, and of each of those
MOST, DEPTH = 60, 6
LOOKED_AT = 100
EVERYTHING = 1_000_000


def descendants(
    entry: Entry, not_known: list[str], *, offline: bool = False
) -> tuple[tuple[Entry, ...], int]:
    """Return what was made from a model, and how many more there are than the nearest shown.

    Those with results come first. What can't be asked is told in `not_known`.
    """
    pool = [] if offline else _of_hub(entry, not_known)
    found: list[Entry] = []
    count = 0
    try:
        with Index.at(places.index()) or contextlib.nullcontext() as index:
            level, count = _nearest(entry.id, pool, index, NEAR)
            seen = {entry.id.casefold()}
            while level and len(found) < MOST:
                found += level
                seen |= {each.id.casefold() for each in level}
                below = [new for each in level for new in _nearest(each.id, pool, index, FAR)[0]]
                fresh = {new.id.casefold(): new for new in below}
                level = [new for name, new in fresh.items() if name not in seen]
    except HubtlError as error:
        not_known.append(f"what was made from `{entry.id}` is not all known: {error.message}")
    found = found[:MOST]
    return tuple(found), max(0, count - sum(_is_from(each, entry.id) for each in found))


def ancestors(entry: Entry, not_known: list[str]) -> tuple[Mapping[str, str | None], ...]:
    """Return what a model was made from, the nearest first, as far as cards and the index tell.

    Each tells by `relation` how that below it was made from it.
    """
    found: list[Mapping[str, str | None]] = []
    seen = {entry.id.casefold()}
    below: Entry | None = entry
    try:
        while below and below.base and below.base.casefold() not in seen and len(found) < DEPTH:
            seen.add(below.base.casefold())
            above = in_index(below.base)
            made = {"id": below.base, "revision": below.base_revision, "relation": below.relation}
            found.append({**made, "licence": above.licence if above else None})
            below = above
    except HubtlError as error:
        not_known.append(f"what `{entry.id}` was made from is not all known: {error.message}")
    return tuple(found)


def in_index(model: str) -> Entry | None:
    """Return what the index knows of a model, or None; raises Unreachable where it is spoilt."""
    index = Index.at(places.index())
    if index is None:
        return None
    with index:
        return next(iter(reversed(index.entries_called(model))), None)


def _nearest(
    model: str, pool: Sequence[Entry], index: Index | None, most: int
) -> tuple[list[Entry], int]:
    """Return what was made from a model, at most so many, and how many there are of it."""
    found = {each.id.casefold(): each for each in pool if _is_from(each, model)}
    count = 0
    if index:
        with index.moment():
            for words in ("hubtl", ""):  # those with results to show are not the most used ones
                for hit in index.search(Query(words, base=model, limit=5 * most)).entries:
                    found.setdefault(hit.id.casefold(), hit)
            count = index.count_made_from(model)
    found.pop(model.casefold(), None)
    listed = sorted(found.values(), key=lambda each: not each.metrics)
    return listed[:most], max(count, len(listed))


def _is_from(entry: Entry, model: str) -> bool:
    return model.casefold() in (each.casefold() for each in entry.parents)


def _of_hub(entry: Entry, not_known: list[str]) -> list[Entry]:
    """Return what the hub of an entry has of its kin: all it has, where that takes no network."""
    try:
        hub: Hub = open_hub(entry.hub)
        live = getattr(hub, "needs_network", False)
        asked = Query(base=entry.id, limit=LOOKED_AT) if live else Query(limit=EVERYTHING)
        found = list(search_models(asked, entry.hub).entries)
    except HubtlError as error:
        not_known.append(f"what was made from `{entry.id}` is not known: {error.message}")
        return []
    if live and len(found) >= LOOKED_AT:
        not_known.append(f"{entry.hub} was asked for {LOOKED_AT} of them, and there may be more")
    return found
