"""What there is time for while recipes are tried: on how many parts, and still to train the winner.

What was found of time is kept, so that a job that goes on does as it would have done.
"""

from __future__ import annotations

from dataclasses import dataclass

from .climbing import FOLDS
from .estimate import RESERVE, Estimate
from .job import Job
from .ladder import Rung
from .transfer.choices import Choices

PATIENCE = 1200.0  # seconds that are meant where no time budget is given


@dataclass(frozen=True, slots=True)
class Allowance:
    """A job's time budget, or the patience that is meant, and what was found of it so far."""

    job: Job
    choices: Choices

    @property
    def limit(self) -> float:
        """The seconds that all of it may take."""
        return self.job.clock.budget or PATIENCE

    def late_for(self, rung: Rung) -> bool:
        """Return whether there is no time even to reckon what a recipe takes."""
        late: bool = self.choices.once(
            f"late for {rung.recipe.name}", lambda: self.job.clock.spent > self.limit / 2
        )
        return late

    def seconds(self, takes: Estimate, folds: int) -> float:
        """Return what it takes to try a recipe on so many parts, features included."""
        return takes.seconds["features"] + folds * takes.fold(1 - 1 / FOLDS)

    def final(self, takes: Estimate) -> float:
        """Return what it takes to train on all rows, and to measure that."""
        return takes.whole(len(self.job.seeds)) - takes.seconds["features"]

    def room(self, takes: Estimate) -> float:
        """Return the seconds there are to try a recipe, if it is then trained on all rows."""
        return self.limit - self.job.clock.spent - RESERVE * self.final(takes)

    def folds(self, rung: Rung, takes: Estimate, parts: int) -> int:
        """Return how many parts there is time to try a recipe on; 0 where it can't be tried."""

        def fitting() -> int:
            if takes.no_room:
                return 0
            room, count = self.room(takes), parts
            while count and RESERVE * self.seconds(takes, count) > room:
                count -= 1
            return count

        count: int = self.choices.once(f"folds of {rung.recipe.name}", fitting)
        return count

    def one_more(self, rung: Rung, takes: Estimate, parts: int) -> bool:
        """Return whether there is time to try a recipe on one more part than so many."""
        needs = RESERVE * (takes.fold(1 - 1 / FOLDS) if parts else self.seconds(takes, 1))
        fits: bool = self.choices.once(
            f"part {parts} of {rung.recipe.name}",
            lambda: not takes.no_room and needs <= self.room(takes),
        )
        return fits

    def is_up(self, rung: Rung, parts: int) -> None:
        """Note that there was no time for one more part than so many, once it was begun."""
        self.choices.put(f"part {parts} of {rung.recipe.name}", False)

    def no_room(self, takes: Estimate) -> str:
        """Return what there is too little of to try a recipe."""
        if takes.no_room:
            return takes.no_room
        wanted = RESERVE * (self.seconds(takes, 1) + self.final(takes))
        budget = self.job.clock.budget
        left = self.limit - self.job.clock.spent
        if budget is None:
            return f"it takes {wanted:.0f} s at least: say --time-budget for more patience"
        return f"it takes {wanted:.0f} s at least, and {left:.0f} s of the budget were left"
