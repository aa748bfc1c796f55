"""`hubtl rank`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import hubtl
from hubtl.registry.errors import BadOption

from . import screen
from .options import (
    Allows,
    Column,
    Data,
    Device,
    Domain,
    FileColumn,
    Fits,
    HubName,
    Json,
    Label,
    Language,
    Licence,
    MaxParams,
    SplitColumn,
    Task,
    Test,
    Text,
    columns,
    number_of,
)

EXAMPLES = (
    "hubtl rank text-classification examples/debian-sections.csv",
    "hubtl rank image-classification photos --rows 200",
    "hubtl rank text-classification few.csv --query 'sentence encoder' --time-budget 5m",
    "hubtl rank text-classification few.csv --candidates acme/legal acme/general",
    "hubtl rank text-classification few.csv --recipe lora --report ranking.html",
    "hubtl rank text-classification examples/debian-sections.csv --recipes --time-budget 5m",
)
WIDE = 21  # characters of a bar
RELATED = "RELATED"
TITLES = (
    *("MODEL", "SCORE", "95 % INTERVAL", "MAY BE BEST"),
    *("PARAMS", "LICENCE", "ROWS", "SECONDS"),
)
BEST = {True: "yes", False: "no", None: "left behind"}
NAMED = 5  # models of a reason by name; more by number


def command(
    task: Task,
    data: Data,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidates", "--base", metavar="ID ...", help="Bases, or adapters to go on from."
        ),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True, metavar="ID")] = None,
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE|auto",
            help="What bases are to be adapted by; else what the task prefers, as in `adapt`.",
        ),
    ] = "",
    query: Annotated[
        str, typer.Option(metavar="WORDS", help="Rank what these words find, as in `search`.")
    ] = "",
    domain: Domain = None,
    language: Language = None,
    licence: Licence = None,
    allows: Allows = None,
    max_params: MaxParams = None,
    fits: Fits = False,
    limit: Annotated[int, typer.Option(min=1, help="Rank at most so many that are found.")] = 20,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", help="By about so many rows; else 400, of texts 200."),
    ] = None,
    time_budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Such as 90s or 5m: all on few rows, the best on more."),
    ] = None,
    test: Test = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of the task. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed takes the same rows.")] = 0,
    device: Device = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page to look at, too.")
    ] = None,
    text: Text = None,
    label: Label = None,
    file: FileColumn = None,
    split: SplitColumn = None,
    column: Column = None,
    hub: HubName = None,
    recipes: Annotated[
        bool, typer.Option("--recipes", help="Which recipe is worth its cost with the first base.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank bases on your rows to learn from; nothing is trained, and no test row is read."""
    from hubtl.job import options_from
    from hubtl.worth import Worth

    from .rank_recipes import say_worth

    if more and not candidates:  # they can only follow the first one of --candidates
        raise BadOption(f"what is `{more[0]}`?", f"--candidates {' '.join(more)}")
    if recipes and recipe:
        raise BadOption(
            "`--recipes` compares all of them, and --recipe names one", "say one of both"
        )
    if recipes and report:
        raise BadOption("`--report` writes a page on bases, not on --recipes", "say one of both")
    try:
        with screen.progress() as progress:
            bases = partial(hubtl.rank, recipe=recipe, report=report)
            found = (hubtl.rank_recipes if recipes else bases)(
                task,
                data,
                candidates=[*(candidates or ()), *(more or ())],
                query=query,
                rows=rows,
                time_budget=time_budget,
                test=test,
                columns=columns(text, label, file, split, column),
                options=options_from(set_ or []),
                seed=seed,
                hub=hub,
                device=device,
                progress=progress,
                domain=domain,
                language=language,
                licence=licence,
                allows=allows,
                max_params=number_of(max_params) if max_params else None,
                fits=fits,
                limit=limit,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on from the features made so far") from None
    if as_json:
        screen.say_json(found.as_json())
    elif isinstance(found, Worth):
        say_worth(found)
    else:
        _say(found)
        if report:
            screen.note(f"to look at: {report}")
        screen.note(_next(found, data, recipe, hub))


def _next(found: hubtl.Ranking, data: Path, recipe: str, hub: str | None) -> str:
    """Return what to type next."""
    by = f" --recipe {recipe}" if recipe else ""
    there = f" --hub {hub}" if hub else ""
    return f"next: hubtl adapt {found.task} {data} --base {found.ranking[0].id}{by}{there}"


def _say(found: hubtl.Ranking) -> None:
    """Print the candidates, what speaks for each, what could not be judged, and the advice."""
    low, high = min(e.low for e in found.ranking), max(e.high for e in found.ranking)
    how = next((each.related.how for each in found.ranking if each.related.how), "")
    related = (RELATED,) if how else ()
    hidden = screen.table(
        (*TITLES, *related),
        [
            (
                each.id,
                f"{each.score:+.2f}",
                bar(each.low, each.score, each.high, low, high),
                BEST[found.may_be_best(each)],
                screen.params(each.params),
                each.licence or "unknown",
                f"{each.rows:,}",
                f"{each.seconds:.1f}",
                *([_share(each.related.value)] if related else []),
            )
            for each in found.ranking
        ],
        numbers=("SCORE", "PARAMS", "ROWS", "SECONDS", *related),
        less=("MAY BE BEST", "95 % INTERVAL", "PARAMS", "LICENCE", "SECONDS", "ROWS", *related),
    )
    if how and RELATED not in hidden:
        screen.note(f"{RELATED.lower()}, which has no part in the score: {how}")
    _say_parts(found)
    if found.failed:
        screen.say()
        screen.table(("NOT JUDGED", "WHY"), [(each.id, each.why) for each in found.failed])
    screen.say(f"\n{found.advice}")
    chosen = ", ".join(f"{role} from `{name}`" for role, name in found.columns.items())
    screen.note(
        f"on {found.rows:,} of {found.of_rows:,} rows to learn from ({chosen}), to adapt by "
        f"{found.recipe}, in {found.seconds:.0f} s; no test row was read"
    )
    for line in found.not_known:
        screen.note(f"not known: {line}")
    _say_left_out(found)


def _say_parts(found: hubtl.Ranking) -> None:
    """Print what each part that counts adds to the scores, the largest as far as there is room."""
    names = [
        name
        for name, weight in found.weights.items()
        if weight and any(each.parts.get(name) is not None for each in found.ranking)
    ]
    if len(found.ranking) < 2:
        return
    adds = {name: max(abs(each.parts.get(name) or 0) for each in found.ranking) for name in names}
    screen.say()
    hidden = screen.table(
        ("MADE OF", *names),
        [(each.id, *(_part(each.parts, name) for name in names)) for each in found.ranking],
        numbers=names,
        less=sorted(names, key=lambda name: -adds[name]),
    )
    if hidden:
        screen.note(f"and of {', '.join(hidden)}: make the terminal wider, or see --report")


def _part(parts: Mapping[str, float | None], name: str) -> str:
    value = parts.get(name)
    return "unknown" if value is None else f"{value:+.2f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"


def _say_left_out(found: hubtl.Ranking) -> None:
    reasons = Counter(each.why for each in found.left_out)
    for why, count in reasons.items():
        named: Sequence[str] = [each.id for each in found.left_out if each.why == why]
        said = ", ".join(named) if count <= NAMED else f"{count:,} models; ids by --json"
        screen.note(f"left out, {why}: {said}")


def bar(low: float, score: float, high: float, least: float, most: float) -> str:
    """Return an interval as a bar on a scale from the least to the most."""

    def place(value: float) -> int:
        share = (value - least) / (most - least) if most > least else 0.5
        return round(share * (WIDE - 1))

    start, middle, end = place(low), place(score), place(high)
    drawn = ["─" if start <= at <= end else " " for at in range(WIDE)]
    if least < 0 < most and drawn[place(0)] == " ":
        drawn[place(0)] = "┊"  # where a middling one stands
    drawn[start], drawn[end] = "├", "┤"
    drawn[middle] = "●"
    return "".join(drawn)
