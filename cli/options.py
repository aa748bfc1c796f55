"""Options that several commands share, declared once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hubtl.registry.errors import BadOption

UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
AGE = re.compile(r"(\d{1,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
HubName = Annotated[
    str | None,
    typer.Option("--hub", metavar="HUB", help="hf, starter, folder:PATH or a URL."),
]
Task = Annotated[str, typer.Argument(metavar="TASK", help="Such as text-classification.")]
Test = Annotated[Path | None, typer.Option("--test", metavar="DATA", help="Rows to judge by.")]
Device = Annotated[str | None, typer.Option("--device", help="cpu or cuda; a GPU is used unasked.")]
Domain = Annotated[str | None, typer.Option("--domain", help="From `hubtl catalog --domains`.")]
Language = Annotated[str | None, typer.Option("--language", help="Such as en.")]
Licence = Annotated[str | None, typer.Option("--licence", help="Exactly this licence.")]
Allows = Annotated[str | None, typer.Option("--allows", help="commercial or derivatives.")]
MaxParams = Annotated[str | None, typer.Option("--max-params", metavar="N", help="Such as 100M.")]
Fits = Annotated[
    bool, typer.Option("--fits", help="Not what is too large to adapt in the memory now free.")
]
Text = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="The text's column.")]
Label = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="The label's column.")]
FileColumn = Annotated[
    str | None, typer.Option("--file", metavar="COLUMN", help="The column of file paths.")
]
SplitColumn = Annotated[
    str | None,
    typer.Option("--split", metavar="COLUMN", help="The column of train, validation, test."),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="The column of any role, of a group or of a time. Repeatable.",
    ),
]
Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A csv, tsv, jsonl or parquet file, a folder, or hf:ORG/NAME of a data set.",
    ),
]


def columns(
    text: str | None = None,
    label: str | None = None,
    file: str | None = None,
    split: str | None = None,
    more: Sequence[str] | None = None,
) -> dict[str, str]:
    """Return the named columns by role; raises BadOption for a `--column` without `=`."""
    named = {"text": text, "label": label, "file": file, "split": split}
    found = {role: name for role, name in named.items() if name}
    for pair in more or ():
        role, equals, name = pair.partition("=")
        if not equals or not role or not name:
            raise BadOption(f"`--column {pair}` is not ROLE=NAME", "such as --column text=body")
        found[role] = name
    return found


def age_of(text: str, example: str) -> int:
    """Return `12h` in seconds; raises BadOption, with an example of the option."""
    found = AGE.fullmatch(text)
    if found is None:
        raise BadOption(f"`{text}` is no age", f"a number and s, m, h or d: {example}")
    return int(found.group(1)) * SECONDS[found.group(2)]


def bytes_of(text: str, example: str) -> int:
    """Return `50GB` in bytes; raises BadOption, with an example of the option."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB)", text.strip())
    if found is None:
        raise BadOption(f"`{text}` is no size", f"a number and MB, GB or TB: {example}")
    times: int = 1000 ** "BKMGT".index(found[2][0].upper())
    return round(float(found[1]) * times)


def number_of(text: str) -> int:
    """Return `100M` as a number; raises BadOption."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMB]?)", text.strip().upper())
    if not match:
        raise BadOption(f"`{text}` is no number of parameters", "such as --max-params 100M")
    return int(float(match[1]) * UNITS[match[2]])
