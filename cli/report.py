"""`hubtl report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import Json

EXAMPLES = ("hubtl report adapted/debian-sections-probe",)


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `adapt` wrote.")],
    as_json: Json = False,
) -> None:
    """Write `report.html` of an adapted folder anew: a page to look at, which stays here."""
    written = hubtl.report(folder)
    if as_json:
        screen.say_json({"folder": str(folder), "report": str(written)})
        return
    screen.say(str(written))
