"""Models in tables: bases by what they are, adapters by what they reached."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

import hubtl
from hubtl.registry.comparing import best, comparable, figure

from . import screen


def say_models(entries: Sequence[hubtl.Entry]) -> None:
    """Print a table for each task and metric that adapters are judged by, and one for all else.

    The one with the best entry comes first, and within each the best.
    """
    tables: dict[tuple[str, str] | None, list[hubtl.Entry]] = {}
    for entry in entries:
        judged = (", ".join(entry.tasks), entry.main_metric) if entry.kind == "adapter" else None
        tables.setdefault(judged if judged and judged[1] else None, []).append(entry)  # type: ignore[arg-type]
    marks = marked(entries)
    for number, (judged, listed) in enumerate(tables.items()):
        if number:
            screen.say()
        if judged is None:
            _say_plainly(listed)
        else:
            if len(tables) > 1:
                screen.say(f"adapters for {judged[0]}")
            _say_adapters(listed, judged[1], marks)
    say_meaning(entries, marks)


def _say_plainly(entries: Iterable[hubtl.Entry]) -> None:
    screen.table(
        ("MODEL", "FOR", "PARAMS", "LICENCE", "HUB", "ABOUT"),
        [
            (
                entry.id,
                ", ".join(entry.domains) or "–",
                screen.params(entry.params),
                entry.licence or "unknown",
                entry.hub,
                entry.about or ", ".join(entry.tasks),
            )
            for entry in entries
        ],
        numbers=("PARAMS",),
    )


def _say_adapters(entries: Iterable[hubtl.Entry], metric: str, marks: dict[str, str]) -> None:
    screen.table(
        ("MODEL", metric.upper(), "TEST", "FOR", "MADE FROM", "LICENCE", "HUB"),
        [
            (
                entry.id,
                result(entry),
                marks.get(entry.id, "–"),
                ", ".join(entry.domains) or "–",
                entry.upon or entry.base or "unknown",
                entry.licence or "unknown",
                entry.hub,
            )
            for entry in entries
        ],
        less=("MADE FROM", "FOR", "LICENCE", "HUB"),
    )


def result(entry: hubtl.Entry) -> str:
    """Return a model's main result with its interval, as far as its hub tells them."""
    metric = entry.main_metric
    if metric is None:
        return "not known"
    value, both = entry.metrics[metric], entry.intervals.get(metric)
    if not both:
        return figure(metric, value)
    return screen.interval({"value": value, "low": both[0], "high": both[1]}, metric)


def marked(entries: Iterable[hubtl.Entry]) -> dict[str, str]:
    """Return a letter by the id of each model whose result compares with another's, and `best`."""
    marks: dict[str, str] = {}
    for number, group in enumerate(comparable(entries)):
        letter = string.ascii_uppercase[number] if number < 26 else f"A{number}"
        marks |= {entry.id: letter for entry in group}
        marks |= {entry.id: f"{letter}, best" for entry in best(group)}
    return marks


def say_meaning(entries: Iterable[hubtl.Entry], marks: dict[str, str]) -> None:
    """Print what the letters mean, where there are any, and that the rest do not compare."""
    judged = [entry for entry in entries if entry.kind == "adapter" and entry.main_metric]
    letters = {
        marks[entry.id].partition(",")[0]: entry.test_rows for entry in judged if entry.id in marks
    }
    if len(judged) > 1:
        screen.say()
    for letter, rows in letters.items():
        screen.say(f"{letter}: the same {rows} test rows, so these results compare")
    if letters:
        screen.say(
            "best: whether by more than chance, `hubtl evaluate MODEL DATA --against OTHER` says"
        )
    others = sum(entry.id not in marks for entry in judged)
    if others and len(judged) > 1:
        screen.say("–: test rows that no other here has, so its result compares with none")
