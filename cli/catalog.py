"""`hubtl catalog`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubtl.registry.errors import BadData, UnknownName

from . import screen
from .options import Json

EXAMPLES = ("hubtl catalog", "hubtl catalog --domains", "hubtl catalog --check catalog.yaml")


def command(
    domains: Annotated[bool, typer.Option("--domains", help="The vocabulary of domains.")] = False,
    licences: Annotated[bool, typer.Option("--licences", help="What each licence allows.")] = False,
    tasks: Annotated[bool, typer.Option("--tasks", help="The tasks, and how many bases.")] = False,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Check a catalogue.")] = None,
    as_json: Json = False,
) -> None:
    """List the curated bases, the domains or the licences, or check a catalogue of your own."""
    from hubtl.registry.catalog import catalogue

    if check:
        _check(check, as_json)
        return
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
        entries = [{**e.as_json(), "source": list(e.source), "date": e.date} for e in known.entries]
        screen.say_json({"date": known.date, "entries": entries})
    else:
        rows = [
            (e.id, ", ".join(e.domains), e.licence or "", screen.params(e.params), e.about)
            for e in known.entries
        ]
        screen.table(("MODEL", "DOMAINS", "LICENCE", "PARAMS", "ABOUT"), rows, numbers=("PARAMS",))
        screen.note(f"{len(rows)} models of {known.date}; each one's sources: `hubtl show ID`")


def _listed(titles: tuple[str, str], found: object, as_json: bool, name: str) -> None:
    pairs = dict(found)  # type: ignore[call-overload]
    if as_json:
        screen.say_json({name: pairs})
    else:
        screen.table(titles, list(pairs.items()))


def _check(path: Path, as_json: bool) -> None:
    from hubtl.registry.catalog import mistakes_in

    if not path.is_file():
        raise UnknownName(f"there is no file `{path}`", "check the path")
    mistakes = list(mistakes_in(path.read_text(encoding="utf-8", errors="replace")))
    if as_json:
        screen.say_json({"file": str(path), "mistakes": mistakes})
    if mistakes:
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise BadData(f"`{path}` has {len(mistakes)} mistakes:\n{lines}", "mend them, check again")
    if not as_json:
        screen.say(f"{path} is a good catalogue")
