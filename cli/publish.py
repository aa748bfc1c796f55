"""`hubtl publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import Domain, HubName, Json

EXAMPLES = (
    "hubtl publish adapted/debian-sections-probe --to acme/sections --hub folder:shelf "
    "--domain software --with-base",
    "hubtl publish adapted/debian-sections-probe --to acme/sections --hub hf --dry-run",
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
    domain: Domain = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    data_licence: Annotated[
        str | None, typer.Option(metavar="L", help="The licence of your data, for the card.")
    ] = None,
    with_base: Annotated[
        bool, typer.Option("--with-base", help="Put the base there too, as its licence allows.")
    ] = False,
    allow_worse: Annotated[
        bool, typer.Option("--allow-worse", help="Replace a version that is better on these rows.")
    ] = False,
    pull_request: Annotated[
        bool, typer.Option("--pr", help="Offer it as a pull request, to those who may merge it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and compare, and show what would change there.")
    ] = False,
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
            allow_worse=allow_worse,
            pull_request=pull_request,
            dry_run=dry_run,
            progress=progress,
        )
    if as_json:
        screen.say_json(done.as_json())
    elif dry_run:
        _say_plan(done)
    else:
        say_proof(done)
        _say_against(done)
        screen.say(f"{'offered' if pull_request else 'published':9} {done.address}")
        screen.say(f"commit    {done.commit}")


def _say_plan(done: hubtl.Published) -> None:
    """Print what would be there afterwards: files, the card, and how it differs from what is."""
    screen.say(f"would publish to {done.address}:")
    for path, change in done.changes.items():
        screen.say(f"  {change:<7}  {path}")
    _say_against(done)
    if done.card_changes and "same" in done.changes.values():
        screen.say(f"\nREADME.md, against the one that is there:\n\n{done.card_changes}")
    else:
        screen.say(f"\nREADME.md:\n\n{done.card}")


def _say_against(done: hubtl.Published) -> None:
    """Print how it does beside what was there before, on the same rows."""
    if done.against is None:
        return
    before = done.against
    name = before["tags"][0] if before["tags"] else before["revision"][:7]
    difference = before["difference"]
    if difference is None:
        screen.say(f"against   {name}: not compared, {before['why']}")
        return
    metric = difference["metric"]
    screen.say(
        f"against   {name}: {metric} better by {screen.interval(difference, metric, '+', 4)}, on "
        "the same rows"
    )


def say_proof(done: hubtl.Published) -> None:
    """Print what came back when an adapter was loaded from its hub."""
    metric, agreement = done.metric, done.agreement
    if metric["reproduced"] is not None:
        from hubtl.registry.comparing import figure

        name = metric["name"]
        reproduced, measured = (
            figure(name, metric[which], digits=4) for which in ("reproduced", "measured")
        )
        what = "proven  " if metric.get("same_rows", True) else "yours   "
        screen.say(f"{what}  {name} {reproduced}, measured {measured}")
    ties = f", {agreement['near_ties']} near ties apart" if agreement["near_ties"] else ""
    screen.say(
        f"compared  {agreement['rows']} rows: same labels{ties}, "
        + (f"logits within {agreement['widest']:.1g}" if agreement["widest"] else "the same logits")
    )
