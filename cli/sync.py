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
    "hubtl sync --hub hf --anew",
)


def command(
    hub: HubName = None,
    org: Annotated[str | None, typer.Option(help="Only what this organisation has.")] = None,
    min_downloads: Annotated[
        int | None,
        typer.Option(min=0, help="Leave out models with fewer: 10 of all huggingface.co, else 0."),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Bring all, not what changed, and build the index anew."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring what a hub has into the index that `search` reads, to be found without a network.

    Said again, it brings what changed. A small hub or an organisation is listed whole each time, so
    that what vanished disappears; one of more than some ten thousand models after a week.
    """
    with screen.progress() as progress:
        synced = hubtl.sync(
            hub=hub, organisation=org, least=min_downloads, anew=anew, progress=progress
        )
    if as_json:
        screen.say_json(asdict(synced))
    else:
        changed = "" if synced.whole else "changed "
        screen.say(
            f"{synced.models:,} {changed}models of {synced.hub} in {synced.seconds:.0f} s;"
            f" the index has {synced.entries:,}"
        )
