"""`hubtl evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

import hubtl
from hubtl.results import worded

from . import screen
from .adapt import say_result
from .options import Column, Data, FileColumn, HubName, Json, Label, SplitColumn, Text, columns

MOST_CLASSES = 20  # that fit a screen
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
    slice_by: Annotated[
        str | None, typer.Option("--slice", metavar="COLUMN", help="Judge each of its values too.")
    ] = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Judge an adapted model on rows: metrics with intervals, classes, a test against another."""
    with screen.progress() as progress:
        found = hubtl.evaluate(
            model,
            data,
            against=against,
            columns=columns(text, label, file, split, column),
            slice_by=slice_by,
            hub=hub,
            progress=progress,
        )
    if as_json:
        screen.say_json(found.as_json())
        return
    screen.note(f"{found.rows['test']} rows of {data}: {found.how}")
    say_result(found.as_json())
    _say_judgement(found.judgement)
    if found.slices:
        _say_slices(found.slices, found.facts.main_metric)
    if found.against:
        gap = found.against["difference"]
        from hubtl.registry.comparing import figure

        names = ("value", "low", "high")
        told, low, high = (figure(gap["metric"], gap[name], "+") for name in names)
        clear = "a difference" if gap["low"] > 0 or gap["high"] < 0 else "no clear difference"
        screen.say(f"\nagainst {against}: {told} {gap['metric']} ({low} to {high}): {clear}")


def _say_judgement(found: Mapping[str, Any]) -> None:
    """Print how each class does, what is taken for what most often, and the calibration."""
    if 0 < len(found["classes"]) <= MOST_CLASSES:
        screen.say()
        figures = ("precision", "recall", "f1")
        rows = [
            (each["label"], str(each["support"]), *(_figure(each[name]) for name in figures))
            for each in found["classes"]
        ]
        screen.table(("class", "rows", *figures), rows, numbers=("rows",))
    if found["confusion"]:
        screen.say("\nmost often taken for another:")
        for pair in found["confusion"][:3]:
            true, said = worded(pair["true"]), worded(pair["label"])
            screen.say(f"  {true} said to be {said}: {pair['rows']} rows")
    if found["calibration"]["ece"] is not None:
        told = found["calibration"]
        screen.say(
            f"\ncalibration error {told['ece']:.3f}: {told['confidence']:.0%} sure on average, "
            f"{told['accuracy']:.0%} right"
        )


def _figure(value: dict[str, float] | None) -> str:
    return screen.interval(value) if value else "nothing to count"


def _say_slices(slices: Mapping[str, Any], metric: str) -> None:
    """Print the main metric of each value of a column, the worst first."""
    few = len(slices["left_out"])
    left_out = f"; {few} values of fewer than ten rows are left out" if few else ""
    screen.say(f"\nby {slices['column']}{left_out}")
    if slices["values"]:
        rows = [
            (
                each["value"] or "(empty)",
                str(each["rows"]),
                screen.interval(each["metrics"][metric], metric),
            )
            for each in slices["values"]
        ]
        screen.table((slices["column"], "rows", metric), rows, numbers=("rows",))
