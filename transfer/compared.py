"""Rows that are learnt from by how they compare with the others of their batch.

A batch too large to be held goes through twice: for its features, then in portions for their
gradients (Gao et al., RepL4NLP 2021), so that a row has the same others on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .feed import Rows
from .lesson import EachRow, Schedule
from .network import Network, padded
from .portions import portions
from .precision import working_in

if TYPE_CHECKING:
    from torch import Tensor


class Compared(EachRow):
    """Rows that are dealt anew each epoch, so that each meets others.

    Modules stay in evaluation mode, so that a row has the same features each time it goes through.
    """

    still = True

    def __init__(
        self,
        network: Network,
        train: Rows,
        validation: Rows | None,
        schedule: Schedule,
        seed: int,
    ) -> None:
        super().__init__(network, train, validation, schedule, seed)
        self.steps = -(-len(train) // schedule.rows)

    def batch(self, step: int) -> Sequence[int]:
        """Return the rows of a step, longest first, as the seed and the epoch deal them."""
        import torch

        epoch, place = divmod(step, self.steps)
        dice = torch.Generator().manual_seed(self._seed * 1000 + epoch)
        drawn = torch.randperm(len(self._train), generator=dice)[place :: self.steps]
        return sorted(drawn.tolist(), key=lambda number: -self._train.feed.sizes[number])

    def positions(self, numbers: Sequence[int]) -> int:
        """Return the positions of all portions, each row as long as the longest of its own."""
        return padded(self._train.feed.sizes, self._parts(numbers))

    def add_up(self, numbers: Sequence[int]) -> tuple[float, float]:
        """Add up the gradients of the rows' losses; return the sum of these, and how many."""
        import torch

        parts = self._parts(numbers)
        if len(parts) == 1:
            return self._taught(numbers, self._features(parts))
        with torch.no_grad():
            seen = self._features(parts)
        found = self._taught(numbers, seen.requires_grad_())
        assert seen.grad is not None, "the losses are made of it"
        slopes = torch.split(seen.grad, [len(part) for part in parts])
        for part, slope in zip(parts, slopes, strict=True):
            self._features([part]).backward(slope)  # type: ignore[no-untyped-call]
        return found

    def _parts(self, numbers: Sequence[int]) -> list[Sequence[int]]:
        return list(portions(numbers, self._train.feed.sizes, self._schedule.at_once))

    def _features(self, parts: Sequence[Sequence[int]]) -> Tensor:
        import torch

        with working_in(self._schedule.precision, self._network):
            return torch.cat([self._train.feed.features(part).float() for part in parts])

    def _taught(self, numbers: Sequence[int], features: Tensor) -> tuple[float, float]:
        """Go back from the mean loss of a batch to its features, or through to the weights."""
        targets, count = self._train.targets[numbers], float(len(numbers))
        losses = self._train.goal.losses(self._network, features, targets, self._counts)
        (losses.sum() / count).backward()  # type: ignore[no-untyped-call]
        return float(losses.detach().sum()), count
