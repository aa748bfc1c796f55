"""`hubtl search`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

import hubtl
from hubtl.registry.errors import BadOption

from . import screen
from .options import HubName, Json
from .side_by_side import say_models

EXAMPLES = (
    "hubtl search sentiment",
    "hubtl search --domain legal --allows commercial",
    "hubtl search --task image-classification --max-params 30M",
    "hubtl search --org acme --domain legal --task text-classification",
)
UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="Looked for in id, tags, domains, tasks and about."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="A pipeline tag.")] = None,
    domain: Annotated[str | None, typer.Option(help="From `hubtl catalog --domains`.")] = None,
    language: Annotated[str | None, typer.Option(help="Such as en.")] = None,
    licence: Annotated[str | None, typer.Option(help="Exactly this licence.")] = None,
    allows: Annotated[str | None, typer.Option(help="commercial or derivatives.")] = None,
    max_params: Annotated[str | None, typer.Option(metavar="N", help="Such as 100M.")] = None,
    fits: Annotated[
        bool, typer.Option("--fits", help="Only what this machine has the memory to train.")
    ] = False,
    kind: Annotated[str | None, typer.Option(help="base or adapter.")] = None,
    base: Annotated[str | None, typer.Option(help="Adapters of this base.")] = None,
    org: Annotated[str | None, typer.Option(help="Of this organisation.")] = None,
    hub: HubName = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """Find models by words and filters, best first, and say which were left out and why."""
    if kind not in (None, "base", "adapter"):
        raise BadOption(f"there is no kind `{kind}`", "--kind base or --kind adapter")
    found = hubtl.search(
        " ".join(words or ()),
        hub=hub,
        task=task,
        domain=domain,
        language=language,
        licence=licence,
        allows=allows,
        max_params=_number(max_params) if max_params else None,
        fits=fits,
        kind=kind,
        base=base,
        organisation=org,
        limit=limit,
    )
    if as_json:
        screen.say_json(found.as_json())
        return
    if found.entries:
        say_models(found.entries)
    else:
        screen.say("nothing fits")
    for said, meant in found.meant.items():
        screen.note(f"`{said}` was taken for {', '.join(meant)}")
    for left in found.left_out[:5]:
        screen.note(f"left out: {left.id}, {left.why}")
    if len(found.left_out) > 5:
        screen.note(f"left out: {len(found.left_out) - 5} more, see --json")
    count = "1 entry" if found.searched == 1 else f"{found.searched:,} entries"
    more = "" if hub else "; `hubtl sync` brings more, `--hub hf` asks the Hub live"
    screen.note(f"searched {count} of {found.where}{more}")


def _number(text: str) -> int:
    """Return `100M` as a number; raises BadOption."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMB]?)", text.strip().upper())
    if not match:
        raise BadOption(f"`{text}` is no number of parameters", "such as --max-params 100M")
    return int(float(match[1]) * UNITS[match[2]])
