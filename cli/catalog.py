"""`hubtl catalog`: what is in it; what changes it is in `catalog_verbs`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import screen
from .catalog_verbs import VERBS as VERBS
from .catalog_verbs import check as check_file
from .options import Json

if TYPE_CHECKING:
    from hubtl.registry.catalog import Catalogue
    from hubtl.registry.licences import Licence

EXAMPLES = (
    "hubtl catalog",
    "hubtl catalog --domains",
    "hubtl catalog add intfloat/multilingual-e5-small --domain support",
    "hubtl catalog check",
)


def command(
    context: typer.Context,
    domains: Annotated[bool, typer.Option("--domains", help="The vocabulary of domains.")] = False,
    licences: Annotated[bool, typer.Option("--licences", help="What each licence allows.")] = False,
    tasks: Annotated[bool, typer.Option("--tasks", help="The tasks, and how many bases.")] = False,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Check a catalogue.")] = None,
    as_json: Json = False,
) -> None:
    """List the curated bases, the domains or the licences; look after your team's own."""
    if context.invoked_subcommand:
        return
    if check:
        check_file(check, as_json=as_json)
        return
    from hubtl.registry.catalog import catalogue

    known = catalogue()
    if domains:
        _listed(("DOMAIN", "WHAT BELONGS TO IT"), known.domains, as_json, "domains")
    elif licences:
        told = {name: _terms(each) for name, each in known.licences.items()}
        _listed(("LICENCE", "ALLOWS AND ASKS"), told, as_json, "licences")
    elif tasks:
        counts = Counter(task for entry in known.entries for task in entry.tasks)
        listed = {task: str(count) for task, count in sorted(counts.items())}
        _listed(("TASK", "BASES"), listed, as_json, "tasks")
    elif as_json:
        entries = [
            {**e.as_json(), "source": list(e.source), "date": e.date, "origin": known.origin(e.id)}
            for e in known.entries
        ]
        screen.say_json({"date": known.date, "entries": entries})
    else:
        _say(known)


def _terms(licence: Licence) -> str:
    """Return what a licence is known to allow, to ask and to limit."""
    facts = (
        ("commercial use", licence.commercial),
        ("adapters", licence.derivatives),
        ("same licence asked", licence.share_alike),
        ("notice asked", licence.notice),
        ("limits on use", licence.use_limits),
        ("limits on outputs", licence.output_limits),
    )
    return ", ".join(word for word, fact in facts if fact) or "not known"


def _say(known: Catalogue) -> None:
    """Print the entries, and where those of the team are from."""
    from hubtl.registry.catalog import OURS

    rows = [
        (
            e.id,
            ", ".join(e.domains),
            e.licence or "",
            screen.params(e.params),
            "hubtl" if known.origin(e.id) == OURS else "team",
            e.about,
        )
        for e in known.entries
    ]
    titles = ("MODEL", "DOMAINS", "LICENCE", "PARAMS", "FROM", "ABOUT")
    screen.table(titles, rows, numbers=("PARAMS",))
    screen.note(f"{len(rows)} models of {known.date}; each one's sources: `hubtl show ID`")
    for file in dict.fromkeys(known.origins.values()):
        screen.note(f"team: {file}")


def _listed(titles: tuple[str, str], found: object, as_json: bool, name: str) -> None:
    pairs = dict(found)  # type: ignore[call-overload]
    if as_json:
        screen.say_json({name: pairs})
    else:
        screen.table(titles, list(pairs.items()))
