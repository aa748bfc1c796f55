"""`auto`: from the cheapest recipe up, as far as rows, time and memory allow.

    HUBTL_HOME/unfinished/KEY/climb/            what each recipe said of each part, and took
    HUBTL_HOME/unfinished/KEY/climb/done.json   what came of it all

What is there is not done again by `--resume`; all of it goes once the adapted folder is whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .climbing import BEST_ON_FEW, FOLDS, LEAST_ROWS, TELLING, Climb, Trial, enough_said
from .estimate import RESERVE, Estimate, in_steps, takes_by, takes_or_why
from .job import Job
from .ladder import Rung
from .registry.errors import BadData, BadOption, HubtlError, OutOfTime
from .transfer.progress import Progress
from .transfer.resources import Stopwatch
from .transfer.split import joined
from .transfer.trial import Judged
from .trying import Part, Trying, parts_of
from .unfinished import Unfinished

PATIENCE = 1200.0  # seconds that are meant where no time budget is given
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
    found = _Ascent(job, base, work, room, progress, metric).climbed()
    beside = done.with_suffix(".new")
    beside.write_text(json.dumps(found.as_json()), "utf-8")
    beside.replace(done)
    work.choices.put("recipe", found.recipe)
    return found


class _Ascent:
    """One climb: what was tried so far, and what is kept."""

    def __init__(
        self,
        job: Job,
        base: Path,
        work: Unfinished,
        room: Unfinished,
        progress: Progress,
        metric: str,
    ) -> None:
        self.job, self.base, self.work, self.room = job, base, work, room
        self.progress, self.metric = progress, metric
        self.rows = joined(job.split.train, job.split.validation)
        self.present, *self.richer = job.rungs
        self.kept: list[tuple[Rung, Estimate]] = []
        self.trials: list[Trial] = []
        self.not_tried: dict[str, str] = {}

    def climbed(self) -> Climb:
        """Return what came of it."""
        job, why = self.job, ""
        first = takes_by(job.by(self.present), self.base, self.room.choices, self.progress)
        if job.clock.budget is not None:
            in_steps(first, job.clock, len(job.seeds))
        self.kept.append((self.present, first))
        parts: list[Part] = []
        if len(self.rows) < LEAST_ROWS:
            why = f"{len(self.rows)} rows to learn from are too few to tell recipes apart"
        else:
            try:
                parts = parts_of(job, self.rows)
            except BadData as error:
                why = error.message
        if parts and not (folds := self._folds(self.present, first, len(parts))):
            why = f"nothing was compared: {self._no_room(first)}"
        if why:
            self._leave_out(self.richer, why)
            return self._found({})
        parts = parts[:folds]
        self.trying = Trying(self.job, self.base, self.work, self.room, self.rows, parts)
        self.true = [row.label for row in self.trying.held]
        self._try_all(first, len(parts))
        rivals = self._rivals(first)
        self._turn_back()
        return self._found(rivals)

    def _try_all(self, first: Estimate, parts: int) -> None:
        """Try the cheapest recipe, then richer ones in order of cost, while that is worth it."""
        watch = Stopwatch()
        watched = self.job.clock.watched(self.progress)
        best = self.trying.judge(self.present, range(parts), watched)
        self._note(self.present, best, watch.seconds, None)
        offers = self._offers(first, best)
        for number, (rung, takes) in enumerate(offers):
            why = enough_said(self.true, best, self.trials)
            if why:
                self._leave_out([each for each, _ in offers[number:]], why)
                break
            folds = self._folds(rung, takes, parts)
            if not folds:
                self._leave_out([rung], self._no_room(takes))
                continue
            tried = self._tried(rung, takes, folds, best)
            if tried and self.trials[-1].kept:
                self.present, best = rung, tried
                self.kept.append((rung, takes))

    def _offers(self, first: Estimate, best: Judged) -> list[tuple[Rung, Estimate]]:
        """Return the richer recipes that could be tried and what they take, the cheapest first.

        But the one that most often is the best on few rows, where there is time to tell.
        """
        why = enough_said(self.true, best, self.trials)
        if why:
            self._leave_out(self.richer, why)
            return []
        found = []
        for rung in self.richer:
            if self._late_for(rung):
                self._leave_out([rung], "no time to reckon what it takes")
                continue
            takes = takes_or_why(self.job, rung, self.base, self.room.choices, self.progress, first)
            if isinstance(takes, str):
                self._leave_out([rung], takes)
            else:
                found.append((rung, takes))
        return sorted(found, key=lambda offer: (not self._soon(*offer), self._seconds(offer[1], 1)))

    def _late_for(self, rung: Rung) -> bool:
        """Return whether there is no time even to reckon what a recipe takes."""
        late: bool = self.room.choices.once(
            f"late for {rung.recipe.name}", lambda: self.job.clock.spent > self._limit / 2
        )
        return late

    def _soon(self, rung: Rung, takes: Estimate) -> bool:
        """Return whether a recipe is tried before cheaper ones."""
        if rung.recipe.name != BEST_ON_FEW or takes.no_room:
            return False
        needs = RESERVE * self._seconds(takes, TELLING)
        fits: bool = self.room.choices.once("soon", lambda: needs <= self._room(takes))
        return fits

    @property
    def _limit(self) -> float:
        return self.job.clock.budget or PATIENCE

    def _seconds(self, takes: Estimate, folds: int) -> float:
        """Return what it takes to try a recipe on so many parts, features included."""
        return takes.seconds["features"] + folds * takes.fold(1 - 1 / FOLDS)

    def _final(self, takes: Estimate) -> float:
        """Return what it takes to train on all rows, and to measure that."""
        return takes.whole(len(self.job.seeds)) - takes.seconds["features"]

    def _folds(self, rung: Rung, takes: Estimate, parts: int) -> int:
        """Return how many parts there is time to try a recipe on; 0 where it can't be tried."""

        def fitting() -> int:
            if takes.no_room:
                return 0
            room, count = self._room(takes), parts
            while count and RESERVE * self._seconds(takes, count) > room:
                count -= 1
            return count

        count: int = self.room.choices.once(f"folds of {rung.recipe.name}", fitting)
        return count

    def _room(self, takes: Estimate) -> float:
        """Return the seconds there are to try a recipe, if it is then trained on all rows."""
        return self._limit - self.job.clock.spent - RESERVE * self._final(takes)

    def _no_room(self, takes: Estimate) -> str:
        """Return what there is too little of to try a recipe."""
        if takes.no_room:
            return takes.no_room
        wanted = RESERVE * (self._seconds(takes, 1) + self._final(takes))
        budget = self.job.clock.budget
        left = self._limit - self.job.clock.spent
        if budget is None:
            return f"it takes {wanted:.0f} s at least: say --time-budget for more patience"
        return f"it takes {wanted:.0f} s at least, and {left:.0f} s of the budget were left"

    def _tried(self, rung: Rung, takes: Estimate, folds: int, best: Judged) -> Judged | None:
        """Return what a recipe says of the held-out rows, as many as it takes to see no hope."""
        watch, said = Stopwatch(), Judged((), ())
        watched = self.job.clock.watched(self.progress)
        self.job.clock.kept = RESERVE * self._final(takes)
        try:
            for number in range(folds):
                said += self.trying.judge(rung, [number], watched)
                if not self.trying.compared(said, best).hopeful:
                    break
        except OutOfTime:
            raise
        except HubtlError as error:
            self._leave_out([rung], error.message)
            return None
        self._note(rung, said, watch.seconds, best)
        return said

    def _note(self, rung: Rung, said: Judged, seconds: float, best: Judged | None) -> None:
        self.trials.append(
            Trial(
                rung.recipe.name,
                len(said),
                self.trying.value(said),
                sum(said.losses) / len(said),
                round(seconds, 2),
                self.present.recipe.name if best else None,
                self.trying.compared(said, best) if best else None,
            )
        )

    def _turn_back(self) -> None:
        """Keep the one before where what was kept last took so long that no time is left for it."""
        clock, seeds = self.job.clock, len(self.job.seeds)
        while clock.budget is not None and len(self.kept) > 1:
            rung, takes = self.kept[-1]
            needs = clock.spent + RESERVE * takes.least(seeds)
            fits = needs <= clock.budget
            if self.room.choices.once(f"time for {rung.recipe.name}", partial(bool, fits)):
                return
            self.kept.pop()
            self.present = self.kept[-1][0]
            self._leave_out([rung], "it won, but no time was left to train it on all rows")

    def _rivals(self, first: Estimate) -> dict[str, float]:
        """Return what plain rivals reach on the same rows, where that takes little."""
        parts = self.trying.parts
        if not self.job.labels or first.seconds["baselines"] * len(parts) > 0.05 * self._limit:
            return {}
        found: dict[str, float] = self.room.choices.once(
            "rivals", lambda: self.trying.rivals(self.true, self.metric)
        )
        return found

    def _leave_out(self, rungs: Sequence[Rung], why: str) -> None:
        self.not_tried |= {each.recipe.name: why for each in rungs}

    def _found(self, rivals: dict[str, float]) -> Climb:
        folds = len(self.trying.parts) if self.trials else 0
        name, trials = self.present.recipe.name, tuple(self.trials)
        return Climb(name, self.metric, trials, self.not_tried, folds, rivals)
