"""Take from a hub that is asked live what a question needs, and no page more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .registry.entry import Entry, Query
from .registry.filters import filters, left_out
from .registry.index.ranking import points_of
from .registry.index.rows import row_of
from .registry.index.spelling import asked_for
from .registry.index.words import terms_of
from .registry.licences import Licence
from .registry.search import Words


def until_enough(
    entries: Iterable[Entry], query: Query, licences: Mapping[str, Licence], memory_bytes: int
) -> Iterator[Entry]:
    """Give entries as they come, until as many as are asked for fit."""
    wanted, fit = filters(query, licences, memory_bytes), 0
    for entry in entries:
        yield entry
        fit += left_out(entry, wanted) is None and _is_found(query.words, entry)
        if fit == query.limit:
            return


def _is_found(words: str, entry: Entry) -> bool:
    """Return whether an entry has words that are asked for, or begin so; none is mended."""
    row = row_of(entry)
    terms = terms_of(row)
    asked = asked_for(words, Words([terms]))
    as_said = (
        each.startswith(said.rstrip("*")) for said, meant in asked.taken.items() for each in meant
    )
    return all(as_said) and points_of(asked, row, frozenset(terms.split())) is not None
