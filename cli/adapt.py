"""`hubtl adapt`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import hubtl

from . import screen
from .options import (
    Column,
    Data,
    Device,
    Domain,
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
    "hubtl adapt text-classification examples/debian-sections.csv --recipe top --resume",
    "hubtl adapt text-classification examples/debian-sections.csv --dry-run",
    "hubtl adapt image-classification examples/noto-emoji --base auto --time-budget 5m",
    "hubtl adapt text-classification examples/debian-sections.csv --recipe auto --dry-run",
    "hubtl adapt text-classification examples/debian-sections.csv --domain software",
    "hubtl adapt text-classification examples/debian-sections.csv --recipe lora --set epochs=3",
    "hubtl adapt text-classification examples/debian-sections.csv --recipe lora --time-budget 10m",
)


def command(
    task: Task,
    data: Data,
    base: Annotated[
        str,
        typer.Option(
            metavar="ID|auto",
            help="The base, or an adapter to go on from; auto: the first of a ranking; else a "
            "starter.",
        ),
    ] = "",
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE|auto",
            help="From `hubtl recipes`; auto: what is worth it; else what the task prefers.",
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for the result.")
    ] = None,
    test: Test = None,
    retain: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="More inputs to see by what the model has forgotten."),
    ] = None,
    domain: Domain = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of the recipe. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 0,
    seeds: Annotated[
        int,
        typer.Option(metavar="K", help="So many seeds: their mean and deviation, the best kept."),
    ] = 1,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 90s, 5m or 1h: be done by then.")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make the choices of an earlier plan.json again."),
    ] = None,
    device: Device = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the same work where it was stopped.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try a few steps, and say what it would take.")
    ] = False,
    text: Text = None,
    label: Label = None,
    file: FileColumn = None,
    split: SplitColumn = None,
    column: Column = None,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Adapt a base model to your rows, measure it on rows it has not seen, write a folder."""
    from hubtl.job import options_from

    asked: dict[str, Any] = {
        "base": base,
        "recipe": recipe,
        "out": out,
        "test": test,
        "retain": retain,
        "domain": domain,
        "options": options_from(set_ or []),
        "columns": columns(text, label, file, split, column),
        "seed": seed,
        "seeds": seeds,
        "time_budget": time_budget,
        "plan": plan,
        "hub": hub,
        "device": device,
        "resume": resume,
    }
    if dry_run:
        with screen.progress() as progress:
            found = hubtl.plan(task, data, measure=True, progress=progress, **asked)
        screen.say_json(found.as_json()) if as_json else _say_estimate(found)
        return

    def tell(found: hubtl.Plan) -> None:
        for line in found.warnings:
            screen.note(f"warning: {line}")
        if not as_json:
            _say_plan(found, screen.note)

    try:
        with screen.progress() as progress:
            adapted = hubtl.adapt(task, data, progress=progress, tell=tell, **asked)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command with --resume goes on from here") from None
    if as_json:
        screen.say_json(adapted.as_json())
    else:
        _say_adapted(adapted)


def _say_plan(plan: Any, say: Callable[[str], None]) -> None:
    chosen = ", ".join(f"{role} from `{name}`" for role, name in plan.columns.items())
    rows = ", ".join(f"{count} {part}" for part, count in plan.rows.items() if count)
    download = f", {screen.size(plan.download_bytes)} to fetch" if plan.download_bytes else ""
    say(f"columns  {chosen}")
    say(f"rows     {rows}; {len(plan.labels)} label{'' if len(plan.labels) == 1 else 's'}")
    if plan.made:
        say(f"made     {plan.made}")
    if plan.origin:
        say(f"alike    rows of one `{plan.origin}`: intervals count those as well as rows")
    if len(plan.candidates) > 1:
        say(f"base     the first of a ranking of {', '.join(plan.candidates)}{download}")
    elif plan.candidates:
        say(f"base     {plan.candidates[0]}, the only candidate{download}")
    else:
        say(f"base     {plan.base} at {str(plan.base_revision)[:7]}{download}")
    if plan.upon:
        say(f"upon     {plan.upon}")
    options = ", ".join(f"{name} {value}" for name, value in plan.options.items())
    among = f", by trying some of {', '.join(plan.recipes)}" if plan.recipes else f": {options}"
    say(f"recipe   {plan.recipe}{among}")
    if plan.preference:
        say(f"because  {plan.preference}")
    say(f"into     {plan.folder}")


def _say_estimate(plan: hubtl.Plan) -> None:
    """Print what would be done, and what that would take, by stage, or why that is not known."""
    _say_plan(plan, screen.say)
    for line in plan.warnings:
        screen.note(f"warning: {line}")
    found = plan.estimate
    if not found:
        screen.say(f"takes    not measured: {plan.not_measured}")
        return
    stages = ", ".join(
        f"{name} {value:.0f} s" for name, value in found["stages"].items() if value >= 0.5
    )
    screen.say(f"takes    about {found['seconds']:.0f} s here: {stages}")
    screen.say(
        f"memory   {screen.size(found['memory_bytes'])}; disk {screen.size(found['disk_bytes'])}"
    )
    for name, takes in found.get("recipes", {}).items():
        if "why" in takes:
            screen.say(f"  {name:8} can't be chosen: {takes['why']}")
            continue
        screen.say(
            f"  {name:8} about {takes['seconds']:.0f} s and {screen.size(takes['memory_bytes'])}, "
            "if it is chosen; trying it on parts of the rows comes on top"
        )
    chosen = ", ".join(f"{name} {value}" for name, value in found["choices"].items() if value)
    if chosen:
        screen.say(f"chosen   {chosen}")


def _say_adapted(adapted: hubtl.Adapted) -> None:
    """Print what was measured, where it is, and what to do next."""
    from hubtl.registry.card import seeds_line, shift_line
    from hubtl.registry.places import setting
    from hubtl.registry.usage import cost, gained, kept_of_base

    facts = adapted.facts
    say_result(adapted.as_json())
    screen.say(f"\n{gained(facts)}")
    for line in kept_of_base(facts.retention):
        screen.say(line)
    if facts.shift:
        screen.say(f"\n{shift_line(facts)}")
    if facts.seeds:
        screen.say(f"\n{seeds_line(facts)}")
    if facts.climb or "base" in facts.choices:
        screen.say(f"\n{facts.why}")
    if facts.curve["points"]:
        screen.say(f"\n{facts.curve['says']}")
    screen.note(f"\nlearnt    {facts.method}")
    for line in cost(facts):
        screen.note(line)
    if facts.inputs.get("cut"):
        screen.note(facts.inputs["how"])
    screen.say(f"\nwrote {adapted.folder} in {facts.seconds:.0f} s")
    domain = "" if facts.domain else " --domain NAME"
    hub = "" if os.environ.get("HF_ENDPOINT") or setting("hub") else " --hub folder:PATH"
    screen.note(f"next: hubtl publish {adapted.folder} --to ORG/NAME{hub}{domain}")


def say_result(facts: dict[str, Any]) -> None:
    """Print metrics beside the baselines, and the bad news first."""
    from hubtl.registry.comparing import figure
    from hubtl.registry.usage import beside_best

    metrics, baselines, rivals = facts["metrics"], facts["baselines"], facts["rivals"]
    if facts["beats_baseline"] is False:
        beside = beside_best(facts["main_metric"], metrics, baselines, rivals)
        screen.say(f"This does not beat the best baseline: {beside}.\n")
    rows = [("this model", *(screen.interval(value, name) for name, value in metrics.items()))]
    for name, values in baselines.items():
        cells = (figure(metric, values[metric]) for metric in metrics)
        rows.append((rivals.get(name, name), *cells))
    screen.table(("", *metrics), rows)
