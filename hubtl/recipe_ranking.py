"""Which recipe is worth its cost, by parts of the rows to learn from; no test row is read.

All recipes learn from as many rows as there is time for, and are judged on the same rows that none
of them learnt from; those that may still be the best go on to more, as far as there is time.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .as_it_is import check_answers
from .best_base import SHARE
from .candidates import LIMIT, Candidate, find_candidates, none_judged, told
from .climbing import LEAST_ROWS, Gains
from .estimate import RESERVE, Estimate, takes_by, takes_or_why
from .job import Job, job_of
from .ladder import AUTO, Rung, others
from .ranked import Ranking
from .ranking import ranked
from .registry.comparing import LOWER
from .registry.entry import Query
from .registry.errors import BadData, BadOption, HubtlError, OutOfTime
from .registry.rooms import temporary_room
from .sources import pull
from .subject import Request, check_classes, find_recipes, read_subject
from .transfer import measure
from .transfer.choices import Choices
from .transfer.progress import Progress, silent
from .transfer.quiet import quiet_libraries
from .transfer.resources import Stopwatch
from .transfer.split import joined
from .transfer.trial import Judged
from .trial_size import ground
from .trying import Trying
from .unfinished import Unfinished
from .worth import Tried, Worth, advice, few, with_ties

ROWS = 1000  # that recipes learn from at most, where nothing else is asked
PATIENCE = 600.0  # seconds that are meant where no time budget is given
RECKONING = 0.25  # of what is left, to reckon what recipes take; the rest is to try them


def rank_recipes(
    task: str,
    data: str | os.PathLike[str],
    *,
    candidates: Sequence[str] = (),
    query: str = "",
    rows: int | None = None,
    time_budget: str | None = None,
    test: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    seed: int = 0,
    hub: str | None = None,
    device: str | None = None,
    progress: Progress = silent,
    **filters: object,
) -> Worth:
    """Return what each recipe reaches and takes with a base, and which is worth it.

    The base is the only candidate, or the first of a ranking. Recipes learn from `rows` at most,
    else 1,000. Arguments are those of `rank`. A recipe that fails is told in its row. Raises the
    HubtlError that says what is wrong with the request, and BadData where rows are too few.
    """
    if rows is not None and rows < LEAST_ROWS:
        raise BadOption(f"`--rows {rows}` are too few to tell recipes apart", "--rows 250")
    request = Request(
        task, Path(data), recipe=AUTO, test=Path(test) if test else None, columns=columns or {},
        options=options or {}, seed=seed, hub=hub, device=device, time_budget=time_budget,
    )  # fmt: skip
    asked = Query(query, task=task, **{"limit": LIMIT, **filters})  # type: ignore[arg-type]
    recipes = find_recipes(request)
    found = find_candidates(candidates, asked, hub)
    if not found.all:
        raise none_judged(found.failed, task)
    subject = read_subject(request, recipes)
    ranking: Ranking | None = None
    first = found.all[0]
    if len(found.all) > 1:
        check_classes(request, subject)
        check_answers(request, subject)
        part = replace(subject, clock=subject.clock.part(SHARE))
        ranking = ranked(request, part, found, progress)
        first = next(each for each in found.all if each.id == ranking.ranking[0].id)
    job = job_of(request, subject, first.there(), Path(), "", warnings=())
    more = others(subject.task, request.options, len(subject.labels))
    job = replace(job, rungs=(*job.rungs, *more))
    with quiet_libraries(), temporary_room("hubtl-recipes-") as room:
        base = pull(job.source, job.base, progress=progress)
        return _Contest(job, base, room, rows or ROWS, progress).worth(first, ranking)


@dataclass(frozen=True, slots=True)
class _Round:
    """What recipes, the cheapest first, said after learning from as many rows each."""

    size: int
    trying: Trying
    said: dict[str, Judged]

    @property
    def best(self) -> str:
        """The best by the main metric, then by log loss."""

        def rank(name: str) -> tuple[float, float]:
            said = self.said[name]
            value = self.trying.value(said) or 0.0
            metric = next(iter(self.trying.job.goal.metrics))
            return (value if metric in LOWER else -value, sum(said.losses))

        return min(self.said, key=rank)

    @property
    def tied(self) -> list[str]:
        """The recipes than which the best is not better by more than chance, itself with them."""
        best = self.best
        return [name for name in self.said if name == best or not self.gains(best, name).wins]

    def gains(self, name: str, over: str) -> Gains:
        """Return by how much one recipe is better than another."""
        return self.trying.compared(self.said[name], self.said[over])


class _Contest:
    """Recipes tried so far, and what each of them said and took."""

    def __init__(self, job: Job, base: Path, room: Path, most: int, progress: Progress) -> None:
        self.job, self.base, self.room = job, base, room
        self.report = job.clock.watched(progress)
        rows = joined(job.split.train, job.split.validation)
        if len(rows) < LEAST_ROWS:
            raise BadData(
                f"{len(rows)} rows to learn from are too few to tell recipes apart",
                f"take the one for few rows: hubtl adapt {job.task.name} {job.request.data}",
            )
        self.ground = ground(job, rows, most)
        self.takes: dict[str, Estimate] = {}
        self.tried: dict[str, Tried] = {}

    def worth(self, candidate: Candidate, ranking: Ranking | None) -> Worth:
        """Return what came of it."""
        rungs = self._reckoned()
        size, folds = self.ground.begin(rungs, self.takes, self._left)
        last = self._round(rungs, size, folds)
        if not last.said:
            first = next(each for each in self.tried.values() if each.name in self.takes)
            raise HubtlError(
                f"no recipe could be tried; `{first.name}`: {first.why}",
                "a larger --time-budget, fewer --rows, or another --base",
            )
        while further := self._further(last, rungs, folds):
            last = further
        by_cost = sorted(self.tried.values(), key=lambda each: each.seconds_all or math.inf)
        recipes = with_ties(by_cost, last.tied)
        tied, best, names = last.tied, last.best, list(last.said)
        over = names[0] if tied[0] == best else tied[0]
        gain = None if over == best else last.gains(best, over)
        recipe, why = advice(recipes, names, best, tied, gain)
        available = min(len(each.kept) for each in self.ground.parts)
        return Worth(
            self.job.task.name, candidate.id, next(iter(self.job.goal.metrics)), recipe,
            why + few(last.size, available), self._command(candidate, recipe), recipes,
            self.ground.rows, self.job.data.columns, ranking, round(self.job.clock.spent, 2),
        )  # fmt: skip

    @property
    def _left(self) -> float:
        budget = self.job.clock.budget
        return (PATIENCE if budget is None else budget) - self.job.clock.spent

    def _reckoned(self) -> list[Rung]:
        """Return the recipes that can be tried, the cheapest first by what all rows take."""
        if self._left <= 0:
            raise OutOfTime("no time was left to try a recipe", "a larger --time-budget")
        cheapest, *richer = self.job.rungs
        choices, to_try = Choices(), (1 - RECKONING) * self._left
        like = takes_by(self.job.by(cheapest), self.base, choices, self.report)
        self.takes[cheapest.recipe.name] = like
        found = [cheapest]
        for rung in richer:
            name = rung.recipe.name
            takes: Estimate | str = "there was no time to reckon what it takes"
            if self._left > to_try:
                takes = self._takes(rung, choices, like)
            if isinstance(takes, str):
                self.tried[name] = Tried(name, why=takes)
            else:
                self.takes[name] = takes
                found.append(rung)
        return sorted(found, key=lambda each: self.takes[each.recipe.name].whole(1))

    def _takes(self, rung: Rung, choices: Choices, like: Estimate) -> Estimate | str:
        """Return what a recipe takes with all rows, or why it can't be tried."""
        try:
            takes = takes_or_why(self.job, rung, self.base, choices, self.report, like)
        except Exception as error:  # a recipe may be anybody's, and fail in any way: others go on
            return told(error)
        return (takes.no_room or takes) if isinstance(takes, Estimate) else takes

    def _further(self, last: _Round, rungs: Sequence[Rung], folds: int) -> _Round | None:
        """Return a round with more rows for those that may be the best, where there is time."""
        if len(last.tied) < 2:
            return None
        # The cheapest goes on whatever it said: what others gain is told over it.
        wanted = {next(iter(last.said)), *last.tied}
        took = sum(self.tried[name].seconds or 0.0 for name in wanted)
        size = self.ground.further(last.size, took, self._left)
        if size is None:
            return None
        before = dict(self.tried)
        found = self._round([each for each in rungs if each.recipe.name in wanted], size, folds)
        if len(found.said) < len(wanted):  # then what all said with fewer rows tells more
            fell = {name: each.why for name, each in self.tried.items() if name in wanted}
            self.tried = {
                name: replace(each, why=fell.get(name) or each.why) for name, each in before.items()
            }
            return None
        return found

    def _round(self, rungs: Sequence[Rung], size: int, folds: int) -> _Round:
        """Return what recipes say that could be tried with so many rows."""
        parts = self.ground.of(size, folds)
        rows = {row.id: row for part in parts for row in (*part.kept, *part.held)}
        room = self.room / str(size)
        room.mkdir()
        kept = Unfinished(room, Choices())
        trying = Trying(self.job, self.base, kept, kept, tuple(rows.values()), parts)
        found = _Round(size, trying, {})
        for rung in rungs:
            name, takes = rung.recipe.name, self.takes[rung.recipe.name]
            seconds = RESERVE * self.ground.seconds(rung, takes, size, folds)
            why = self._too_long(seconds)
            if not why or (self.job.clock.budget is None and not found.said):
                why = self._failed(rung, found)
            if why:
                known = self.tried.get(name) or self._costs(Tried(name))
                self.tried[name] = replace(known, why=why)
        return found

    def _too_long(self, seconds: float) -> str:
        """Return why there is no time for something; empty where there is."""
        if seconds <= self._left:
            return ""
        left = f"it takes {seconds:.0f} s at least to try, and {max(0.0, self._left):.0f} s of "
        if self.job.clock.budget is None:
            return f"{left}{PATIENCE:.0f} s were left: say --time-budget for more patience"
        return f"{left}the budget were left"

    def _failed(self, rung: Rung, into: _Round) -> str:
        """Try a recipe on all parts, and return why that failed; empty where it did not."""
        watch, name, trying = Stopwatch(), rung.recipe.name, into.trying
        try:
            said = trying.judge(rung, range(len(trying.parts)), self.report)
        except OutOfTime:
            return "the time was up before it was done"
        except Exception as error:  # a recipe may be anybody's, and fail in any way: others go on
            return told(error)
        into.said[name] = said
        cheapest = next(iter(into.said))
        over = None if name == cheapest else into.gains(name, cheapest)
        learnt, held = len(trying.parts[0].kept), len(said)
        found = Tried(
            name, trying.interval(said), measure.mean(said.losses, trying.origins), over, learnt,
            held, round(watch.seconds, 2),
        )  # fmt: skip
        self.tried[name] = self._costs(found)
        return ""

    def _costs(self, tried: Tried) -> Tried:
        """Return a recipe with what it takes for all rows."""
        takes = self.takes[tried.name]
        return replace(tried, seconds_all=round(takes.whole(1), 1), memory_bytes=takes.memory_bytes)

    def _command(self, candidate: Candidate, recipe: str) -> str:
        """Return what to type to adapt by a recipe."""
        request = self.job.request
        words = ["hubtl", "adapt", request.task, str(request.data), "--base", candidate.id]
        words += ["--recipe", recipe]
        words += ["--test", str(request.test)] if request.test else []
        words += ["--hub", request.hub] if request.hub else []
        return shlex.join(words)
