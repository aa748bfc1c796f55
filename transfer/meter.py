"""How long each stage of the work took, and how much it did in that time."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator


class Meter:
    """Wall seconds and amounts by stage.

    The amounts of `features`, `training` and `judging` are positions, padding included; that of
    `head` is rows. `kept_bytes` is how much is kept of an input for each of its positions, and
    `shrunk` how many positions training and judging see for each of an input: one of a picture may
    stand for hundreds, where the frozen layers ran before.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.amounts: dict[str, int] = defaultdict(int)
        self.epochs = self.rows = self.batch_bytes = 0
        self.kept_bytes = 0.0
        self.shrunk = 1.0

    @contextlib.contextmanager
    def stage(self, name: str, amount: int) -> Iterator[None]:
        """Count the seconds that this takes, for so much work."""
        began = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - began
        self.amounts[name] += amount

    def plan(self, epochs: int, rows: int, batch_bytes: int, shrunk: float) -> None:
        """Note how training is meant to be: epochs at most, rows of a batch, and its memory."""
        self.epochs, self.rows, self.batch_bytes = epochs, rows, batch_bytes
        self.shrunk = shrunk

    def pace(self, name: str) -> float:
        """Return the seconds for one of the amount; 0 where nothing was done."""
        return self.seconds[name] / self.amounts[name] if self.amounts[name] else 0.0
