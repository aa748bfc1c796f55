"""How long a job may take, and how much of that is left."""

from __future__ import annotations

import re
import time

from .registry.errors import BadOption, OutOfTime
from .transfer.progress import Progress

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
SHARE, LEAST = 0.1, 15.0  # by how much a budget may be exceeded: of it, or in seconds


class Clock:
    """Counts from when it was made; `budget` is in seconds, None for as long as it takes."""

    def __init__(self, budget: float | None = None) -> None:
        self.budget = budget
        self.kept = 0.0  # seconds that are needed after training
        self._began = time.monotonic()

    @property
    def spent(self) -> float:
        """Wall seconds so far."""
        return time.monotonic() - self._began

    def part(self, share: float) -> Clock:
        """Return a clock that begins now, with a share of what is left of the budget."""
        left = None if self.budget is None else max(0.0, self.budget - self.spent)
        return Clock(None if left is None else share * left)

    def training_is_over(self, steps: int) -> bool:
        """Return whether just enough is left for what comes after training."""
        return self.budget is not None and self.spent + self.kept >= self.budget

    def watched(self, progress: Progress, keep: float | None = None) -> Progress:
        """Return a progress that raises OutOfTime once the budget is clearly exceeded.

        With `keep`, it does so as soon as no more than so many seconds of the budget are left.
        """
        if self.budget is None:
            return progress
        over = max(LEAST, SHARE * self.budget) - 1
        most = self.budget + over if keep is None else self.budget - keep

        def report(step: str, done: int, total: int) -> None:
            progress(step, done, total)
            if self.spent > most:
                raise OutOfTime(
                    f"the time budget of {self.budget:.0f} s is used up, at the step `{step}`",
                    "the same command with --resume and a larger --time-budget goes on from here",
                )

        return report


def seconds_of(said: str) -> float:
    """Return the seconds that a text such as 90, 90s, 5m or 1h30m means; raises BadOption."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", said)
    whole = "".join(number + unit for number, unit in parts)
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if whole != said or not total:
        raise BadOption(f"`--time-budget {said}` is no time", "such as 90s, 5m or 1h30m")
    return total
