"""What is to be done: a job in which nothing is misspelt."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checking import warnings_of
from .clock import Clock
from .contenders import Contenders, contenders
from .dataset import Dataset
from .ladder import AUTO, Rung, climbable, refusal
from .lineage import Upon, traced
from .plugins.hookspecs import Method, Source, Task
from .plugins.retaining import Probes
from .probes import own_probes
from .registry.entry import Entry
from .registry.errors import BadOption, HubtlError, UnknownName, nearest
from .registry.fingerprint import rows_fingerprint
from .registry.recipe import Recipe
from .registry.weights import check_weights, needed
from .results import Plan
from .sources import find_model, first_base, pulled
from .splitting import validated
from .subject import Request, Subject, find_recipes, preference, read_subject
from .transfer import resources
from .transfer.goal import Goal
from .transfer.network import Network
from .transfer.split import Split, contents_of
from .transfer.temperature import HeldOut
from .unfinished import read_choices
from .workspace import check_out


@dataclass(frozen=True, slots=True)
class Job:
    """A request with every name resolved and every row read: nothing can be misspelt any more.

    Where there are `contenders`, the base is the largest of them until one is chosen.
    """

    task: Task
    recipe: Recipe
    method: Method
    source: Source
    base: Entry
    data: Dataset
    split: Split
    labels: tuple[str, ...]
    goal: Goal
    out: Path
    domain: str | None
    why: str
    clock: Clock
    choices: Mapping[str, Any]
    request: Request
    upon: Upon | None = None
    warnings: tuple[str, ...] = ()
    retain: Probes | None = None
    rungs: tuple[Rung, ...] = ()
    contenders: Contenders | None = None
    held_out: HeldOut | None = None  # what `auto` knows of rows that its trials did not learn from

    @property
    def asked(self) -> str:
        """The recipe that was asked for: its name, or `auto`."""
        return AUTO if self.rungs else self.recipe.name

    def by(self, rung: Rung, *, apart: bool = True) -> Job:
        """Return the same job by one recipe, with rows to choose by set apart if that takes some.

        Without `apart` it learns from those too, to the end of its schedule.
        """
        split = self.split
        if rung.method.validates and apart:
            split = validated(self.data, split, self.request.seed, self.goal)
        return dataclasses.replace(self, recipe=rung.recipe, method=rung.method, split=split)

    @property
    def seeds(self) -> range:
        """The seeds to train with, one after another."""
        return range(self.request.seed, self.request.seed + self.request.seeds)

    @property
    def address(self) -> str:
        """The id that the card's code uses until the folder is published."""
        return f"local/{_plain(self.out.name)}"

    def network(self, base: Path, device: str | None) -> Network:
        """Return the base with a new head, as the recipe's options have it."""
        options = {name: self.recipe.options[name] for name in self.task.options}
        return self.task.network(base, self.base, self.labels, device, options)

    def as_plan(self) -> Plan:
        """Return what would be done."""
        there = pulled(self.base.id, self.base.revision)
        sizes = [self.base.files[path].size for path in needed(self.base.files)]
        download = (0 if there else sum(sizes)) + (self.upon.download_bytes if self.upon else 0)
        among = self.contenders
        return Plan(
            self.task.name,
            AUTO if among else self.base.id,
            None if among else self.base.revision,
            self.asked,
            self.recipe.options,
            self.why,
            self.split.sizes,
            self.labels,
            self.data.columns,
            str(self.out),
            among.download_bytes if among else download,
            upon=self.upon.name if self.upon and not among else None,
            warnings=self.warnings,
            recipes=tuple(each.recipe.name for each in self.rungs),
            origin=self.data.origin,
            candidates=among.names if among else (),
            preference=preference(self.request),
            made=self.data.made,
        )


def prepare(request: Request) -> Job:
    """Return the job; raises the HubtlError that says what stands in its way, before any work."""
    if request.seeds < 1:
        raise BadOption(f"`--seeds {request.seeds}` is no number of seeds", "1 or more")
    known = find_recipes(request)
    recipe = AUTO if request.recipe == AUTO else known[0].recipe.name
    out = request.out or Path("adapted", f"{_plain(request.data.stem)}-{recipe}")
    check_out(out)
    subject = read_subject(request, known)
    if request.base == AUTO:
        return _undecided(request, subject, out)
    if request.base:
        found, why = _named(request), _asked(request)
    else:
        base, why = first_base(subject.task)
        found = find_model(base, "starter")
    return job_of(request, subject, found, out, why)


def _named(request: Request) -> tuple[Source, Entry]:
    """Return the base that was named; raises UnknownName, which knows that `auto` is no model."""
    try:
        return find_model(request.base, request.hub)
    except UnknownName as error:
        if "/" in request.base or not nearest(request.base, [AUTO]):
            raise
        raise UnknownName(error.message, f"did you mean `--base {AUTO}`?") from error


def _undecided(request: Request, subject: Subject, out: Path) -> Job:
    """Return the job with all candidates for its base, by the largest that it can be done with."""
    among = contenders(request, subject)
    failed: HubtlError | None = None
    for each in among.largest_first:
        try:
            job = job_of(request, subject, each.there(), out, "The base is chosen by a ranking.")
        except HubtlError as error:
            failed = failed or error
            continue
        return dataclasses.replace(job, contenders=among)
    assert failed, "there is at least one candidate"
    raise failed


def check_recipe(found: Rung, subject: Subject) -> None:
    """Raise BadOption where a recipe can't learn what a subject's labels are."""
    if not subject.labels and getattr(found.method, "linear", False):
        raise BadOption(
            f"`{found.recipe.name}` makes a head that tells classes apart, and "
            f"`{subject.task.name}` has none",
            "--recipe lora",
        )
    why_not, instead = refusal(found, subject.goal)
    if why_not:
        raise BadOption(why_not, instead)


def job_of(
    request: Request,
    subject: Subject,
    found: tuple[Source, Entry],
    out: Path,
    why: str,
    warnings: tuple[str, ...] | None = None,
) -> Job:
    """Return the job of a subject with one base; raises the HubtlError that stands in its way.

    `warnings` are those of its rows, where they are known.
    """
    source, entry, upon = traced(*found, request.hub)
    if not re.fullmatch("[0-9a-f]{40}", entry.revision or ""):
        raise BadOption(f"`{entry.id}` has no commit to pin", "choose another --base")
    check_weights(entry.id, entry.files)
    task, goal, split = subject.task, subject.goal, subject.split
    rungs = climbable(subject.rungs, len(subject.labels), goal)
    recipe, method = rungs[0].recipe, rungs[0].method
    check_recipe(rungs[0], subject)
    why = f"{why} {preference(request)}".strip()
    return Job(
        task, recipe, method, source, entry, subject.data, split, subject.labels, goal, out,
        subject.domain, why, subject.clock, read_choices(request.plan) if request.plan else {},
        request, upon,
        warnings_of(split, task, goal, subject.leaks) if warnings is None else warnings,
        own_probes(
            request.retain, task, (request.columns, request.hub), goal, subject.data.fields
        ),
        rungs if request.recipe == AUTO else (),
    )  # fmt: skip


def _asked(request: Request) -> str:
    """Return the sentence on why it is this base and this recipe, where the user said so."""
    if request.recipe in ("", AUTO):
        return f"The base `{request.base}` was asked for."
    return f"The recipe and the base `{request.base}` were asked for."


def identity(job: Job) -> dict[str, Any]:
    """Return all that decides what comes out: two runs with the same are the same work."""
    return {
        "task": job.task.name,
        "base": AUTO if job.contenders else f"{job.base.id}@{job.base.revision}",
        "upon": job.upon.name if job.upon and not job.contenders else None,
        "recipe": job.asked,
        "recipes": [each.recipe.name for each in job.rungs],
        "method": job.method.name,
        "options": dict(job.recipe.options),
        "rows": [rows_fingerprint(contents_of(part)) for part in _parts(job.split)],
        "seeds": list(job.seeds),
        "choices": dict(job.choices),
        "device": job.request.device,
        "retain": job.request.retain,
        "out": str(job.out.absolute()),
        "versions": resources.versions(),
    }


def _parts(split: Split) -> tuple[Sequence[Any], ...]:
    return split.train, split.validation, split.test


def _plain(name: str) -> str:
    """Return a name with nothing in it that a hub's grammar forbids."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    while "--" in kept or ".." in kept:
        kept = kept.replace("--", "-").replace("..", ".")
    return kept.strip(".-") or "model"


def options_from(pairs: Sequence[str]) -> dict[str, str]:
    """Return `--set KEY=VALUE` texts as a dict; raises BadOption for one without `=`."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise BadOption(f"`--set {pair}` is not KEY=VALUE", "such as --set epochs=5")
        found[key] = value
    return found
