"""What a step of training does: which rows are in it, and how they add up to a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .feed import Rows, mean_loss
from .network import Network, batches
from .portions import portions
from .precision import working_in

ENOUGH = 256


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, how fast and in what portions to train.

    epochs and steps: at most; rows: of a batch; rate: the peak; patience: in epochs. `layer_decay`
    is by how much the rate falls with each layer down from the head; `pull` draws weights back to
    where they started (L2-SP, Li et al., ICML 2018). `at_once` positions go through the network
    together (all of a batch where it is None), and `weights` are how much each class counts.
    """

    epochs: int
    rows: int
    rate: float
    patience: int
    decay: float = 0.01
    warmup: float = 0.1
    layer_decay: float = 1.0
    head_rate: float = 1.0
    pull: float = 0.0
    steps: int | None = None
    at_once: int | None = None
    precision: str = "fp32"
    weights: tuple[float, ...] | None = None


class Lesson(Protocol):
    """What is learnt of rows, in so many `steps` an epoch.

    `still` is whether modules stay in evaluation mode; `judged` is how many positions judging is.
    """

    steps: int
    still: bool
    judged: int

    def batch(self, step: int) -> Sequence[int]:
        """Return the numbers of the rows that a step is about: the same whenever it is asked."""
        ...

    def positions(self, numbers: Sequence[int]) -> int:
        """Return how many positions go through the network for a batch, padding included."""
        ...

    def add_up(self, numbers: Sequence[int]) -> tuple[float, float]:
        """Add up the gradients of the mean loss over these rows, some rows at a time.

        Return the sum of their losses, and what they weigh together.
        """
        ...

    def judge(self) -> float:
        """Return the mean loss on the rows to judge by."""
        ...


class EachRow:
    """Rows that have a loss each, by the head; those of a batch are of about one length."""

    still = False

    def __init__(
        self,
        network: Network,
        train: Rows,
        validation: Rows | None,
        schedule: Schedule,
        seed: int,
    ) -> None:
        import torch

        self._network, self._train, self._schedule, self._seed = network, train, schedule, seed
        # To see that a training went astray, some of its own rows are enough.
        self._judges = validation or train.some(ENOUGH)
        self.judged = sum(self._judges.feed.sizes)
        self._counts = torch.ones(network.head.out_features, device=network.device)
        if schedule.weights:
            self._counts = torch.tensor(schedule.weights, device=network.device)
        self._groups = list(batches(train.feed.sizes, schedule.rows, alike=network.alike))
        self.steps = len(self._groups)

    def batch(self, step: int) -> Sequence[int]:
        """Return one of the batches, in an order that the seed and the epoch give."""
        import torch

        epoch, place = divmod(step, self.steps)
        dice = torch.Generator().manual_seed(self._seed * 1000 + epoch)
        return self._groups[int(torch.randperm(self.steps, generator=dice)[place])]

    def positions(self, numbers: Sequence[int]) -> int:
        """Return the positions of the batch, each row as long as the longest."""
        return len(numbers) * max(self._train.feed.sizes[number] for number in numbers)

    def add_up(self, numbers: Sequence[int]) -> tuple[float, float]:
        """Add up the gradients of the rows' losses; return the sum of these and of the weights."""
        train, schedule = self._train, self._schedule
        whole = train.goal.weighs(train.targets[numbers], self._counts).sum()
        summed = 0.0
        for portion in portions(numbers, train.feed.sizes, schedule.at_once):
            with working_in(schedule.precision, self._network):
                features = train.feed.features(portion)
            targets = train.targets[portion]
            loss = train.goal.losses(self._network, features, targets, self._counts).sum() / whole
            loss.backward()  # type: ignore[no-untyped-call]
            summed += float(loss.detach() * whole)
        return summed, float(whole)

    def judge(self) -> float:
        """Return the loss of validation rows in nats, or of some to train on."""
        return mean_loss(self._network, self._judges, self._counts)
