"""Which models are ranked: those named, or those that a search finds; and why others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .fitting import check_query, with_memory
from .plugins.hookspecs import Source
from .plugins.manager import plugins
from .registry.catalog import catalogue
from .registry.entry import Entry, Found, LeftOut, Query, split_revision
from .registry.errors import BadOption, HubtlError, UnknownName, Unreachable
from .registry.filters import Filter, filters, left_out
from .registry.places import models, setting
from .sources import find_model, open_hub, search_models, told_more

LIMIT = 20  # of candidates that a search finds
NOT_HERE = "not on this machine: `hubtl pull` brings it, or name it with --candidates"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to rank; `known` is what a search or the catalogue tells of it.

    `found` is where it is, if it was asked for; `hub` is where to ask.
    """

    name: str
    known: Entry
    hub: str | None = None
    found: tuple[Source, Entry] | None = None

    @property
    def id(self) -> str:
        """What it is told by: its id, and the revision where one was asked for."""
        revision = split_revision(self.name)[1]
        return f"{self.known.id}@{revision}" if revision else self.known.id

    def there(self) -> tuple[Source, Entry]:
        """Return the hub that has it, and its entry there; raises UnknownName and Unreachable."""
        return self.found or find_model(self.name, self.hub)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The models to rank, those that can't be asked for, and those that were left out."""

    all: tuple[Candidate, ...]
    failed: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...]


def find_candidates(named: Sequence[str], query: Query, hub: str | None) -> Candidates:
    """Return the models named, else those of a hub or a search, else those that are here.

    Raises UnknownName for a name that no model has, and where there is none to rank; and what a
    query raises.
    """
    check_query(query)
    if named and query.words:
        raise BadOption("--candidates names models and --query looks for them", "say one of both")
    if named:
        found = _named(named, replace(query, task=None), hub)
    elif query.words or hub:
        found = _of_search(search_models(query, hub), query, hub)
    else:
        found = _here(query)
    if found.all or found.failed:
        return found
    if found.left_out:
        first = found.left_out[0]
        why = f"no model is left to rank; of {len(found.left_out)} left out the first is "
        raise UnknownName(f"{why}`{first.id}`: {first.why}", _hint(query))
    raise UnknownName(f"there is no model for `{query.task}` to rank", _hint(query))


def _hint(query: Query) -> str:
    return f"name some: --candidates ID, from `hubtl search --task {query.task}`; or --hub hf"


def _named(named: Sequence[str], query: Query, hub: str | None) -> Candidates:
    """Return the models named, as far as the filters let them pass."""
    asked = _filters(query)
    all_: dict[str, Candidate] = {}
    failed, without = list[LeftOut](), list[LeftOut]()
    for name in dict.fromkeys(named):
        try:
            source, entry = find_model(name, hub)
        except Unreachable as error:
            failed.append(LeftOut(name, error.message))
            continue
        known = told_more(entry)
        if lacks := left_out(known, asked):
            without.append(LeftOut(entry.id, lacks.why(known)))
        else:
            candidate = Candidate(name, known, hub, (source, entry))
            all_.setdefault(candidate.id, candidate)
    return Candidates(tuple(all_.values()), tuple(failed), tuple(without))


def _of_search(found: Found, query: Query, hub: str | None) -> Candidates:
    """Return what a search found; a model for another task is not said to be left out."""
    for_others = f"not for {query.task}"
    without = tuple(each for each in found.left_out if each.why != for_others)
    all_ = tuple(Candidate(entry.id, entry, hub) for entry in found.entries)
    return Candidates(all_, (), without)


def _here(query: Query) -> Candidates:
    """Return the models that need no network: starters, those pulled, and other hubs' here."""
    found: dict[str, Candidate] = {}
    without: dict[str, LeftOut] = {}
    failed: list[LeftOut] = []
    for hub in _hubs_here():
        try:
            of_hub = _of_search(search_models(query, hub), query, hub)
        except HubtlError as error:
            failed.append(LeftOut(f"the hub {hub}", error.message))
            continue
        for each in of_hub.all:
            found.setdefault(each.known.id.casefold(), each)
        without |= {each.id.casefold(): each for each in of_hub.left_out}
    asked = _filters(query)
    for entry in catalogue().entries:
        if entry.id.casefold() not in found.keys() | without.keys() and not left_out(entry, asked):
            without[entry.id.casefold()] = LeftOut(entry.id, NOT_HERE)
    some = tuple(found.values())[: query.limit]
    return Candidates(some, tuple(failed), tuple(without.values()))


def _hubs_here() -> Iterator[str]:
    """Give the hubs that need no network."""
    here = (n for n, hub in plugins().hubs.items() if not getattr(hub, "needs_network", False))
    yield from sorted(here, key=lambda name: name != "starter")
    if models().is_dir():
        yield f"folder:{models()}"
    hub = setting("hub")
    if hub and hub not in plugins().hubs and not getattr(open_hub(hub), "needs_network", False):
        yield hub


def _filters(query: Query) -> list[Filter]:
    query, memory = with_memory(query)
    return filters(query, catalogue().licences, memory)


def none_judged(failed: Sequence[LeftOut], task: str) -> Unreachable:
    """Return the error for candidates none of which could be judged: the first one's reason."""
    first = failed[0]
    return Unreachable(
        f"none of {len(failed)} candidates could be judged; `{first.id}`: {first.why}",
        f"name others: --candidates ID, from `hubtl search --task {task}`",
    )


def told(error: BaseException) -> str:
    """Return in a line why a candidate could not be judged."""
    if isinstance(error, HubtlError):
        return error.message
    if isinstance(error, MemoryError):
        return "there is too little memory"
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}"
