"""`hubtl verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import Column, FileColumn, HubName, Json, Label, SplitColumn, Text, columns
from .publish import say_proof

EXAMPLES = (
    "hubtl verify acme/sections --hub folder:shelf",
    "hubtl verify acme/sections --hub folder:shelf --data examples/debian-sections.csv",
)


def command(
    model: Annotated[str, typer.Argument(metavar="ORG/NAME[@REV]", help="A published adapter.")],
    data: Annotated[
        Path | None, typer.Option(metavar="TEST", help="Labelled rows to judge by.")
    ] = None,
    text: Text = None,
    label: Label = None,
    file: FileColumn = None,
    split: SplitColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Prove a published adapter again: load it in a clean process, compare what it says."""
    with screen.progress() as progress:
        done = hubtl.verify(
            model,
            data=data,
            columns=columns(text, label, file, split, column),
            hub=hub,
            progress=progress,
        )
    if as_json:
        screen.say_json(done.as_json())
        return
    say_proof(done)
    changed = ", ".join(f"{what} {a} -> {b}" for what, (a, b) in done.environment.items())
    screen.say(f"since     {changed or 'nothing changed'}; the same adapter, the same base")
    screen.say(f"verified  {done.address} at {done.commit[:7]}")
