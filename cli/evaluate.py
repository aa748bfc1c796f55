"""`hubtl evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

import hubtl

from . import screen
from .adapt import say_result
from .options import Column, Data, FileColumn, HubName, Json, Label, SplitColumn, Text, columns

EXAMPLES = (
    "hubtl evaluate adapted/debian-sections-probe examples/debian-sections.csv",
    "hubtl evaluate adapted/debian-sections-lora examples/debian-sections.csv "
    "--against adapted/debian-sections-probe",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="FOLDER|ID", help="What `adapt` wrote, or ORG/NAME on a hub.")
    ],
    data: Data,
    against: Annotated[
        str | None, typer.Option(metavar="OTHER", help="Another, on the same rows.")
    ] = None,
    text: Text = None,
    label: Label = None,
    file: FileColumn = None,
    split: SplitColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Judge an adapted model on rows: metrics with intervals, and a paired test against another."""
    with screen.progress() as progress:
        found = hubtl.evaluate(
            model,
            data,
            against=against,
            columns=columns(text, label, file, split, column),
            hub=hub,
            progress=progress,
        )
    if as_json:
        screen.say_json(found.as_json())
        return
    screen.note(f"{found.rows['test']} rows of {data}: {found.how}")
    say_result(found.as_json())
    if found.against:
        gap = found.against["difference"]
        clear = "a difference" if gap["low"] > 0 or gap["high"] < 0 else "no clear difference"
        screen.say(
            f"\nagainst {against}: {gap['value']:+.3f} {gap['metric']} "
            f"({gap['low']:+.3f} to {gap['high']:+.3f}): {clear}"
        )
