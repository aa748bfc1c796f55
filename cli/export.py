"""`hubtl export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl
from hubtl.registry.exported import alike

from . import screen
from .options import Column, FileColumn, HubName, Json, Text, columns

EXAMPLES = (
    "hubtl export adapted/debian-sections-lora --format merged",
    "hubtl export adapted/debian-sections-probe --format onnx --out sections-onnx",
    "hubtl export acme/sections --hub folder:shelf --format onnx "
    "--data examples/debian-sections.csv",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="FOLDER|ID", help="What `adapt` wrote, or ORG/NAME on a hub.")
    ],
    format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="merged: one whole model; onnx: a graph for onnxruntime; or a plugin's.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder to write; else exported/NAME-FORMAT."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Rows to compare on; else the folder's test rows."),
    ] = None,
    text: Text = None,
    file: FileColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Write an adapted model in another form, done once it says what the adapter says."""
    with screen.progress() as progress:
        done = hubtl.export(
            model,
            format=format,
            out=out,
            data=data,
            columns=columns(text, None, file, None, column),
            hub=hub,
            progress=progress,
        )
    if as_json:
        screen.say_json(done.as_json())
        return
    compared = done.made.compared
    screen.say(f"compared  {compared['on']}: {alike(compared)}")
    screen.say(f"exported  {done.folder}, {screen.size(sum(done.sizes.values()))}")
