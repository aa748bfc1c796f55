"""One climb of `auto`: recipes tried in turn on parts of the rows, and which of them is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .allowance import Allowance
from .climbing import LEAST_ROWS, Climb, Trial, nothing_to_gain
from .estimate import RESERVE, Estimate, check_least, takes_by, takes_or_why
from .job import Job
from .ladder import Rung
from .registry.errors import BadData, HubtlError, OutOfTime
from .transfer.progress import Progress
from .transfer.resources import Stopwatch
from .transfer.split import joined
from .transfer.temperature import HeldOut
from .transfer.trial import Judged
from .trying import Part, Trying, parts_of
from .unfinished import Unfinished


@dataclass(eq=False, slots=True)
class Attempt:
    """A recipe, what it takes, and what it said of the held-out rows of so many parts."""

    rung: Rung
    takes: Estimate
    said: Judged = Judged((), ())
    parts: int = 0
    seconds: float = 0.0


class Ascent:
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
        self.cheapest, *self.richer = job.rungs
        self.kept: list[Attempt] = []
        self.time = Allowance(job, room.choices)
        self.trials: list[Trial] = []
        self.tried: list[Attempt] = []
        self.not_tried: dict[str, str] = {}

    def climbed(self) -> Climb:
        """Return what came of it."""
        job, why = self.job, ""
        cheapest = job.by(self.cheapest, apart=False)
        first = takes_by(cheapest, self.base, self.room.choices, self.progress)
        check_least(first, job.clock, len(job.seeds))
        self.kept.append(Attempt(self.cheapest, first))
        parts: list[Part] = []
        if len(self.rows) < LEAST_ROWS:
            why = f"{len(self.rows)} rows to learn from are too few to tell recipes apart"
        else:
            try:
                parts = parts_of(job, self.rows)
            except BadData as error:
                why = error.message
        if parts and not (folds := self.time.folds(self.cheapest, first, len(parts))):
            why = f"nothing was compared: {self.time.no_room(first)}"
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

    @property
    def best(self) -> Attempt:
        """The recipe that was kept last."""
        return self.kept[-1]

    @property
    def held_out(self) -> HeldOut | None:
        """What the best recipe said of rows that were held out from it, and their temperature.

        None where nothing was compared, or where a row's label is not one of some classes.
        """
        said = self.best.said
        if not said.temperatures:
            return None
        numbers = {label: number for number, label in enumerate(self.job.labels)}
        true = np.array([numbers[label] for label in self.true[: len(said)]])
        told = np.array([numbers[label] for label in said.labels])
        # The mean of logarithms: a temperature of 2 is as far from 1 as one of a half.
        temperature = float(np.exp(np.log(said.temperatures).mean()))
        return HeldOut(true, told, temperature, f"{len(said)} rows out of the folds of `auto`")

    def _try_all(self, first: Estimate, parts: int) -> None:
        """Try the cheapest recipe, look at the richer ones, and go on with what promises most.

        Each is looked at by one part of the rows, the cheapest first. What so few rows say is
        mostly noise, so while there is time the one that is ahead by most is tried on one more
        part: a lucky one soon falls back, and another takes its turn.
        """
        ground = self.best
        self._one_part(ground)
        while ground.parts < parts and self.time.one_more(ground.rung, first, ground.parts):
            self._one_part(ground)
        self._note(ground, None)
        self.tried = [Attempt(*offer) for offer in self._offers(first)]
        going = [each for each in self.tried if self._goes_on(each)]
        while hopes := [each for each in going if self._may_win(each)]:
            ahead = max(hopes, key=self._ahead)
            if not self._goes_on(ahead):
                going.remove(ahead)
        for each in self.tried:
            if each.parts:
                self._note(each, self.best)

    def _goes_on(self, tried: Attempt) -> bool:
        """Try a recipe on one more part, and return whether there was time for it, and no fault."""
        if not self.time.one_more(tried.rung, tried.takes, tried.parts):
            if not tried.parts:
                self._leave_out([tried.rung], self.time.no_room(tried.takes))
            return False
        self.job.clock.kept = RESERVE * self.time.final(tried.takes)
        wins = (each for each in self.tried if self._wins(each))
        keep = RESERVE * max(self.time.final(each.takes) for each in (self.best, *wins))
        try:
            self._one_part(tried, keep)
        except OutOfTime:
            if self.time.limit < self.job.clock.spent:
                raise
            self.time.is_up(tried.rung, tried.parts)
            if not tried.parts:
                self._leave_out([tried.rung], "it took longer than was foreseen")
            return False
        except HubtlError as error:
            self._leave_out([tried.rung], error.message)
            return False
        return True

    def _wins(self, tried: Attempt) -> bool:
        """Return whether it is better than the cheapest by more than the noise so far."""
        return bool(tried.parts) and self.trying.compared(tried.said, self.best.said).wins

    def _may_win(self, tried: Attempt) -> bool:
        """Return whether more rows could still tell that it is better than the cheapest."""
        if tried.parts >= self.best.parts:
            return False
        return self.trying.compared(tried.said, self.best.said).possible

    def _ahead(self, tried: Attempt) -> float:
        """Return by how much it is better in log loss, which few rows tell sooner than labels."""
        return self.trying.compared(tried.said, self.best.said).loss["value"]

    def _offers(self, first: Estimate) -> list[tuple[Rung, Estimate]]:
        """Return the richer recipes that could be tried and what they take, the cheapest first."""
        if why := nothing_to_gain(self.true, self.best.said):
            self._leave_out(self.richer, why)
            return []
        found = []
        for rung in self.richer:
            if self.time.late_for(rung):
                self._leave_out([rung], "no time to reckon what it takes")
                continue
            takes = takes_or_why(
                self.job, rung, self.base, self.room.choices, self.progress, first, apart=False
            )
            if isinstance(takes, str):
                self._leave_out([rung], takes)
            else:
                found.append((rung, takes))
        return sorted(found, key=lambda offer: self.time.seconds(offer[1], 1))

    def _one_part(self, tried: Attempt, keep: float | None = None) -> None:
        """Try a recipe on one more part; raises OutOfTime once the rest of a budget is to be kept.

        That is what the best one takes that there is: what is slower than foreseen, as on a machine
        that others use too, is given up in its midst, and there is still something to show.
        """
        watch, watched = Stopwatch(), self.job.clock.watched(self.progress, keep)
        tried.said += self.trying.judge(tried.rung, [tried.parts], watched)
        tried.parts += 1
        tried.seconds += watch.seconds

    def _note(self, tried: Attempt, over: Attempt | None) -> None:
        """Note what was reached, and keep it if it wins."""
        said = tried.said
        trial = Trial(
            tried.rung.recipe.name,
            len(said),
            self.trying.value(said),
            sum(said.losses) / len(said),
            round(tried.seconds, 2),
            over.rung.recipe.name if over else None,
            self.trying.compared(said, over.said) if over else None,
        )
        self.trials.append(trial)
        if trial.kept and over:
            self.kept.append(tried)

    def _turn_back(self) -> None:
        """Keep the one before where no time is left to train what was kept last as it was judged.

        Trained for a few steps it would have the winner's name, and be no better than the start.
        """
        clock = self.job.clock
        while clock.budget is not None and len(self.kept) > 1:
            needs = clock.spent + self.time.final(self.best.takes)
            fits, name = needs <= clock.budget, self.best.rung.recipe.name
            if self.room.choices.once(f"time for {name}", partial(bool, fits)):
                return
            self._leave_out(
                [self.kept.pop().rung], "it won, but no time was left to train it on all rows"
            )

    def _rivals(self, first: Estimate) -> dict[str, float]:
        """Return what plain rivals reach on the same rows, where that takes little."""
        parts = self.trying.parts
        if not self.job.labels or first.seconds["baselines"] * len(parts) > 0.05 * self.time.limit:
            return {}
        found: dict[str, float] = self.room.choices.once(
            "rivals", lambda: self.trying.rivals(self.true, self.metric)
        )
        return found

    def _leave_out(self, rungs: Sequence[Rung], why: str) -> None:
        self.not_tried |= {each.recipe.name: why for each in rungs}

    def _found(self, rivals: dict[str, float]) -> Climb:
        folds = len(self.trying.parts) if self.trials else 0
        name, trials = self.best.rung.recipe.name, tuple(self.trials)
        return Climb(name, self.metric, trials, self.not_tried, folds, rivals)
