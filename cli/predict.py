"""`hubtl predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

import hubtl
from hubtl.registry.errors import BadData, BadOption
from hubtl.results import worded

from . import screen
from .options import Column, FileColumn, HubName, Json, Text, columns

EXAMPLES = (
    'hubtl predict adapted/debian-sections-probe "a fast text editor" "chess against the computer"',
    "hubtl predict adapted/debian-sections-probe --data examples/debian-sections.csv --json",
    "hubtl predict adapted/photos-probe photo.jpg holiday/",
    "find . -name '*.wav' | hubtl predict adapted/calls-probe -",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="FOLDER|ID", help="What `adapt` wrote, or ORG/NAME on a hub.")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Texts, or files and folders of them; - reads one a line from standard input.",
        ),
    ] = None,
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
        asked = list(_with_lines(inputs or ()))
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
        [(worded(p.label), _sure(p.score), p.input.replace("\n", " ")[:80]) for p in found],
        numbers=("SCORE",),
    )


def _sure(score: float | None) -> str:
    """Return how sure a label is; a number does not tell that."""
    return "" if score is None else f"{score:.3f}"


def _with_lines(inputs: Sequence[str]) -> Iterator[str]:
    """Yield the inputs, and the lines of standard input in place of `-`."""
    if inputs.count("-") > 1:
        raise BadOption("`-` was given twice, and standard input is read once", "give it once")
    for each in inputs:
        if each != "-":
            yield each
            continue
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadData("standard input is not UTF-8", "convert it: iconv -t utf-8") from error
        yield from text.removesuffix("\n").replace("\r\n", "\n").split("\n") if text else ()
