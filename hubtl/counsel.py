"""Which candidate to take, in words, and how far rows that were held out bear that out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .as_it_is import AS_IT_IS
from .rating import Rated
from .registry.card import METRIC_NAMES
from .standings import Standings
from .transfer.measure import mean

if TYPE_CHECKING:
    from numpy.typing import NDArray


def advice(table: Standings, *, behind: bool) -> str:
    """Return which to take, and what bears that out; `behind` is if others saw fewer rows."""
    return f"{_taken(table, behind=behind)}{_as_it_is(table)}"


def _taken(table: Standings, *, behind: bool) -> str:
    """Return in one sentence which to take."""
    first = table.rated[table.order[0]]
    tied = [table.rated[n].id for n in table.order if table.best[n]]
    take = f"take `{first.id}`, {_why_first(table)}"
    if len(table.rated) == 1 and not behind:
        return f"Only `{first.id}` could be judged: there is nothing to compare it with."
    if len(tied) == len(table.rated) and not behind:
        return f"These don't differ on your data by more than chance: {take}."
    if len(tied) > 1:
        others = ", ".join(f"`{each}`" for each in tied[1:])
        return f"`{first.id}` can't be told from {others} on your data: {take}."
    return f"`{first.id}` is ahead of the others by more than chance: take it.{_held_out(table)}"


def _why_first(table: Standings) -> str:
    """Return what the first is among those that can't be told apart."""
    sizes = sorted(table.rated[n].params for n in table.order if table.best[n])
    if table.rated[table.order[0]].params == sizes[0]:
        alone = len(sizes) > 1 and sizes[0] < sizes[1]
        return "the smallest" if alone else "than which none is smaller"
    if table.level.sum() == 1:
        return "which scores highest"
    return "the smallest within one standard error of the highest score"


def _held_out(table: Standings) -> str:
    """Return how often heads on the first and on its best rival were right; empty if unknown.

    Scores are of how sure a head is, and tell candidates apart on fewer rows than its answers do:
    what is ahead in them may be no better in these.
    """
    first, *others = (table.rated[n] for n in table.order)
    rivals = [(each, right) for each in others if (right := _right(each)) is not None]
    ours = _right(first)
    if ours is None or not rivals:
        return ""
    rival, theirs = max(rivals, key=lambda each: float(np.nanmean(each[1])))
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    origins = [origin for origin, each in zip(table.origins, both, strict=True) if each]
    gain = mean((ours[both] - theirs[both]).tolist(), origins)
    if not math.isfinite(gain["low"]):  # all are of one person
        return ""
    points = {name: 100 * value for name, value in gain.items()}
    told = (
        f" On rows held out its head is right in {100 * float(np.nanmean(ours)):.1f} %, "
        f"{points['value']:+.1f} points ({points['low']:+.1f} to {points['high']:+.1f}) over that "
        f"of `{rival.id}`"
    )
    return f"{told}." if gain["low"] > 0 else f"{told}: in this they can't be told apart."


def _as_it_is(table: Standings) -> str:
    """Return what candidates reached before they were adapted, where they were asked."""
    ordered = (table.rated[n] for n in table.order)
    found = {each.id: each.scores[AS_IT_IS].facts for each in ordered if AS_IT_IS in each.scores}
    if not found:
        return ""
    metric = next(iter(found[next(iter(found))]))
    reached = ", ".join(f"{facts[metric]:.3f} (`{name}`)" for name, facts in found.items())
    named = METRIC_NAMES.get(metric, metric).lower()
    return f" The {named} before anything is learnt: {reached}."


def _right(each: Rated) -> NDArray[np.float64] | None:
    """Return which rows a head on a candidate got right [rows], by the first scorer that tells."""
    return next((one.right for one in each.scores.values() if one.right is not None), None)
