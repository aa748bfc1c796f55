"""Which recipe is worth its cost: what each reached on held-out rows, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .climbing import Gains, Interval
from .ranked import Ranking


@dataclass(frozen=True, slots=True)
class Tried:
    """One recipe: what it reached on rows that it did not learn from, and what it takes.

    `metric` and `loss`, which is in nats a row, are {value, low, high}, `over` is what it gains
    over the cheapest recipe on the same rows. It learnt from `rows` each time, which took `seconds`
    in all; `seconds_all` and `memory_bytes` are reckoned for all rows. `tied_with` are those that
    can't be told apart from it as the best, of those that learnt from as many rows. `why` says why
    it was not tried, or not with more rows.
    """

    name: str
    metric: Interval | None = None
    loss: Interval | None = None
    over: Gains | None = None
    rows: int | None = None
    held_out: int | None = None
    seconds: float | None = None
    seconds_all: float | None = None
    memory_bytes: int | None = None
    tied_with: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """What recipes are worth with one base, the cheapest first; no test row was read.

    `recipe` is the one to take, `command` the whole of what to type. They learnt from parts of
    `of_rows` rows at most. `ranking` is that by which the base was chosen, where it was not named.
    """

    task: str
    base: str
    metric: str
    recipe: str
    advice: str
    command: str
    recipes: tuple[Tried, ...]
    of_rows: int
    columns: Mapping[str, str]
    ranking: Ranking | None
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `rank --recipes --json` promises: all fields."""
        found = asdict(self)
        return {**found, "ranking": found["ranking"]["ranking"] if self.ranking else []}


def with_ties(tried: Sequence[Tried], tied: Sequence[str]) -> tuple[Tried, ...]:
    """Return recipes of which those in `tied` say so of each other."""
    return tuple(
        replace(each, tied_with=tuple(n for n in tied if n != each.name))
        if each.name in tied
        else each
        for each in tried
    )


def advice(
    tried: Sequence[Tried], last: Sequence[str], best: str, tied: Sequence[str], gain: Gains | None
) -> tuple[str, str]:
    """Return the recipe to take, and in a sentence or three why, by how much it is known.

    `last` are those that learnt from the most rows, the cheapest first, and `tied` those of them
    that are not worse than the best by more than chance; `gain` is of the best over the first of
    these, or where that is itself over the cheapest.
    """
    by_name = {each.name: each for each in tried}
    chosen = tied[0]
    if len(last) == 1:
        why = f"Only `{chosen}` could be tried: there is nothing to compare it with."
    elif list(tied) == list(last):
        why = f"These don't differ on your data by more than chance: take `{chosen}`, the cheapest."
    elif chosen != best:
        why = (
            f"`{chosen}` is not worse than `{best}` by more than chance ({_told(gain)} for the "
            f"dearer): take it."
        )
    elif chosen == last[0]:
        why = f"`{chosen}`, the cheapest, is ahead of the others by more than chance: take it."
    else:
        why = f"`{chosen}` is ahead of `{last[0]}` by more than chance ({_told(gain)}): take it."
    return chosen, why + _costs(by_name[chosen], by_name[best])


def _costs(chosen: Tried, best: Tried) -> str:
    """Return a sentence on what the recipe to take takes, beside the best where that is another."""
    if chosen.seconds_all is None:
        return ""
    beside = ""
    if best.name != chosen.name and best.seconds_all is not None:
        beside = f", and `{best.name}` {best.seconds_all:.0f} s"
    return f" On all rows it takes about {chosen.seconds_all:.0f} s here{beside}."


def few(rows: int, of_rows: int) -> str:
    """Return a sentence of caution where recipes learnt from much fewer rows than there are."""
    if 2 * rows >= of_rows:
        return ""
    return (
        f" They learnt from {rows:,} of {of_rows:,} rows: with all of them what trains more of the "
        "base may gain more, which --rows and a longer --time-budget tell."
    )


def _told(gain: Gains | None) -> str:
    """Return a gain in words."""
    if gain is None:
        return "no gain"
    shown, where = (gain.loss, "log loss") if gain.metric is None else (gain.metric, "")
    if gain.metric is not None and not gain.metric["low"] > 0 and gain.loss["low"] > 0:
        shown, where = gain.loss, "log loss"
    told = f"{shown['value']:+.3f}, {shown['low']:+.3f} to {shown['high']:+.3f}"
    return f"{told} in {where}" if where else told
