"""What plain rivals say of rows, also where a row may have several labels at once, or a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .job import Job
from .plugins.rivals import MEAN, Estimating, mean_of
from .transfer.goal import Goal
from .transfer.measure import values
from .transfer.split import Example, Split, joined, to_choose_by

HAS, LACKS = "yes", "no"
HELD = 0.25  # of the rows to learn from, by which a rival's way is chosen

Said = Mapping[str, Sequence[str]]
Rivals = Callable[[Split], Said]


def rivals_of(job: Job, split: Split, base: Path) -> Said:
    """Return the labels that each of a task's plain rivals gives the test rows.

    Where rows may have several labels, a rival takes each combination for a class of its own, or
    learns whether each label is there, label by label: whichever does better on a quarter of the
    rows to learn from, so that it is a fair rival. Where few rows have several the first is better,
    since it always says something.
    """

    if job.goal.ordered:
        return _of_numbers(job, split, base)

    def combinations(some: Split) -> Said:
        return job.task.baselines(some, job.request.seed, base)

    def apart(some: Split) -> Said:
        return by_label(combinations, job.goal, job.labels, some)

    if not job.goal.lists:
        return combinations(split)
    kept, held = to_choose_by(
        joined(split.train, split.validation), HELD, job.request.seed, strata=False
    )
    tried = replace(split, train=kept, validation=(), test=held)
    true, main = [row.label for row in held], next(iter(job.goal.metrics))

    def reached(way: Rivals) -> dict[str, float]:
        said = way(tried) if held else {}
        return {name: values(true, told, job.goal.metrics)[main] for name, told in said.items()}

    together, alone = reached(combinations), reached(apart)
    better = {name for name, value in alone.items() if value > together[name]}
    said = apart(split) if better else {}
    return {**combinations(split), **{name: said[name] for name in better}}


def words_of(job: Job) -> Mapping[str, str]:
    """Return what each of a task's plain rivals is."""
    if job.goal.ordered:
        task = job.task
        return task.number_rivals if isinstance(task, Estimating) else {"majority": MEAN}
    return getattr(job.task, "rivals", {})  # a plugin may be of before


def _of_numbers(job: Job, split: Split, base: Path) -> Said:
    if isinstance(job.task, Estimating):
        return job.task.estimates(split, job.request.seed, base)
    return {"majority": mean_of(joined(split.train, split.validation), split.test)}


def by_label(rivals: Rivals, goal: Goal, labels: Sequence[str], split: Split) -> Said:
    """Return what rivals say that learn whether each label is there, one after the other."""
    said: dict[str, list[list[str]]] = {}
    for label in labels:
        there = replace(
            split,
            train=_presence(split.train, goal, label),
            validation=_presence(split.validation, goal, label),
            test=_presence(split.test, goal, label),
        )
        for name, answers in rivals(there).items():
            found = said.setdefault(name, [[] for _ in split.test])
            for row, answer in zip(found, answers, strict=True):
                row += [label] if answer == HAS else []
    return {name: [goal.said(row) for row in rows] for name, rows in said.items()}


def _presence(rows: Sequence[Example], goal: Goal, label: str) -> list[Example]:
    """Return rows whose label is whether they have one of theirs."""
    return [replace(row, label=HAS if label in goal.shown(row.label) else LACKS) for row in rows]
