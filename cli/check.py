"""`hubtl check`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

import hubtl

from . import screen
from .options import (
    Column,
    Data,
    FileColumn,
    HubName,
    Json,
    Label,
    SplitColumn,
    Task,
    Test,
    Text,
    columns,
)

EXAMPLES = (
    "hubtl check text-classification examples/debian-sections.csv",
    "hubtl check image-classification examples/noto-emoji --json",
)
SHOWN = 5


def command(
    task: Task,
    data: Data,
    test: Test = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Doubt labels by this model's features, not a rival's."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of the task. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 0,
    text: Text = None,
    label: Label = None,
    file: FileColumn = None,
    split: SplitColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Say what is wrong with data: copies, leaks, doubtful labels, classes with too few rows."""
    from hubtl.job import options_from

    with screen.progress() as progress:
        found = hubtl.check(
            task,
            data,
            test=test,
            base=base,
            columns=columns(text, label, file, split, column),
            options=options_from(set_ or []),
            hub=hub,
            seed=seed,
            progress=progress,
        )
    if as_json:
        screen.say_json(found.as_json())
    else:
        _say(found)


def _say(found: hubtl.Checked) -> None:
    """Print what was found, the gravest first, and then what the data are like."""
    for each in found.findings:
        screen.say(f"{each.severity}: {each.what}")
        if each.rows:
            screen.say(f"  {_places(each)}")
        screen.say(f"  {each.hint}")
    grave = [each for each in found.findings if each.severity != "note"]
    if not grave:
        screen.say(f"nothing wrong was found{', only what is noted' if found.findings else ''}")
    chosen = ", ".join(f"{role} from `{name}`" for role, name in found.columns.items())
    rows = ", ".join(f"{count} {part}" for part, count in found.rows.items() if count)
    screen.say(f"\ncolumns  {chosen}")
    labels = f"; {len(found.labels)} labels" if found.labels else ""
    screen.say(f"rows     {rows}{labels}")
    for name, sizes in found.inputs.items():
        told = ", ".join(f"{at} {value:g}" for at, value in sizes.items())
        screen.say(f"{name:8} {told}")
    for name, counts in found.traits.items():
        told = ", ".join(f"{value} {count}" for value, count in list(counts.items())[:SHOWN])
        screen.say(f"{name:8} {told}{', …' if len(counts) > SHOWN else ''}")
    for line in found.not_checked:
        screen.note(f"not checked: {line}")


def _places(finding: hubtl.Finding) -> str:
    told = "; ".join(_place(row) for row in finding.rows[:SHOWN])
    more = len(finding.rows) - SHOWN
    return told + (f"; and {more} more: --json" if more > 0 else "")


def _place(row: Mapping[str, Any]) -> str:
    """Return where a row is, and what makes it one to look at."""
    if "like" in row:
        return f"{row['row']} as {row['like']}"
    if "rather" in row:
        return f"{row['row']} is `{row['label']}`, rather `{row['rather']}` ({row['sure']:.2f})"
    return str(row["row"])
