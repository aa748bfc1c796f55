"""Answer a question from the index and from what is known without it, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..comparing import comparable
from ..entry import Counted, Entry, Found, Query
from ..filters import filters, left_out, marks, reasons, told
from ..licences import Licence
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
    among the first that the words find in the index; they are counted among all.
    """
    ours = [_told_more(entry, index) for entry in known]
    ids = {entry.id.casefold() for entry in ours}
    hits = index.search(
        replace(query, limit=query.limit + len(ids)), licences, memory_bytes=memory_bytes
    )
    asked, wanted = index.asked(query.words), filters(query, licences, memory_bytes)
    given = [(points(asked, entry), entry) for entry in ours]
    fit = [(n, each) for n, each in given if n is not None and not left_out(each, wanted)]
    found = [entry for entry in hits.entries if entry.id.casefold() not in ids]
    fit += [(points(asked, entry) or 0, entry) for entry in found]
    fit.sort(key=lambda each: -each[0])
    entries = tuple(entry for _, entry in fit[: query.limit])
    others = [entry for n, entry in given if n is not None]
    best = index.best(query.words, query.limit + len(ids))
    others += [entry for entry in best if entry.id.casefold() not in ids]
    lacking = [(entry, lacks) for entry in others if (lacks := left_out(entry, wanted))]
    counted = index.counted(query, licences, memory_bytes=memory_bytes, without=ids)
    counts = Counter(counted.by_filter)
    counts.update(lacks.name for entry, lacks in lacking if entry.id.casefold() in ids)
    new = sum(not index.entries_called(entry.id) for entry in ours)
    return Found(
        entries,
        told(lacking, wanted),
        hits.searched + new,
        hits.date,
        comparable=tuple(tuple(entry.id for entry in group) for group in comparable(entries)),
        meant=hits.meant,
        counted=Counted(reasons(counts, wanted), counted.first),
        marks={entry.id: more for entry in entries if (more := marks(entry, query))},
    )


def _told_more(entry: Entry, index: Index) -> Entry:
    """Return an entry with the downloads that the index has of its model."""
    if entry.downloads is not None:
        return entry
    downloads = [each.downloads for each in index.entries_called(entry.id)]
    return replace(entry, downloads=max((each for each in downloads if each), default=None))
