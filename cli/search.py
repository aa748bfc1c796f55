"""`hubtl search`."""

from __future__ import annotations

import itertools
from typing import Annotated

import typer

import hubtl
from hubtl.registry.entry import Found
from hubtl.registry.errors import BadOption

from . import screen
from .options import Allows, Domain, Fits, HubName, Json, Language, Licence, MaxParams, number_of
from .side_by_side import say_models

EXAMPLES = (
    "hubtl search sentiment",
    "hubtl search --domain legal --allows commercial",
    "hubtl search --task image-classification --max-params 30M",
    "hubtl search --fits --recipe full --trusted",
    "hubtl search --org acme --domain legal --task text-classification",
)
NAMED = 5  # models of a reason, or with a mark, by name; more by number


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="Looked for in id, tags, domains, tasks and about."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="A pipeline tag.")] = None,
    domain: Domain = None,
    language: Language = None,
    licence: Licence = None,
    allows: Allows = None,
    max_params: MaxParams = None,
    fits: Fits = False,
    recipe: Annotated[str, typer.Option(help="The recipe that --fits is about.")] = "probe",
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Only known safetensors, and nothing gated.")
    ] = False,
    kind: Annotated[str | None, typer.Option(help="base or adapter.")] = None,
    base: Annotated[str | None, typer.Option(help="Made from this: adapters, fine-tunes.")] = None,
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
        max_params=number_of(max_params) if max_params else None,
        fits=fits,
        recipe=recipe,
        trusted=trusted,
        kind=kind,
        base=base,
        organisation=org,
        limit=limit,
    )
    from hubtl.remembering import results_with

    results = results_with(entry.id for entry in found.entries)
    if as_json:
        screen.say_json({**found.as_json(), "past": results})
        return
    _say(found)
    for model, number in list(results.items())[:3]:
        screen.note(f"{number} of your results are with {model}: `hubtl show {model}`")
    count = "1 entry" if found.searched == 1 else f"{found.searched:,} entries"
    more = "" if hub else "; `hubtl sync` brings more, `--hub hf` asks the Hub live"
    screen.note(f"searched {count} of {found.where}{more}")


def _say(found: Found) -> None:
    """Print what was found, what to know of it, and what was left out and why."""
    if found.entries:
        say_models(found.entries)
    else:
        screen.say("nothing fits")
    for said, meant in found.meant.items():
        screen.note(f"`{said}` was taken for {', '.join(meant)}")
    by_mark: dict[str, list[str]] = {}
    for model, marks in found.marks.items():
        for mark in marks:
            by_mark.setdefault(mark, []).append(model)
    for mark, models in by_mark.items():
        more = f" and {len(models) - NAMED} more" if len(models) > NAMED else ""
        screen.note(f"{mark}: {', '.join(models[:NAMED])}{more}")
    left_out = iter(found.left_out)
    for count in found.counted.reasons.values():  # those with the first reason come first
        for left in itertools.islice(left_out, count):
            if count <= NAMED:
                screen.note(f"left out: {left.id}, {left.why}")
    reasons = ", ".join(f"{count:,} {why}" for why, count in found.counted.reasons.items())
    if reasons:
        first = found.counted.first
        of = f" of the first {first:,} that the words find" if first else ""
        screen.note(f"left out{of}: {reasons}; ids by --json")
