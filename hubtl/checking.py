"""Look for what is wrong with data before anything learns from them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .column_faults import column_faults
from .dataset import Seen, see
from .label_faults import class_faults, counts_of, doubtful
from .plugins.check import Checkable, Look
from .plugins.hookspecs import Task
from .plugins.manager import plugins
from .registry.recipe import Recipe
from .results import Checked, Finding
from .row_faults import (
    Sheet,
    copies,
    near_copies,
    odd_sizes,
    shared_parts,
    sheet_of,
    sizes_of,
)
from .splitting import RIVAL_ROWS
from .transfer.goal import Goal
from .transfer.progress import Progress
from .transfer.split import Split, joined

SEVERITIES = ("error", "warning", "note")
TOLD = 4  # warnings before work
FEW_ENOUGH = 5_000  # rows whose inputs are looked at before work, in a few seconds


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be checked, in the user's words."""

    task: str
    data: Path
    test: Path | None = None
    base: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    hub: str | None = None
    seed: int = 0


def check(wanted: Wanted, progress: Progress) -> Checked:
    """Return what was found; raises where the data can't be read at all."""
    began = time.perf_counter()
    task = plugins().task(wanted.task)
    options = Recipe(task.name, "", "", task.options).with_options(wanted.options).options
    goal = task.goal(options)
    seen = see(wanted.data, task, wanted.columns, wanted.hub, goal=goal)
    other = None
    if wanted.test:
        fields = seen.data.fields
        other = see(wanted.test, task, wanted.columns, wanted.hub, goal=goal, fields=fields)
    sheet = _sheet(seen, other)
    findings = [*_unusable(seen, other), *copies(sheet), *class_faults(sheet, goal)]
    findings += [*_made(seen, other), *shared_parts(sheet, task.roles[0])]
    progress("looking at columns", 0, 1)
    findings += column_faults(seen, classes=goal.divides)
    progress("looking at columns", 1, 1)
    rows = [rows[0] for rows in sheet.firsts().values()]
    look = task.look([sheet.inputs[row] for row in rows]) if isinstance(task, Checkable) else None
    not_checked: list[str] = []
    if look is None:
        not_checked.append(f"near duplicates and sizes: `{task.name}` does not say how")
    else:
        progress("looking at inputs", 0, 1)
        findings += near_copies(sheet, look, rows)
        findings += odd_sizes(sheet, look, rows)
        progress("looking at inputs", 1, 1)
    features, plain, why = _features(wanted, task, goal, options, sheet, rows, look, progress)
    if features is None:
        not_checked.append(f"doubtful labels: {why}")
    else:
        findings += doubtful(sheet, features, rows, plain, wanted.seed, progress)
    classes = () if goal.ordered else goal.classes(sheet.labels)
    numbers = [float(label) for label in sheet.labels] if goal.ordered else []
    counts = counts_of(sheet.labels, goal, classes).tolist() if classes else []
    return Checked(
        task.name,
        str(wanted.data),
        seen.data.columns,
        {"train": sheet.learning, "test": len(sheet) - sheet.learning},
        dict(zip(classes, counts, strict=True)),
        tuple(sorted(findings, key=lambda each: SEVERITIES.index(each.severity))),
        {
            **({"label": sizes_of(numbers)} if numbers else {}),
            **{name: sizes_of(each) for name, each in (look.measures() if look else {}).items()},
        },
        {name: dict(Counter(e).most_common()) for name, e in look.traits().items()} if look else {},
        tuple(not_checked),
        time.perf_counter() - began,
    )


def warnings_of(
    split: Split, task: Task, goal: Goal, leaks: Sequence[Finding] = ()
) -> tuple[str, ...]:
    """Return what to tell before work about rows that were divided; at most a few lines.

    `leaks` are findings about their columns.
    """
    sheet = sheet_of(joined(split.train, split.validation), split.test, divided=True)
    findings = [*copies(sheet), *class_faults(sheet, goal), *leaks]
    findings += shared_parts(sheet, task.roles[0])
    if isinstance(task, Checkable) and len(sheet) <= FEW_ENOUGH:
        rows = [rows[0] for rows in sheet.firsts().values()]
        findings += near_copies(sheet, task.look([sheet.inputs[row] for row in rows]), rows)
    found = [each.what for each in findings if each.severity == "warning"]
    if split.dropped:
        rows_are = "test rows are" if split.dropped > 1 else "test row is"
        found.insert(0, f"{split.dropped} {rows_are} in training too: dropped")
    more = len(found) - TOLD
    return (*found[:TOLD], *([f"and {more} more: see `hubtl check`"] if more > 0 else []))


def _sheet(seen: Seen, other: Seen | None) -> Sheet:
    """Return the rows to learn from and to test with, as `adapt` would take them."""
    data, marked = seen.data, any(map(len, seen.data.parts.values()))
    learning: Sequence[Any] = data.examples
    if marked:
        learning = joined(data.parts["train"], data.parts["validation"])
    tests: Sequence[Any] = data.parts["test"]
    if other:
        tests = other.data.parts["test"] or other.data.examples
    return sheet_of(learning, tests, divided=len(tests) > 0)


def _unusable(*seen: Seen | None) -> Iterator[Finding]:
    for each in (fault for one in seen if one for fault in one.unusable):
        yield Finding("unreadable", "error", each.error.message, each.error.hint or "", each.rows)


def _made(*seen: Seen | None) -> Iterator[Finding]:
    for made in (one.data.made for one in seen if one and one.data.made):
        hint = "where a column has scores, name it: --column score=NAME"
        yield Finding("made", "note", made, hint, 0)


def _features(
    wanted: Wanted,
    task: Task,
    goal: Goal,
    options: Mapping[str, Any],
    sheet: Sheet,
    rows: Sequence[int],
    look: Look | None,
    progress: Progress,
) -> tuple[Any, str, str]:
    """Return features of rows, what they are, and where there are none why not."""
    if not goal.divides:
        return None, "", "labels are numbers" if goal.ordered else "rows have no single class"
    if len(rows) > RIVAL_ROWS:
        return None, "", f"more than {RIVAL_ROWS} rows take hours"
    if wanted.base:
        from .frozen import frozen_features

        labels = goal.classes(sheet.labels)
        inputs = [sheet.inputs[row] for row in rows]
        found = frozen_features(task, wanted.base, wanted.hub, inputs, labels, options, progress)
        return found, f"features of `{wanted.base}`", ""
    if look is None:
        return None, "", f"`{task.name}` has no plain features; say --base ID"
    return look.features(), look.plain, ""
