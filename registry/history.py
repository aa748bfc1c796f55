"""What was published under a name before: the result of each version, for the card's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .comparing import figure
from .facts import Facts
from .weights import ADAPTER_CONFIG

MOST = 50  # versions that a card keeps
NUMBERS = ("value", "low", "high")


def after(live: Facts, revision: str, tags: Sequence[str], new: Facts) -> tuple[Any, ...]:
    """Return the history of `new`, given what is live under its name: that one, and its history.

    What is live adds nothing where it is the same work: publishing twice is one version.
    """
    if is_same(live, new):
        return tuple(live.history)
    value = live.metrics[live.main_metric]
    told = {
        "revision": revision,
        "tags": sorted(tags),
        "base": live.base,
        "recipe": live.recipe,
        "metric": live.main_metric,
        **{name: value[name] for name in NUMBERS},
        "rows": live.rows["test"],
        "test_fingerprint": live.data["test_fingerprint"],
    }
    return (told, *live.history)[:MOST]


def is_same(one: Facts, other: Facts) -> bool:
    """Return whether two facts are of one work: the same files, measured alike.

    What names the base may differ, where one of the two stands upon a copy of it.
    """
    return work_of(one) == work_of(other)


def work_of(facts: Facts) -> tuple[Any, ...]:
    """Return what facts of one work have in common, and those of another have not."""
    files = {**facts.files, ADAPTER_CONFIG: ""}
    return files, facts.metrics, facts.data.get("test_fingerprint")


def table(facts: Facts) -> str:
    """Return all versions as a table, this one first; those of the same test rows compare."""
    lines = [
        "| version | base | recipe | result | test rows |",
        "|---|---|---|---|---|",
        _line("**this one**", facts.base, facts.recipe, _value(facts), facts.rows["test"], True),
    ]
    for version in facts.history:
        named = ", ".join(f"`{tag}`" for tag in version["tags"])
        name = f"{named} `{version['revision'][:7]}`".strip()
        same = version["test_fingerprint"] == facts.data["test_fingerprint"]
        result = _result(version["metric"], version)
        lines.append(_line(name, version["base"], version["recipe"], result, version["rows"], same))
    lines += ["", "Results on the same test rows compare; others don't."]
    return "\n".join(lines)


def _value(facts: Facts) -> str:
    return _result(facts.main_metric, facts.metrics[facts.main_metric])


def _result(metric: str, value: Mapping[str, float]) -> str:
    told, low, high = (figure(metric, value[name]) for name in ("value", "low", "high"))
    return f"{metric} {told} ({low}–{high})"


def _line(name: str, base: str, recipe: str, result: str, rows: int, same: bool) -> str:
    which = "the same" if same else "others"
    return f"| {name} | {base} | {recipe} | {result} | {rows}, {which} |"
