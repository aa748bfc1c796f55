"""What adapting would do and take, measured by trying a little of it."""

from __future__ import annotations

import dataclasses

from .estimate import takes_by
from .job import Job
from .results import Plan
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
        found = takes_by(job.by(job.rungs[0]) if job.rungs else job, base, choices, progress)
        for rung in job.rungs:
            takes = takes_by(job.by(rung), base, choices, progress, like=found)
            recipes[rung.recipe.name] = {
                "seconds": round(takes.whole(seeds), 3),
                "memory_bytes": takes.memory_bytes,
            }
    seconds = {
        name: round(value if name in ONCE else value * seeds, 3)
        for name, value in found.seconds.items()
    }
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
