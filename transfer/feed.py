"""Rows as training takes them: what the head sees of some, from the inputs or from a cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .cut import Fed
from .goal import ONE_CLASS, Goal
from .network import Network, batches
from .split import evenly
from .trunk import Trunk

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

AT_ONCE = 32  # rows that are looked at and not learnt from


class Feed(Protocol):
    """Rows in their order: how long each is, and what the head sees of some of them."""

    sizes: Sequence[int]

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of the rows of these numbers, [rows, features]."""
        ...


class Whole:
    """Rows that go through the whole network each time."""

    def __init__(self, network: Network, inputs: Sequence[str]) -> None:
        self._network, self._inputs = network, inputs
        self.sizes: Sequence[int] = network.sizes(inputs)

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of these rows."""
        return self._network.features(self._network.collate([self._inputs[n] for n in numbers]))


class FromCut:
    """Rows that start at the cut, with what the frozen layers made of them once."""

    def __init__(self, fed: Fed, trunk: Trunk, inputs: Sequence[str]) -> None:
        self._fed, self._trunk, self._inputs = fed, trunk, inputs
        self.sizes: Sequence[int] = trunk.sizes(inputs)

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of these rows."""
        inputs = [self._inputs[n] for n in numbers]
        network = self._fed.network
        states = self._trunk.states_of(inputs).to(network.device)
        return self._fed.features(network.outline(inputs), states)


class Pooled:
    """Rows of which is kept what the head sees."""

    def __init__(self, trunk: Trunk, inputs: Sequence[str]) -> None:
        self._trunk, self._numbers = trunk, trunk.rows_of(inputs)
        self.sizes: Sequence[int] = [1] * len(inputs)

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of these rows."""
        import torch

        assert self._trunk.pooled is not None, "the head sees one row of each input"
        return torch.from_numpy(self._trunk.pooled[self._numbers[list(numbers)]])


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows, the label of each as numbers [rows] or [rows, classes], and what those mean."""

    feed: Feed
    targets: NDArray[Any]
    goal: Goal = ONE_CLASS

    def __len__(self) -> int:
        """How many there are."""
        return len(self.targets)

    def logits(self, network: Network) -> NDArray[np.float64]:
        """Return what the network as it is says of each row, [rows, classes]."""
        found = np.empty((len(self), network.head.out_features))
        for numbers in batches(self.feed.sizes, AT_ONCE, alike=network.alike):
            found[numbers] = network.head(self.feed.features(numbers).float()).cpu().numpy()
        return found

    def some(self, most: int) -> Rows:
        """Return at most so many rows, evenly out of all."""
        numbers = evenly(len(self), most)
        return Rows(_Part(self.feed, numbers), self.targets[numbers], self.goal)


class _Part:
    """Some of a feed's rows, as a feed."""

    def __init__(self, feed: Feed, numbers: Sequence[int]) -> None:
        self._feed, self._numbers = feed, numbers
        self.sizes: Sequence[int] = [feed.sizes[number] for number in numbers]

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of these rows."""
        return self._feed.features([self._numbers[number] for number in numbers])


def mean_loss(network: Network, rows: Rows, weights: Tensor | None = None) -> float:
    """Return the mean loss of rows by their goal, in evaluation mode, in fp32.

    `weights` [classes] are how much each class counts.
    """
    import torch

    network.body.eval()
    if weights is None:
        weights = torch.ones(network.head.out_features, device=network.device)
    total = weighed = 0.0
    with torch.inference_mode():
        for numbers in batches(rows.feed.sizes, AT_ONCE, alike=network.alike):
            features, targets = rows.feed.features(numbers), rows.targets[numbers]
            total += float(rows.goal.losses(network, features, targets, weights).sum())
            weighed += float(rows.goal.weighs(targets, weights).sum())
    return total / weighed
