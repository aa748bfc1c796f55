"""What adapting would do and take, measured by trying a little of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from .best_base import SHARE
from .contenders import Contenders
from .estimate import Estimate, takes_by, takes_or_why
from .job import Job
from .ladder import Rung
from .results import Plan
from .rounds import ROWS
from .sources import pull, pulled
from .transfer.choices import Choices
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries

ONCE = ("features", "retention", "baselines")
ABSENT = "the base is not here yet: `hubtl pull {}` first, then this can be measured"


def planned(job: Job, progress: Progress) -> Plan:
    """Return the plan with what it takes, where the base is there without a network."""
    plan = job.as_plan()
    here = pulled(job.base.id, job.base.revision) or job.base.package
    if not here and not job.source.name.startswith("folder:"):
        return dataclasses.replace(plan, not_measured=ABSENT.format(job.base.id))
    base = pull(job.source, job.base, progress=progress)
    seeds, recipes, choices = len(job.seeds), {}, Choices()
    with quiet_libraries():
        found = takes_by(
            job.by(job.rungs[0], apart=False) if job.rungs else job, base, choices, progress
        )
        for rung in job.rungs:
            recipes[rung.recipe.name] = _reckoned(job, rung, base, choices, progress, found)
    seconds = {
        name: round(value if name in ONCE else value * seeds, 3)
        for name, value in found.seconds.items()
    }
    if job.contenders:
        seconds |= _ranking(job, job.contenders, found)
    told = {
        "seconds": round(sum(seconds.values()), 3),
        "stages": seconds,
        "least_seconds": round(found.least(seeds), 3),
        "memory_bytes": found.memory_bytes,
        "disk_bytes": found.disk_bytes,
        "choices": dict(found.choices),
    }
    if recipes:  # the least is told above, and here what each recipe takes that may be chosen
        told["recipes"] = recipes
    return dataclasses.replace(plan, estimate=told)


def _ranking(job: Job, among: Contenders, largest: Estimate) -> dict[str, float]:
    """Return the seconds of ranking, as if all candidates took what the largest does.

    The features that it makes are not made again, but where a recipe wants them at a cut.
    """
    learning = len(job.split.train) + len(job.split.validation)
    rows = min(learning, ROWS)
    seconds = largest.seconds
    each = seconds["loading"] + seconds["features"] * rows / learning
    takes = len(among.names) * each if len(among.names) > 1 else 0.0
    budget = job.clock.budget
    if budget is not None:
        return {"ranking": round(min(takes, SHARE * budget), 3)}
    left = seconds["features"] * (1 - rows / learning)
    again = {"features": round(left, 3)} if takes and getattr(job.method, "frozen", False) else {}
    return {"ranking": round(takes, 3), **again}


def _reckoned(
    job: Job, rung: Rung, base: Path, choices: Choices, progress: Progress, like: Estimate
) -> dict[str, Any]:
    """Return what a recipe takes that may be chosen, or `why` it can't be."""
    takes = takes_or_why(job, rung, base, choices, progress, like, apart=False)
    if isinstance(takes, str):
        return {"why": takes}
    return {"seconds": round(takes.whole(len(job.seeds)), 3), "memory_bytes": takes.memory_bytes}
