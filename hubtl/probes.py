"""Inputs of the user's own by which it is seen what a model has forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .dataset import read_dataset, see_inputs
from .plugins.hookspecs import Task
from .plugins.retaining import Probes, Retaining
from .registry.errors import BadData, BadOption
from .transfer.goal import Goal
from .transfer.retention import FEWEST, MOST
from .transfer.split import evenly

MOST_TEXTS = 50  # rows to write down: each takes as long as many that are only looked at
OWN = "of the inputs given by --retain"


def own_probes(
    retain: Path | None,
    task: Task,
    asked: tuple[Mapping[str, str], str | None],
    goal: Goal,
    fields: Sequence[str] = (),
) -> Probes | None:
    """Return the user's own inputs in `retain`, which is read as `asked`; None where there is none.

    `fields` are the columns that an input is made of, where it is of several. Raises BadOption
    where the task can't be asked what it retains, BadData for too few inputs.
    """
    if retain is None:
        return None
    if not isinstance(task, Retaining):
        why = f"`{task.name}` doesn't tell what its models retain"
        raise BadOption(why, "leave --retain out")
    return _own(retain, task, asked, goal, fields, task.retention_judged)


def _own(
    path: Path,
    task: Task,
    asked: tuple[Mapping[str, str], str | None],
    goal: Goal,
    fields: Sequence[str],
    judged: bool,
) -> Probes:
    """Return inputs of the user's, no two of which are the same, evenly out of all."""
    columns, hub = asked
    labels: Sequence[str] = ()
    keeps: Any = None
    if judged:
        rows = read_dataset(path, task, columns, hub, goal=goal, fields=fields).examples
        keeps, inputs = rows, [row.input for row in rows]
        labels = [row.label for row in rows]
    else:
        found, keeps = see_inputs(path, task, columns, hub, fields)
        inputs = list(dict.fromkeys(each for each in found if each.strip()))
        if len(inputs) < FEWEST:
            many = f"{len(inputs)} different input{'s' * (len(inputs) != 1)}"
            raise BadData(
                f"`{path}` has {many}, and what is forgotten is seen by {FEWEST} or more",
                "add rows, or leave --retain out",
            )
    numbers = evenly(len(inputs), MOST_TEXTS if judged else MOST)
    words = f"{len(numbers)} {OWN}"
    chosen = tuple(inputs[number] for number in numbers)
    return Probes(words, chosen, tuple(labels[number] for number in numbers if labels), keeps)
