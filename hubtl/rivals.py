"""What plain rivals say of rows, also where a row may have several labels at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .job import Job
from .transfer.measure import values
from .transfer.split import Example, Split, hold_out, joined

HAS, LACKS = "yes", "no"
HELD = 0.25  # of the rows to learn from, by which a rival's way is chosen

Said = Mapping[str, Sequence[str]]


def rivals_of(job: Job, split: Split, base: Path) -> Said:
    """Return the labels that each of a task's plain rivals gives the test rows.

    Where rows may have several labels, a rival takes each combination for a class of its own, or
    learns whether each label is there, label by label: whichever does better on a quarter of the
    rows to learn from, so that it is a fair rival. Where few rows have several the first is better,
    since it always says something.
    """
    if not job.goal.lists:
        return job.task.baselines(split, job.request.seed, base)
    rows = joined(split.train, split.validation)
    kept, held = hold_out(rows, HELD, job.request.seed, strata=False)
    tried = replace(split, train=kept, validation=(), test=held)
    true, main = [row.label for row in held], next(iter(job.goal.metrics))

    def reached(way: Callable[[Job, Split, Path], Said]) -> dict[str, float]:
        said = way(job, tried, base) if held else {}
        return {name: values(true, told, job.goal.metrics)[main] for name, told in said.items()}

    together, apart = reached(_combinations), reached(_by_label)
    found = dict(_combinations(job, split, base))
    better = {name for name in found if apart.get(name, 0.0) > together.get(name, 0.0)}
    if better:
        found |= {name: s for name, s in _by_label(job, split, base).items() if name in better}
    return found


def _combinations(job: Job, split: Split, base: Path) -> Said:
    """Return what rivals say to whom every combination of labels is a class."""
    return job.task.baselines(split, job.request.seed, base)


def _by_label(job: Job, split: Split, base: Path) -> Said:
    """Return what rivals say that learn whether each label is there, one after the other."""
    said: dict[str, list[list[str]]] = {}
    for label in job.labels:
        for name, answers in _presence(job, split, base, label).items():
            there = said.setdefault(name, [[] for _ in split.test])
            for row, answer in zip(there, answers, strict=True):
                row += [label] if answer == HAS else []
    return {name: [job.goal.said(row) for row in rows] for name, rows in said.items()}


def _presence(job: Job, split: Split, base: Path, label: str) -> Said:
    """Return whether each test row has a label, as each rival says."""

    def asked(rows: Sequence[Example]) -> list[Example]:
        return [
            replace(row, label=HAS if label in job.goal.shown(row.label) else LACKS) for row in rows
        ]

    few = replace(
        split, train=asked(split.train), validation=asked(split.validation), test=asked(split.test)
    )
    known = {row.label for row in joined(few.train, few.validation)}
    if len(known) < 2:  # then there is nothing to learn
        return dict.fromkeys(job.task.rivals, [*known] * len(few.test))
    return job.task.baselines(few, job.request.seed, base)
