"""`hubtl catalog`: what is in it; what changes it is in `catalog_verbs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import screen
from .catalog_verbs import VERBS as VERBS
from .catalog_verbs import check as check_file
from .options import Json

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
    from hubtl.registry.catalog import OURS, catalogue

    known = catalogue()
    if domains:
        _listed(("DOMAIN", "WHAT BELONGS TO IT"), known.domains, as_json, "domains")
    elif licences:
        told = {
            name: ", ".join(
                word
                for word, fact in (
                    ("commercial use", each.commercial),
                    ("adapters", each.derivatives),
                    ("same licence asked", each.share_alike),
                    ("notice asked", each.notice),
                    ("limits on use", each.use_limits),
                    ("limits on outputs", each.output_limits),
                )
                if fact
            )
            or "not known"
            for name, each in known.licences.items()
        }
        _listed(("LICENCE", "ALLOWS AND ASKS"), told, as_json, "licences")
    elif tasks:
        counts: dict[str, int] = {}
        for entry in known.entries:
            for task in entry.tasks:
                counts[task] = counts.get(task, 0) + 1
        listed = {task: str(count) for task, count in sorted(counts.items())}
        _listed(("TASK", "BASES"), listed, as_json, "tasks")
    elif as_json:
        entries = [
            {**e.as_json(), "source": list(e.source), "date": e.date, "origin": known.origin(e.id)}
            for e in known.entries
        ]
        screen.say_json({"date": known.date, "entries": entries})
    else:
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
