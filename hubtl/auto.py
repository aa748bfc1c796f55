"""`auto`: from the cheapest recipe up, as far as rows, time and memory allow.

    HUBTL_HOME/unfinished/KEY/climb/            what each recipe said of each part, and took
    HUBTL_HOME/unfinished/KEY/climb/done.json   what came of it all, and of the rows held out

What is there is not done again by `--resume`; all of it goes once the adapted folder is whole.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .ascent import Ascent
from .climbing import Climb
from .estimate import Estimate, takes_by
from .job import Job
from .registry.errors import BadOption
from .transfer.choices import Choices
from .transfer.progress import Progress
from .transfer.temperature import HeldOut
from .unfinished import Unfinished

ROOM, DONE = "climb", "done.json"
ALL_ROWS, TEMPERATURE = "learns from all rows", "temperature"


def chosen(
    job: Job, base: Path, work: Unfinished, progress: Progress
) -> tuple[Job, Climb, Estimate | None]:
    """Return the job by the recipe that is worth it, what was tried, and what it takes to do it.

    It learns as it was tried: from all rows, to the end of its schedule. What it takes is told
    where there is a time budget. Raises BadOption where that is below the least that the cheapest
    recipe takes.
    """
    found, held_out = climb(job, base, work, progress)
    offered = {each.recipe.name: each for each in job.rungs}
    if found.recipe not in offered:
        raise BadOption(
            f"the plan chose `{found.recipe}`, which is not among {', '.join(offered)}",
            "leave `--plan` out, or give that of a job like this one",
        )
    rung = offered[found.recipe]
    apart = not work.choices.get(ALL_ROWS)
    job = dataclasses.replace(job.by(rung, apart=apart), held_out=held_out)
    if job.clock.budget is None:
        return job, found, None
    return job, found, takes_by(job, base, work.within(ROOM, {}).choices, progress)


def climb(
    job: Job, base: Path, work: Unfinished, progress: Progress
) -> tuple[Climb, HeldOut | None]:
    """Return which of the job's recipes is worth it, by rows to learn from, and what it said there.

    Test rows have no say. Raises BadOption where a time budget is below the least that the cheapest
    takes.
    """
    room = work.within(ROOM, {})
    done = room.folder / DONE
    if done.is_file():
        read = json.loads(done.read_text("utf-8"))
        told = read["held_out"]
        held_out = HeldOut.from_json(told) if told else None
        return _noted(Climb.from_json(read["climb"]), held_out, work.choices)
    metric = next(iter(job.goal.metrics))
    known = work.choices.get("recipe")
    if known:
        others = [each.recipe.name for each in job.rungs if each.recipe.name != known]
        not_tried = dict.fromkeys(others, "an earlier plan had chosen")
        return Climb(known, metric, not_tried=not_tried), _planned(work.choices)
    ascent = Ascent(job, base, work, room, progress, metric)
    found = ascent.climbed()
    held_out = ascent.held_out
    beside = done.with_suffix(".new")
    told = held_out.as_json() if held_out else None
    beside.write_text(json.dumps({"climb": found.as_json(), "held_out": told}), "utf-8")
    beside.replace(done)
    return _noted(found, held_out, work.choices)


def _noted(
    found: Climb, held_out: HeldOut | None, choices: Choices
) -> tuple[Climb, HeldOut | None]:
    """Return these, with all of them among the choices that the model hangs on."""
    choices.put("recipe", found.recipe)
    choices.put(ALL_ROWS, bool(found.trials))
    if held_out:
        choices.put(TEMPERATURE, held_out.temperature)
    return found, held_out


def _planned(choices: Choices) -> HeldOut | None:
    """Return the temperature that an earlier plan found, if it did, without the rows it had."""
    temperature = choices.get(TEMPERATURE)
    if temperature is None:
        return None
    how = "rows out of the folds of an earlier `auto`"
    return HeldOut.from_json({"true": [], "said": [], "temperature": temperature, "how": how})
