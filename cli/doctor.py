"""`hubtl doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from . import screen
from .options import Json

EXAMPLES = ("hubtl doctor",)
MARKS = {"good": "ok", "note": "note", "broken": "BROKEN"}


def command(as_json: Json = False) -> None:
    """Look at this machine: libraries, memory, disk, starter models, hub, token."""
    from hubtl.doctor import examine

    findings = examine()
    broken = any(finding.state == "broken" for finding in findings)
    if as_json:
        screen.say_json({"well": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(MARKS[f.state], f.what, f.how, f.hint) for f in findings]
        screen.table(("", "WHAT", "HOW IT IS", "WHAT TO DO"), rows)
    if broken:
        raise typer.Exit(1)
