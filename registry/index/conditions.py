"""What a query asks for beside its words, as questions of FTS5's and conditions of SQL's.

There is one for each filter of `registry.filters`, of the same name; a test holds them to one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..entry import Query
from ..licences import Licence
from ..memory import MODALITIES, largest, modality
from ..trust import GATED, SAFE
from ..trust import REFUSED as NEVER_LOADED
from .rows import Row
from .words import REFUSED, UNKNOWN, mark, size_class

WHATEVER = len(MODALITIES)  # of an adapter, whose size does not tell what it takes
NO_LIMIT = 2**62


class Condition(NamedTuple):
    """Terms one of which an entry must have, a term that it must not, and a condition of SQL's."""

    terms: tuple[str, ...] = ()
    unlike: str = ""
    sql: str = ""


ANYTHING = Condition((mark("kind", "base"), mark("kind", "adapter")))
LOADABLE = Condition(unlike=mark("trust", REFUSED))


def conditions(query: Query, licences: Mapping[str, Licence], memory: int) -> dict[str, Condition]:
    """Return the conditions of a query by the names of its filters."""
    facts = ("kind", "task", "domain", "language", "base", "organisation", "licence")
    found = {
        fact: Condition((mark(fact, wanted),)) for fact in facts if (wanted := getattr(query, fact))
    }
    if query.allows:
        fine = [name for name, each in licences.items() if getattr(each, query.allows)]
        found["allows"] = Condition(tuple(mark("licence", name) for name in fine) or ("none",))
    found |= {fact: Condition(unlike=mark("trust", fact)) for fact in NEVER_LOADED}
    if query.trusted:
        found["unknown"] = Condition((mark("trust", SAFE),))
        found["gated"] = Condition(unlike=mark("trust", GATED))
    if query.max_params is not None:
        found["params"] = Condition(unlike=mark("params", UNKNOWN))
        sql = f"entry.params <= {query.max_params:d}"
        found["max_params"] = Condition(tuple(_sizes(query.max_params)), sql=sql)
    if query.fits:
        found["fits"] = _fits(query.recipe, memory)
    return found


def together(asked: Mapping[str, Condition]) -> list[Condition]:
    """Return conditions for entries that pass all; what is never loaded has one mark for it."""
    return [LOADABLE, *(each for name, each in asked.items() if name not in NEVER_LOADED)]


def takes_in(row: Row) -> int:
    """Return by which limit of memory a row is judged, as a number."""
    return WHATEVER if row.kind == "adapter" else _modality(row.tasks or "")


@functools.lru_cache(maxsize=4096)
def _modality(tasks: str) -> int:
    return MODALITIES.index(modality(tasks.split("\n")))


def match(places: Iterable[str], asked: Sequence[Condition]) -> str:
    """Return FTS5's question for words in places, under conditions."""
    wanted = [*places, *(any_of(each.terms) for each in asked if each.terms)]
    unlike = [each.unlike for each in asked if each.unlike]
    question = " AND ".join(wanted or [any_of(ANYTHING.terms)])
    return f"({question}) NOT {any_of(unlike)}" if unlike else question


def any_of(terms: Iterable[str]) -> str:
    """Return FTS5's question for one of several terms."""
    return "({})".format(" OR ".join(f'"{term}"' for term in terms))


def _fits(method: str, memory: int) -> Condition:
    """Return the condition for what has no more parameters than memory is there for, if known."""
    found = [largest(each, method, memory) for each in MODALITIES]
    limits = [NO_LIMIT if each is None else each for each in found]
    if max(limits) == NO_LIMIT:
        return Condition()
    cases = " ".join(f"WHEN {number} THEN {most:d}" for number, most in enumerate(limits))
    limit = f"CASE entry.takes_in {cases} ELSE {NO_LIMIT} END"
    sql = f"(entry.params IS NULL OR entry.params <= {limit})"
    terms = (mark("kind", "adapter"), mark("params", UNKNOWN), *_sizes(max(limits)))
    return Condition(terms, sql=sql)


def _sizes(most: int) -> list[str]:
    return [mark("params", str(each)) for each in range(size_class(max(0, most)) + 1)]
