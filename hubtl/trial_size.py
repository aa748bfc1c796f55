"""On how many rows recipes are tried, and on how many parts: as many as there is time for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .climbing import ENOUGH
from .estimate import RESERVE, Estimate
from .job import Job
from .ladder import Rung
from .rounds import sizes_of
from .transfer.deepen import epochs
from .transfer.split import Example, Split, at_most
from .trying import Part, parts_of

FIRST = 0.7  # of the time that is left, for all recipes on the same rows; the rest for the best
HELD = 100  # rows to judge by: with fewer, more parts come before more rows to learn from


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts of a job's rows to learn from, and from how many of each recipes may learn."""

    job: Job
    rows: int
    parts: tuple[Part, ...]
    sizes: tuple[int, ...]

    def of(self, size: int, folds: int) -> list[Part]:
        """Return the first parts with at most so many rows to learn from, stratified."""
        return [Part(_some(self.job, each.kept, size), each.held) for each in self.parts[:folds]]

    def seconds(self, rung: Rung, takes: Estimate, size: int, folds: int) -> float:
        """Return the seconds reckoned to try a recipe with so many rows, in so many parts."""
        held, options = len(self.parts[0].held), rung.recipe.options
        more = 1.0  # epochs, of fewer rows
        if "epochs" in options and "rows" in options:
            few, all_ = (max(1, -(-count // options["rows"])) for count in (size, self.rows))
            more = epochs(options, few) / epochs(options, all_)
        made = takes.seconds["features"] * min(1.0, (size + folds * held) / self.rows)
        return made + folds * takes.trial(more * size / self.rows, held / self.rows)

    def begin(
        self, rungs: Sequence[Rung], takes: Mapping[str, Estimate], left: float
    ) -> tuple[int, int]:
        """Return from how many rows all recipes learn first, and in how many parts.

        First come parts, till there are enough rows to judge by; then rows, then more parts. It is
        the least where there is no time for all.
        """

        def fits(size: int, folds: int) -> bool:
            found = (self.seconds(e, takes[e.recipe.name], size, folds) for e in rungs)
            return RESERVE * sum(found) <= FIRST * left

        enough = min(len(self.parts), math.ceil(HELD / max(1, len(self.parts[0].held))))
        for folds in dict.fromkeys((enough, 1)):
            for size in reversed(self.sizes):
                if fits(size, folds):
                    more = range(folds, len(self.parts) + 1)
                    return size, max(count for count in more if fits(size, count))
        return self.sizes[0], 1

    def further(self, size: int, took: float, left: float) -> int | None:
        """Return the next size, given what trying took with this one; None if there is none."""
        fit = [n for n in self.sizes if n > size and RESERVE * took * n / size <= left]
        return max(fit, default=None)


def ground(job: Job, rows: Sequence[Example], most: int) -> Ground:
    """Return the parts of rows to try recipes on, from at most so many of each.

    A part holds out no more than are enough to judge by. Raises BadData where the rows can't be
    divided.
    """
    parts = tuple(Part(e.kept, _some(job, e.held, ENOUGH)) for e in parts_of(job, rows))
    fewest = min(len(each.kept) for each in parts)
    sizes = sizes_of(fewest, len(job.labels), most, budget=True)
    return Ground(job, len(rows), parts, tuple(sizes))


def _some(job: Job, rows: Sequence[Example], most: int) -> Sequence[Example]:
    strata = job.goal.divides
    return at_most(Split(rows, (), (), ""), most, job.request.seed, strata=strata).train
