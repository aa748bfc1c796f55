"""What was reached before, remembered when work is done and recalled before the next begins."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from .plugins.hookspecs import Destination
from .registry import places
from .registry.entry import Entry, Query
from .registry.errors import HubtlError, UnknownName
from .registry.facts import Facts
from .registry.ledger import Ledger, Scores
from .registry.past import Past, past_of, past_told, relevant
from .registry.places import setting
from .sources import open_hub

MOST = 200  # published adapters that are looked at: those that stand highest
PUBLIC = "hf"  # the hub of everybody, whose cards are not a team's own results


def remember(facts: Facts, *, folder: Path, address: str | None = None) -> None:
    """Keep what a job or a publication reached; the work is done, so failing is a warning."""
    try:
        past = past_of(facts, folder=str(folder.absolute()), address=address)
        Ledger(places.ledger()).note(past)
    except (HubtlError, OSError) as error:
        print(f"warning: this result is not kept for later: {error}", file=sys.stderr)


def recalled(
    task: str | None = None,
    *,
    domain: str | None = None,
    fingerprint: str | None = None,
    base: str | None = None,
) -> tuple[Past, ...]:
    """Return what was made here and what the team published, the most relevant first.

    Of published adapters those count that hubtl made and an index or a folder hub tells of: those
    of the setting `organisation`, else those of all hubs but the public one. Nobody is asked over
    a network. Raises Unreachable where the ledger or the index can't be read.
    """
    own = Ledger(places.ledger()).all()
    known = {each.address for each in own}
    query = Query("hubtl", kind="adapter", task=task, base=base, limit=MOST)
    told = [past for past in map(_told, _published(query)) if past is not None]
    team = [each for each in told if each.address not in known]
    return relevant([*own, *team], task, domain=domain, fingerprint=fingerprint, base=base)


def remember_scores(task: str, scores: Scores) -> None:
    """Keep what a ranking's scorers said; it is done, so failing is a warning."""
    try:
        Ledger(places.ledger()).note_scores(task, scores)
    except (HubtlError, OSError) as error:
        print(f"warning: these scores are not kept for later: {error}", file=sys.stderr)


def recalled_scores(task: str) -> Scores:
    """Return what scorers said here of bases for a task; raises Unreachable and Refused."""
    return Ledger(places.ledger()).scores(task)


def results_with(models: Iterable[str]) -> dict[str, int]:
    """Return how many results were kept here with each of these bases, of those that have any."""
    counts: Mapping[str, int] = {}
    try:
        counts = Ledger(places.ledger()).counts()
    except HubtlError as error:  # they are beside what was searched for
        print(f"warning: {error}", file=sys.stderr)
    return {model: counts[model] for model in models if model in counts}


def _published(query: Query) -> Iterable[Entry]:
    """Give the team's adapters that are known without a network."""
    from .registry.index.reading import Index

    organisation = setting("organisation")
    index = Index.at(places.index())
    if index:
        with index:
            found = index.search(query).entries
        yield from (each for each in found if _is_ours(each, organisation))
    hub = open_hub(str(setting("hub"))) if setting("hub") else None
    if hub and not getattr(hub, "needs_network", False):
        yield from (each for each in hub.search(query) if _is_ours(each, organisation))


def _is_ours(entry: Entry, organisation: str | None) -> bool:
    return entry.organisation == organisation if organisation else entry.hub != PUBLIC


def _told(entry: Entry) -> Past | None:
    """Return what a published adapter's card tells, at the address where its hub has it."""
    address = entry.id
    with contextlib.suppress(UnknownName):  # it was a plugin's, which is no longer installed
        hub = open_hub(entry.hub)
        address = hub.address(entry.id) if isinstance(hub, Destination) else entry.id
    return past_told(entry, address)
