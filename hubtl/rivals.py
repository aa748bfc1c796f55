"""What plain rivals say of rows, also where a row may have several labels at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .job import Job
from .transfer.split import Example, Split, joined

ALWAYS = "majority"  # the rival that says the same of each row
HAS, LACKS = "yes", "no"


def rivals_of(job: Job, split: Split, base: Path) -> dict[str, Sequence[str]]:
    """Return the labels that each of a task's plain rivals gives the test rows.

    Where rows may have several labels, a rival learns whether each one is there, label by label: to
    take every combination for a class of its own would be an easy rival. The commonest label is the
    commonest combination all the same, since most labels alone are more often absent.
    """
    found = {**job.task.baselines(split, job.request.seed, base)}
    if not job.goal.lists:
        return found
    said: dict[str, list[list[str]]] = {}
    for label in job.labels:
        for name, answers in _by_presence(job, split, base, label).items():
            there = said.setdefault(name, [[] for _ in split.test])
            for row, answer in zip(there, answers, strict=True):
                row += [label] if answer == HAS else []
    said.pop(ALWAYS, None)
    return found | {name: [job.goal.said(row) for row in rows] for name, rows in said.items()}


def _by_presence(job: Job, split: Split, base: Path, label: str) -> Mapping[str, Sequence[str]]:
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
