"""Answer a question from the index and from what is known without it, as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..comparing import comparable
from ..entry import Entry, Found, LeftOut, Query
from ..licences import Licence
from ..search import why_not
from .ranking import points
from .reading import Index


def answered(
    index: Index,
    known: Iterable[Entry],
    query: Query,
    licences: Mapping[str, Licence],
    *,
    memory_bytes: int = 0,
) -> Found:
    """Return what a query finds, best first, in an index and among entries known besides.

    Of a model that both know, the entry known besides counts, with downloads as the index has them.
    Left out are those of these entries that the words find and a filter excludes, and such ones
    among the first that the words find in the index.
    """
    ours = [_told_more(entry, index) for entry in known]
    ids = {entry.id.casefold() for entry in ours}
    hits = index.search(
        replace(query, limit=query.limit + len(ids)), licences, memory_bytes=memory_bytes
    )
    best = index.search(Query(query.words, limit=query.limit + len(ids)))
    asked = index.asked(query.words)
    found = [entry for entry in ours if points(asked, entry) is not None]
    left = {entry.id: why_not(entry, query, licences, memory_bytes) for entry in found}
    fit = [entry for entry in found if not left[entry.id]]
    fit += [entry for entry in hits.entries if entry.id.casefold() not in ids]
    fit.sort(key=lambda entry: -(points(asked, entry) or 0))
    ids |= {entry.id.casefold() for entry in hits.entries}
    for entry in best.entries:
        if entry.id.casefold() not in ids:
            left[entry.id] = why_not(entry, query, licences, memory_bytes)
    fit = fit[: query.limit]
    new = sum(not index.entries_called(entry.id) for entry in ours)
    return Found(
        tuple(fit),
        tuple(LeftOut(model, why) for model, why in left.items() if why),
        hits.searched + new,
        hits.date,
        comparable=tuple(tuple(entry.id for entry in group) for group in comparable(fit)),
        meant=hits.meant,
    )


def _told_more(entry: Entry, index: Index) -> Entry:
    """Return an entry with the downloads that the index has of its model."""
    if entry.downloads is not None:
        return entry
    downloads = [each.downloads for each in index.entries_called(entry.id)]
    return replace(entry, downloads=max((each for each in downloads if each), default=None))
