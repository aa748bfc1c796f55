"""Adapt a base to rows: check everything, fit, save, and measure what was saved."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .auto import chosen
from .best_base import decided
from .climbing import Climb
from .energy import EnergyMeter
from .estimate import Estimate, check_least, estimate, in_steps
from .full_estimate import full_estimate
from .job import Job, identity
from .learning import Outcome, learn
from .plugins.manager import plugins
from .predictions import write_predictions
from .record import Seed, facts_of, told_of_climb
from .registry.card import render
from .rehearsal import rehearse
from .remembering import remember
from .reporting import write_report
from .results import Adapted, Plan
from .retention import retained
from .rivals import rivals_of
from .sources import pull
from .splitting import RIVAL_ROWS, write_split
from .transfer.choices import Choices
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries
from .transfer.split import at_most
from .unfinished import Unfinished, unfinished, write_plan
from .workspace import disk_told, staged


def adapt(job: Job, progress: Progress, tell: Callable[[Plan], None]) -> Adapted:
    """Do the job and return the folder, whole and measured; on any failure nothing is left.

    `tell` is given the plan once the base is known.
    """
    about = identity(job)
    with (
        EnergyMeter() as meter,
        disk_told(job.out),
        unfinished(about, job.choices, resume=job.request.resume) as work,
        staged(job.out) as folder,
        quiet_libraries(),
    ):
        _use_threads(work.choices)
        job = decided(job, work.choices, progress)
        tell(job.as_plan())
        base = pull(job.source, job.base, progress=progress)
        climbed: Climb | None = None
        if job.rungs:
            job, climbed, takes = chosen(job, base, work, progress)
        else:
            takes = _takes(job, base, progress)
        _keep_to_budget(job, takes, work.choices, begun=bool(climbed and climbed.trials))
        progress = job.clock.watched(progress)
        best, seeds = _best(job, base, work, takes, progress)
        for each in best.folder.iterdir():
            shutil.move(each, folder)
        seed = job.request.seed
        few = at_most(job.split, RIVAL_ROWS, seed, strata=job.goal.divides)
        rivals = rivals_of(job, few, base)
        write_predictions(folder, job.split.test, best.predicted, rivals)
        write_split(folder, job.split, seed)
        write_plan(folder, about, work.choices.all())
        retention = retained(job, base, best.predicted.kept, progress)
        made = work.choices.all()
        facts = facts_of(job, best, seeds, rivals, made, base, folder, retention, meter.read())
        # After all is counted: it is no part of what the job took.
        would_take = full_estimate(job, base, facts, progress)
        facts = told_of_climb(dataclasses.replace(facts, full_estimate=would_take), climbed)
        facts.write(folder)
        sections = plugins().sections(folder)
        name = job.address.partition("/")[2]
        card = render(facts, best.snippet, name=name, more=sections)
        (folder / "README.md").write_text(card, encoding="utf-8")
        write_report(folder)
    remember(facts, folder=job.out)
    return Adapted(job.out, facts)


def _use_threads(choices: Choices) -> None:
    """Compute with as many threads as the first time: sums come out by how they are divided."""
    import torch

    torch.set_num_threads(choices.once("threads", torch.get_num_threads))


def _takes(job: Job, base: Path, progress: Progress) -> Estimate | None:
    """Return what the job will take, where there is a time budget to keep to."""
    if job.clock.budget is None:
        return None
    return estimate(job, rehearse(job, base, progress))


def _keep_to_budget(job: Job, takes: Estimate | None, choices: Choices, *, begun: bool) -> None:
    """Choose how many steps of training a time budget leaves room for, if there is one.

    Raises BadOption where the budget is below the least possible, unless work was `begun`: what
    `auto` looked at before it tried recipes is then no reason to end without a result.
    """

    def steps_of(takes: Estimate) -> int | None:
        if not begun:
            check_least(takes, job.clock, len(job.seeds))
        return in_steps(takes, job.clock, len(job.seeds))

    if takes:
        choices.add(takes.choices)
        choices.once("steps", lambda: steps_of(takes))


def _best(
    job: Job, base: Path, work: Unfinished, takes: Estimate | None, progress: Progress
) -> tuple[Outcome, list[Seed]]:
    """Train with each seed, and return the best by validation rows, and what each reached."""
    best: Outcome | None = None
    looked: Mapping[str, Any] = {}
    seeds: list[Seed] = []
    for number, seed in enumerate(job.seeds):
        if takes:
            job.clock.kept = takes.after_training(len(job.seeds) - number - 1)
        room = work.folder / f"seed-{seed}" / "result"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        found = learn(job, base, seed, room, work.checkpoint(seed), work.choices, progress)
        seeds.append(Seed(seed, found.metrics))
        looked = looked or found.layers
        if best is None:
            best = found
        elif found.loss < best.loss:
            best = dataclasses.replace(found, curve=best.curve)
    assert best is not None, "there is at least one seed"
    return dataclasses.replace(best, layers=best.layers or looked), seeds
