"""`hubtl predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import hubtl
from hubtl.registry.errors import BadOption

from . import screen
from .options import Column, FileColumn, HubName, Json, Text, columns

EXAMPLES = (
    'hubtl predict adapted/debian-sections-probe "a fast text editor" "chess against the computer"',
    "hubtl predict adapted/debian-sections-probe --data examples/debian-sections.csv --json",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="FOLDER|ID", help="What `adapt` wrote, or ORG/NAME on a hub.")
    ],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="[INPUT]...", help="Texts.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="TABLE", help="Every row of a file.")] = None,
    text: Text = None,
    file: FileColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Predict a label and its probability for each input, in order."""
    if data and inputs:
        raise BadOption("inputs were given twice: as arguments and by --data", "give one of them")
    with screen.progress() as progress:
        asked = list(inputs or ())
        if data:
            from hubtl.evaluation import inputs_of

            asked = inputs_of(model, data, columns(text, None, file, None, column), hub, progress)
        found = hubtl.predict(model, asked, hub=hub, progress=progress)
    if as_json:
        keys = ("input", "label", "score", "scores")
        screen.say_json({"predictions": [{key: getattr(p, key) for key in keys} for p in found]})
        return
    screen.table(
        ("LABEL", "SCORE", "INPUT"),
        [(_written(p.label), f"{p.score:.3f}", p.input.replace("\n", " ")[:80]) for p in found],
        numbers=("SCORE",),
    )


def _written(label: Any) -> str:
    """Return a label as one text; a list of none is a dash."""
    return label if isinstance(label, str) else ", ".join(label) or "-"
