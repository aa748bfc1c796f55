"""`hubtl publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import HubName, Json

EXAMPLES = (
    "hubtl publish adapted/debian-sections-probe --to acme/sections --hub folder:shelf "
    "--domain software --with-base",
    "hubtl publish adapted/debian-sections-probe --to acme/sections --hub hf --dry-run",
    "hubtl publish adapted/debian-sections-probe --to globex/sections --hub hf --pr",
)


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `adapt` wrote.")],
    to: Annotated[str, typer.Option(metavar="ORG/NAME", help="What it will be called.")],
    hub: HubName = None,
    public: Annotated[
        bool, typer.Option("--public", help="A new repository is public; without this, private.")
    ] = False,
    tag: Annotated[
        str | None, typer.Option(metavar="V", help="Also name this version, such as v2.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="From `hubtl catalog --domains`.")] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    data_licence: Annotated[
        str | None, typer.Option(metavar="L", help="The licence of your data, for the card.")
    ] = None,
    with_base: Annotated[bool, typer.Option("--with-base", help="Put the base there too.")] = False,
    pull_request: Annotated[
        bool, typer.Option("--pr", help="Offer it as a pull request, to those who may merge it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show files and card.")] = False,
    as_json: Json = False,
) -> None:
    """Publish an adapted folder, load it back from the hub, and prove that it says the same."""
    with screen.progress() as progress:
        done = hubtl.publish(
            folder,
            to,
            hub=hub,
            public=public,
            tag=tag,
            domain=domain,
            description=description,
            data_licence=data_licence,
            with_base=with_base,
            pull_request=pull_request,
            dry_run=dry_run,
            progress=progress,
        )
    if as_json:
        screen.say_json(done.as_json())
    elif dry_run:
        screen.say(f"would {'offer' if pull_request else 'publish'} to {done.address}:")
        for path in done.files:
            screen.say(f"  {path}")
        screen.say(f"\nREADME.md:\n\n{done.card}")
    else:
        say_proof(done)
        screen.say(f"{'offered' if pull_request else 'published':9} {done.address}")
        screen.say(f"commit    {done.commit}")


def say_proof(done: hubtl.Published) -> None:
    """Print what came back when an adapter was loaded from its hub."""
    metric, agreement = done.metric, done.agreement
    if metric["reproduced"] is not None:
        reproduced, measured = metric["reproduced"], metric["measured"]
        what = "proven  " if metric.get("same_rows", True) else "yours   "
        screen.say(f"{what}  {metric['name']} {reproduced:.4f}, measured {measured:.4f}")
    ties = f", {agreement['near_ties']} near ties apart" if agreement["near_ties"] else ""
    screen.say(
        f"compared  {agreement['rows']} rows: same labels{ties}, "
        + (f"logits within {agreement['widest']:.1g}" if agreement["widest"] else "the same logits")
    )
