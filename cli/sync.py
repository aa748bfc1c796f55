"""`hubtl sync`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import HubName, Json

EXAMPLES = (
    "hubtl sync --hub hf",
    "hubtl sync --hub http://hub.acme.example --org acme",
)


def command(
    hub: HubName = None,
    org: Annotated[str | None, typer.Option(help="Only what this organisation has.")] = None,
    min_downloads: Annotated[
        int | None,
        typer.Option(min=0, help="Leave out models with fewer: 10 of all huggingface.co, else 0."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring what a hub has into the index that `search` reads, to be found without a network."""
    with screen.progress() as progress:
        synced = hubtl.sync(hub=hub, organisation=org, least=min_downloads, progress=progress)
    if as_json:
        screen.say_json(asdict(synced))
    else:
        screen.say(
            f"{synced.models:,} models of {synced.hub} in {synced.seconds:.0f} s;"
            f" the index has {synced.entries:,}"
        )
