"""What `hubtl rank --recipes` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import screen

if TYPE_CHECKING:
    from hubtl.worth import Tried, Worth


def say_worth(found: Worth) -> None:
    """Print what each recipe reached and takes, why some were not tried, and the advice."""
    tried = [each for each in found.recipes if each.rows is not None]
    gained = f"OVER {tried[0].name.upper()}"
    screen.table(
        ("RECIPE", found.metric.upper() if tried[0].metric else "LOG LOSS", gained, "MAY BE BEST",
         "ROWS", "TRIED IN", "ALL ROWS", "MEMORY"),
        [
            (
                each.name,
                screen.interval(each.metric or each.loss, found.metric if each.metric else ""),  # type: ignore[arg-type]
                _gained(each, found.metric),
                _may_be_best(each, found),
                f"{each.rows:,}",
                f"{each.seconds:.0f} s",
                "unknown" if each.seconds_all is None else f"{each.seconds_all:.0f} s",
                screen.size(each.memory_bytes),
            )
            for each in tried
        ],
        numbers=("ROWS", "TRIED IN", "ALL ROWS", "MEMORY"),
        less=("ALL ROWS", "MAY BE BEST", gained, "ROWS", "TRIED IN", "MEMORY"),
    )  # fmt: skip
    without = [each for each in found.recipes if each.why]
    if without:
        screen.say()
        screen.table(("NOT TRIED", "WHY"), [(_with_rows(each), each.why) for each in without])
    screen.say(f"\n{found.advice}")
    chosen = ", ".join(f"{role} from `{name}`" for role, name in found.columns.items())
    held = max(each.held_out or 0 for each in tried)
    screen.note(
        f"with `{found.base}`, judged on {held:,} held-out rows of {found.of_rows:,} to learn from "
        f"({chosen}), in {found.seconds:.0f} s; no test row was read"
    )
    if found.ranking:
        screen.note(f"the base: {found.ranking.advice}")
    screen.note(f"next: {found.command}")


def _gained(each: Tried, metric: str) -> str:
    """Return the gain over the cheapest recipe: in the metric, else in log loss."""
    if each.over is None:
        return ""
    gain = each.over.metric or each.over.loss
    return screen.interval(dict(gain), metric if each.over.metric else "", "+")


def _may_be_best(each: Tried, found: Worth) -> str:
    most = max(one.rows or 0 for one in found.recipes)
    if (each.rows or 0) < most:
        return "left behind"
    return "yes" if each.tied_with or each.name == found.recipe else "no"


def _with_rows(each: Tried) -> str:
    return each.name if each.rows is None else f"{each.name}, with more rows"
