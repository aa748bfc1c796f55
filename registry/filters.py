"""What a query asks for beside its words, and what is said of entries that lack it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .entry import Entry, LeftOut, Query
from .licences import Licence
from .memory import MODALITIES, largest, modality, needed
from .trust import GATED, REFUSED, SAFE

USES = {"commercial": "commercial use", "derivatives": "derivatives"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries pass, why another does not, and what those are counted as together."""

    name: str
    counted: str
    passes: Callable[[Entry], bool]
    why: Callable[[Entry], str]


def filters(query: Query, licences: Mapping[str, Licence], memory: int) -> list[Filter]:
    """Return the filters of a query, in the order in which they are asked; `memory` is free."""
    return [*_wanted(query), *_licensed(query, licences), *_trusted(query), *_sized(query, memory)]


def left_out(entry: Entry, asked: Sequence[Filter]) -> Filter | None:
    """Return the first filter that an entry does not pass, or None."""
    return next((each for each in asked if not each.passes(entry)), None)


def told(lacking: Iterable[tuple[Entry, Filter]], asked: Sequence[Filter]) -> tuple[LeftOut, ...]:
    """Return why entries are left out; first come those that pass the most filters."""
    order = {each.name: number for number, each in enumerate(asked)}
    nearest = sorted(lacking, key=lambda each: -order[each[1].name])
    return tuple(LeftOut(entry.id, lacks.why(entry)) for entry, lacks in nearest)


def reasons(counts: Mapping[str, int], asked: Sequence[Filter]) -> dict[str, int]:
    """Return how many each filter leaves out, by its words; the last filter comes first."""
    return {each.counted: n for each in reversed(asked) if (n := counts.get(each.name, 0)) > 0}


def marks(entry: Entry, query: Query) -> tuple[str, ...]:
    """Return what a user should know of an entry that is found all the same."""
    found = ["gated: its terms must be accepted first"] if GATED in entry.trust else []
    if query.fits and needed(entry, query.recipe) is None:
        found.append("not known to fit")
    return tuple(found)


def _wanted(query: Query) -> Iterator[Filter]:
    """Give the filters for what a model is."""
    if query.kind:
        other, many = ("a base", "bases") if query.kind == "adapter" else ("an adapter", "adapters")
        yield Filter("kind", many, lambda e: e.kind == query.kind, lambda e: f"it is {other}")
    if query.task:
        yield _having("task", query.task, f"not for {query.task}", lambda e: e.tasks)
    if query.domain:
        said = f"not of the domain {query.domain}"
        yield _having("domain", query.domain, said, lambda e: e.domains)
    if query.language:
        said = f"not for `{query.language}`"
        yield _having("language", query.language, said, lambda e: e.languages)
    if query.base:
        yield _having("base", query.base, f"not made from {query.base}", lambda e: tuple(e.parents))
    if query.organisation:
        said = f"not of {query.organisation}"
        yield _having("organisation", query.organisation, said, lambda e: (e.organisation,))


def _licensed(query: Query, licences: Mapping[str, Licence]) -> Iterator[Filter]:
    """Give the filters for what a licence is and allows."""
    if query.licence:
        wanted = query.licence.casefold()
        yield Filter(
            "licence",
            f"another licence than {query.licence}",
            lambda entry: (entry.licence or "").casefold() == wanted,
            lambda entry: f"licence {entry.licence or 'unknown'}",
        )
    if query.allows:
        use = query.allows
        fine = {name.casefold() for name, each in licences.items() if getattr(each, use)}
        yield Filter(
            "allows",
            f"licence not known to allow {USES.get(use, use)}",
            lambda entry: (entry.licence or "").casefold() in fine,
            lambda entry: f"licence {entry.licence or 'unknown'} is not known to allow {use}",
        )


def _trusted(query: Query) -> Iterator[Filter]:
    """Give the filters for what can never be loaded, and for what nobody vouches for."""
    yield from (_without(fact, fact, said) for fact, said in REFUSED.items())
    if query.trusted:
        yield _plain("unknown", "not known to have safetensors", lambda entry: SAFE in entry.trust)
        yield _without("gated", GATED, "gated")


def _sized(query: Query, memory: int) -> Iterator[Filter]:
    """Give the filters for how large a model is; one of unknown size may still fit."""
    most = query.max_params
    if most is not None:
        yield _plain("params", "parameters unknown", lambda entry: entry.params is not None)
        yield Filter(
            "max_params",
            "too large",
            lambda entry: entry.params is not None and entry.params <= most,
            lambda entry: f"{entry.params:,} parameters",
        )
    if query.fits:
        room = {each: largest(each, query.recipe, memory) for each in MODALITIES}

        def fits(entry: Entry) -> bool:
            limit = room[modality(entry.tasks)]
            return needed(entry, query.recipe) is None or limit is None or entry.params <= limit  # type: ignore[operator]

        def why(entry: Entry) -> str:
            gigabytes = (needed(entry, query.recipe) or 0) / 1e9
            return f"too large: `{query.recipe}` takes about {gigabytes:.1f} GB of memory"

        yield Filter("fits", f"too large for `{query.recipe}` in this memory", fits, why)


def _having(
    name: str, wanted: str, said: str, has: Callable[[Entry], tuple[str | None, ...]]
) -> Filter:
    """Return a filter for entries that have a fact, whatever its case."""
    low = wanted.casefold()
    return _plain(name, said, lambda entry: low in {(each or "").casefold() for each in has(entry)})


def _without(name: str, fact: str, said: str) -> Filter:
    """Return a filter for entries of whose trust a fact is not known."""
    return _plain(name, said, lambda entry: fact not in entry.trust)


def _plain(name: str, said: str, passes: Callable[[Entry], bool]) -> Filter:
    """Return a filter that says the same of each entry as of all."""
    return Filter(name, said, passes, lambda entry: said)
