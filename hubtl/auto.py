"""`auto`: from the cheapest recipe up, as far as rows, time and memory allow.

    HUBTL_HOME/unfinished/KEY/climb/            what each recipe said of each part, and took
    HUBTL_HOME/unfinished/KEY/climb/done.json   what came of it all

What is there is not done again by `--resume`; all of it goes once the adapted folder is whole.
"""

from __future__ import annotations

import json
from pathlib import Path

from .ascent import Ascent
from .climbing import Climb
from .estimate import Estimate, takes_by
from .job import Job
from .registry.errors import BadOption
from .transfer.progress import Progress
from .unfinished import Unfinished

ROOM, DONE = "climb", "done.json"


def chosen(
    job: Job, base: Path, work: Unfinished, progress: Progress
) -> tuple[Job, Climb, Estimate | None]:
    """Return the job by the recipe that is worth it, what was tried, and what it takes to do it.

    That is told where there is a time budget. Raises BadOption where that is below the least that
    the cheapest recipe takes.
    """
    found = climb(job, base, work, progress)
    offered = {each.recipe.name: each for each in job.rungs}
    if found.recipe not in offered:
        raise BadOption(
            f"the plan chose `{found.recipe}`, which is not among {', '.join(offered)}",
            "leave `--plan` out, or give that of a job like this one",
        )
    rung = offered[found.recipe]
    job = job.by(rung)
    if job.clock.budget is None:
        return job, found, None
    return job, found, takes_by(job, base, work.within(ROOM, {}).choices, progress)


def climb(job: Job, base: Path, work: Unfinished, progress: Progress) -> Climb:
    """Return which of the job's recipes is worth it, by rows to learn from; test rows have no say.

    Raises BadOption where a time budget is below the least that the cheapest takes.
    """
    room = work.within(ROOM, {})
    done = room.folder / DONE
    if done.is_file():
        found = Climb.from_json(json.loads(done.read_text("utf-8")))
        work.choices.put("recipe", found.recipe)
        return found
    metric = next(iter(job.goal.metrics))
    known = work.choices.get("recipe")
    if known:
        others = [each.recipe.name for each in job.rungs if each.recipe.name != known]
        return Climb(known, metric, not_tried=dict.fromkeys(others, "an earlier plan had chosen"))
    found = Ascent(job, base, work, room, progress, metric).climbed()
    beside = done.with_suffix(".new")
    beside.write_text(json.dumps(found.as_json()), "utf-8")
    beside.replace(done)
    work.choices.put("recipe", found.recipe)
    return found
