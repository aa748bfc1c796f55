"""Take from a hub that is asked live what a question needs, and no page more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .registry.entry import Entry, Query
from .registry.licences import Licence
from .registry.search import relevance, why_not


def until_enough(
    entries: Iterable[Entry], query: Query, licences: Mapping[str, Licence], memory_bytes: int
) -> Iterator[Entry]:
    """Give entries as they come, until as many as are asked for fit."""
    fit = 0
    for entry in entries:
        yield entry
        found = relevance(entry, query.words) > 0
        fit += found and why_not(entry, query, licences, memory_bytes) is None
        if fit == query.limit:
            return
