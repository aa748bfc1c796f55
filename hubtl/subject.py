"""What is asked for in the user's words, and what is to be learnt, whatever the base."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock, seconds_of
from .column_faults import leaking_groups
from .dataset import Dataset, read_dataset, see, usable
from .ladder import AUTO, Rung, rungs
from .plugins.hookspecs import Task
from .plugins.manager import plugins
from .plugins.preferring import preferred
from .registry.catalog import catalogue
from .registry.errors import BadOption
from .registry.places import setting
from .results import Finding
from .splitting import split_rows
from .transfer.goal import Goal
from .transfer.listing import FOLDERS
from .transfer.network import choose_device
from .transfer.split import Split, labels_of


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, in the user's words.

    No base is the catalogue's first starter, and no recipe the one that the task prefers.
    """

    task: str
    data: Path
    base: str = ""
    recipe: str = ""
    out: Path | None = None
    test: Path | None = None
    domain: str | None = None
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seed: int = 0
    seeds: int = 1
    hub: str | None = None
    device: str | None = None
    time_budget: str | None = None
    plan: Path | None = None
    resume: bool = False
    retain: Path | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be learnt: a task and its rows, by which recipes, and how long that may take.

    The clock runs from when the subject was begun to be read. `leaks` are columns that tell whose
    rows are alike, which are on both sides.
    """

    task: Task
    rungs: tuple[Rung, ...]
    data: Dataset
    split: Split
    labels: tuple[str, ...]
    goal: Goal
    domain: str | None
    clock: Clock
    leaks: tuple[Finding, ...] = ()

    @property
    def fits_head(self) -> bool:
        """Whether a head can be fitted on what a base makes of rows, to judge the base by."""
        return bool(self.labels) and not self.goal.given


def find_recipes(request: Request) -> tuple[Rung, ...]:
    """Return the recipe asked for, or those to choose from; raises UnknownName and BadOption."""
    task = plugins().task(request.task)
    return rungs(request.recipe or preferred(task)[0], task, request.options)


def preference(request: Request) -> str:
    """Return why it is this recipe, where the task prefers it and none was named; or nothing."""
    recipe, why = preferred(plugins().task(request.task))
    if request.recipe or not why:
        return ""
    return f"No recipe was named, and `{request.task}` prefers `{recipe}`: {why}."


def read_subject(request: Request, offered: tuple[Rung, ...]) -> Subject:
    """Return the rows, read and divided; raises the HubtlError that says what is wrong with them.

    `offered` are the recipes that the request asks for.
    """
    clock = Clock(seconds_of(request.time_budget) if request.time_budget else None)
    task = plugins().task(request.task)
    domain = request.domain or setting("domain")
    if domain:
        catalogue().check_domain(domain)
    if request.device:
        choose_device(request.device)
    goal = task.goal(offered[0].recipe.options)
    asked = (task, request.columns, request.hub)
    seen = see(request.data, *asked, goal=goal)
    data, test = usable(seen), None
    if request.test:
        test = read_dataset(request.test, *asked, goal=goal, fields=data.fields)
    validates = offered[0].method.validates and request.recipe != AUTO
    split = split_rows(data, test, request.seed, validates=validates, goal=goal)
    column = data.columns[task.roles[1].name]
    goal = goal.of((row.label for row in split.train), "" if column == FOLDERS else column)
    labels = goal.classes(labels_of(split.train))
    leaks = leaking_groups(seen) if goal.divides else ()
    return Subject(task, offered, data, split, labels, goal, domain, clock, tuple(leaks))


def check_classes(request: Request, subject: Subject) -> None:
    """Raise BadOption where there are no classes, by which recipes are ranked."""
    if not subject.labels:
        raise BadOption(
            f"`{request.task}` has no classes to tell apart, and recipes are ranked by those",
            f"let `auto` choose: hubtl adapt {request.task} {request.data} --recipe auto",
        )
