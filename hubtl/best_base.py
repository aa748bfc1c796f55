"""`--base auto`: the base of a job is the candidate that a ranking puts first."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from .contenders import Contenders
from .job import Job, job_of
from .ranked import Ranking
from .ranking import ranked
from .registry.errors import OutOfTime
from .sources import find_model
from .transfer.choices import Choices
from .transfer.progress import Progress

SHARE = 0.2  # of what is left of a time budget: a better base is worth no more of it
NAMED = 5  # candidates by name; more by number


def decided(job: Job, choices: Choices, progress: Progress) -> Job:
    """Return the job with its base, chosen now or the one among the choices that were made before.

    The choice is kept before it is used. Raises Unreachable where no candidate could be judged.
    """
    among = job.contenders
    if among is None:
        return job
    if choices.get("base") is None:
        name, why = _chosen(job, among, progress)
        choices.put("why this base", why)
        choices.put("base", name)
    name, why = choices.get("base"), choices.get("why this base")
    hubs = {each.known.id: each.hub for each in among.found.all}
    found = find_model(name, hubs.get(name.partition("@")[0], job.request.hub))
    return job_of(job.request, among.subject, found, job.out, why, job.warnings)


def _chosen(job: Job, among: Contenders, progress: Progress) -> tuple[str, str]:
    """Return the candidate that comes first, with its revision, and why."""
    candidates = among.found.all
    if len(candidates) == 1:
        first = candidates[0]
        why = f"`{first.id}` was taken without ranking: it is the only candidate for the task."
    else:
        request = replace(job.request, plan=None, retain=None)
        subject = replace(among.subject, clock=job.clock.part(SHARE))
        try:
            ranking = ranked(request, subject, among.found, progress)
            first = next(each for each in candidates if each.id == ranking.ranking[0].id)
            why = told(ranking)
        except OutOfTime:
            first = min(candidates, key=lambda each: each.known.params or sys.maxsize)
            why = (
                f"There was no time within the budget to rank {_listed(among.names)}: "
                f"`{first.id}`, the smallest, was taken."
            )
    if among.domain:
        why += f" No candidate is of the domain `{among.domain}`, so it is of any."
    entry = first.there()[1]
    return f"{entry.id}@{entry.revision}" if entry.revision else entry.id, why


def told(ranking: Ranking) -> str:
    """Return in two sentences which candidates were compared, which was taken, and how sure it is.

    The second is the ranking's advice.
    """
    without = [each.id for each in ranking.failed]
    failed = f" ({_listed(without)} could not be judged)" if without else ""
    return (
        f"Of {_listed([each.id for each in ranking.ranking])}"
        f"{failed}, ranked on {ranking.rows:,} of "
        f"{ranking.of_rows:,} rows to learn from, `{ranking.ranking[0].id}` was taken. "
        f"{ranking.advice}"
    )


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them; of many the first ones, and how many more there are."""
    said = [f"`{each}`" for each in names[:NAMED]]
    if len(names) > NAMED:
        said.append(f"{len(names) - NAMED} more")
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]
