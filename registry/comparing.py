"""Results as a card's `model-index` tells them, and which of them can be compared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .entry import Entry

LOWER = frozenset(("wer", "cer", "mse", "perplexity", "loss"))  # metrics of which less is better
# The least of those that may be below zero.
BELOW_ZERO = {"spearman": -1.0, "pearson": -1.0, "r2": -math.inf}
WITH_UNIT = frozenset(("mse",))  # that of the labels, squared
A_TOKEN = frozenset(("perplexity", "loss"))  # metrics that are counted by a base's tokens
DIGITS = 12
HELD_OUT = re.compile(r"(\d{1,12}) held-out rows, ([0-9a-f]{12})", re.ASCII)


def figure(metric: str, value: float, sign: str = "", digits: int = 3) -> str:
    """Return a metric's value, or a difference, to be read: a rate by so many decimals.

    What has a unit may be of any size, so it has as many digits as a rate would before its end.
    """
    form = f"{sign}.{digits + 1}g" if metric in WITH_UNIT else f"{sign}.{digits}f"
    return format(value, form)


@dataclass(frozen=True, slots=True)
class Results:
    """Metrics, the main one first, and the rows that gave them; `tested_on` tells these apart."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    tested_on: str | None = None
    test_rows: int | None = None


def held_out(rows: int, fingerprint: str) -> str:
    """Return what a card calls the rows that a result is of: how many, and twelve digits."""
    return f"{rows} held-out rows, {fingerprint[:DIGITS]}"


def read_results(index: object) -> Results:
    """Return the first result of a card's model-index, as far as it has numbers."""
    try:
        told = index[0]["results"][0]  # type: ignore[index]
        metrics = {str(m["type"]): float(m["value"]) for m in told["metrics"]}
        intervals = {str(m["type"]): _interval(m.get("args")) for m in told["metrics"]}
        found = HELD_OUT.fullmatch(str(told.get("dataset", {}).get("name")))
    except (AttributeError, TypeError, KeyError, IndexError, ValueError, OverflowError):
        return Results()
    return Results(
        {name: value for name, value in metrics.items() if math.isfinite(value)},
        {name: both for name, both in intervals.items() if both},
        found[2] if found else None,
        int(found[1]) if found else None,
    )


def _interval(told: object) -> tuple[float, float] | None:
    """Return the interval among a metric's `args`: the one place that the Hub's client keeps."""
    if not isinstance(told, Mapping) or not {"low", "high"} <= told.keys():
        return None
    low, high = float(told["low"]), float(told["high"])
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def comparable(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return those that were measured alike, together: one task, one metric, the same rows.

    What is counted a token is only alike where the base is: another may have other tokens.
    In the order they come in; what can be compared with nothing else is in no group.
    """
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        if entry.tested_on and entry.main_metric:
            base = entry.base if entry.main_metric in A_TOKEN else None
            alike = (entry.tasks, entry.main_metric, entry.tested_on, entry.test_rows, base)
            groups.setdefault(alike, []).append(entry)
    return [group for group in groups.values() if len(group) > 1]


def best(group: Iterable[Entry]) -> list[Entry]:
    """Return the one with the best main metric of those that compare, or all that tie for it."""
    known = [entry for entry in group if entry.main_metric]
    values = [entry.metrics[str(entry.main_metric)] for entry in known]
    if not values:
        return []
    wanted = (min if known[0].main_metric in LOWER else max)(values)
    return [entry for entry, value in zip(known, values, strict=True) if value == wanted]
