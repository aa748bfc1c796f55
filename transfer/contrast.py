"""Contrast rows: features of one class are drawn together, those of others driven apart.

All pairs of a batch count, by the supervised contrastive loss (Khosla et al., "Supervised
Contrastive Learning", NeurIPS 2020), so that a row goes through the network once for all its pairs.
A batch too large to be held goes through twice: for its features, then in portions for their
gradients (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
RepL4NLP 2021).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .deepen import deepen
from .feed import Rows
from .fit import Fitted
from .lesson import ENOUGH, Schedule
from .network import Network, batches, padded
from .portions import holds
from .precision import working_in
from .start import Session, Start, fit_head_to
from .trunk import POSITIONS, ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def contrast(begun: Start, options: Mapping[str, Any], session: Session) -> Fitted:
    """Train the network's trainable layers by contrast, fit the head anew, and return how it went.

    Of the options it takes those of `deepen`, `temperature` and `strength`.
    """
    network = begun.network

    def in_pairs(train: Rows, judges: Rows | None, schedule: Schedule) -> InPairs:
        held = session.choices.once("batches held", lambda: holds(network, train, schedule.rows))
        return InPairs(
            network, train, schedule, session.seed, held=held, temperature=options["temperature"]
        )

    fitted = deepen(begun, options, session, in_pairs)
    _refit(begun, options, session)
    return fitted


def _refit(begun: Start, options: Mapping[str, Any], session: Session) -> None:
    """Fit the network's head to what its trained layers make of the rows to train on."""
    import torch

    network, count = begun.network, len(session.train)
    features = np.empty((count, network.head.in_features), np.float32)
    network.body.eval()
    with begun.feeds() as feed, torch.inference_mode():
        rows = feed([row.input for row in session.train])
        for numbers in batches(rows.sizes, ROWS, POSITIONS, alike=network.alike):
            with session.meter.stage("judging", padded(rows.sizes, [numbers])):
                features[numbers] = rows.features(numbers).float().cpu().numpy()
    # Features that were taught by these rows say nothing of how strongly to hold a head back.
    strengths = (float(options["strength"]),)
    fit_head_to(features, np.arange(count), network, session, options, strengths)


def likeness(targets: NDArray[Any]) -> NDArray[np.float32]:
    """Return how alike the labels of each two rows are, 0 to 1: shared classes by those of either.

    Targets are numbers [rows], or [rows, classes] where a row may have several, or none.
    """
    if targets.ndim == 1:
        return np.asarray(targets[:, None] == targets, np.float32)
    both = targets @ targets.T
    counts = targets.sum(axis=1)
    either = counts[:, None] + counts - both
    return np.where(either > 0, both / np.maximum(either, 1), 1).astype(np.float32)


def have_pairs(targets: NDArray[Any]) -> bool:
    """Return whether any two rows share a class."""
    counts = np.unique(targets, return_counts=True)[1] if targets.ndim == 1 else targets.sum(axis=0)
    return bool(counts.max() > 1)


def contrastive_loss(features: Tensor, alike: Tensor, temperature: float) -> Tensor:
    """Return the mean loss, in nats, of finding a row's like among all others of the batch.

    `alike` [rows, rows] is how much two rows are; a row that is like no other is only another's
    contrast.
    """
    import torch
    from torch.nn.functional import normalize

    directions = normalize(features.float(), dim=1)
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    scores = (directions @ directions.T / temperature).masked_fill(itself, -1e9)
    surprise = scores.logsumexp(dim=1, keepdim=True) - scores
    alike = alike.masked_fill(itself, 0)
    likes = alike.sum(dim=1)
    losses = (surprise * alike).sum(dim=1) / likes.clamp(min=1e-6)
    found: Tensor = losses.sum() / (likes > 0).sum().clamp(min=1)
    return found


def dealt(targets: NDArray[Any], rows: int, seed: int) -> Iterator[list[int]]:
    """Yield batches without end: two rows of a kind, then two of another, each kind as often.

    Rows of a kind have the same labels; they come again when all of them were there. No row is
    twice in a batch, so where a kind has too few, the batch is smaller.
    """
    dice = np.random.default_rng(seed)
    kinds = np.unique(targets, axis=0, return_inverse=True)[1].ravel()
    members = [np.flatnonzero(kinds == kind) for kind in range(kinds.max() + 1)]
    order: list[int] = []
    waiting: list[list[int]] = [[] for _ in members]
    while True:
        batch: dict[int, None] = {}
        for _ in range(max(1, rows // 2)):
            order = order or dice.permutation(len(members)).tolist()
            kind = order.pop()
            for _ in range(2):
                waiting[kind] = waiting[kind] or dice.permutation(members[kind]).tolist()
                batch[waiting[kind].pop()] = None
        yield list(batch)


class InPairs:
    """Rows that are learnt from by how they differ, each kind of them as often in a batch.

    Modules stay in evaluation mode, so that a row has the same features each time it goes through;
    `held` is whether all that a batch needs for the way back is kept at once.
    """

    still = True

    def __init__(
        self,
        network: Network,
        train: Rows,
        schedule: Schedule,
        seed: int,
        *,
        held: bool,
        temperature: float,
    ) -> None:
        self._network, self._train, self._schedule = network, train, schedule
        self._held, self._temperature = held, temperature
        self._deal = dealt(train.targets, schedule.rows, seed)
        self._dealt: list[list[int]] = []
        self.steps = -(-len(train) // schedule.rows)
        first = range(min(self.steps, max(1, ENOUGH // schedule.rows)))
        self._judges = [self.batch(step) for step in first]
        self.judged = sum(map(self.positions, self._judges))

    def batch(self, step: int) -> Sequence[int]:
        """Return the batch of a step, as the seed deals it."""
        while len(self._dealt) <= step:
            self._dealt.append(next(self._deal))
        return self._dealt[step]

    def positions(self, numbers: Sequence[int]) -> int:
        """Return the positions of all portions, each row as long as the longest of its own."""
        return padded(self._train.feed.sizes, self._parts(numbers))

    def add_up(self, numbers: Sequence[int]) -> tuple[float, float]:
        """Add up the gradients of the loss over all pairs of the batch; return that, and 1."""
        import torch

        parts = self._parts(numbers)
        if self._held or len(parts) == 1:
            loss = self._loss(parts, self._features(parts))
            loss.backward()  # type: ignore[no-untyped-call]
            return float(loss.detach()), 1.0
        with torch.no_grad():
            seen = self._features(parts)
        seen.requires_grad_()
        loss = self._loss(parts, seen)
        loss.backward()  # type: ignore[no-untyped-call]
        assert seen.grad is not None, "the loss is made of it"
        slopes = torch.split(seen.grad, [len(part) for part in parts])
        for part, slope in zip(parts, slopes, strict=True):
            self._features([part]).backward(slope)  # type: ignore[no-untyped-call]
        return float(loss.detach()), 1.0

    def judge(self) -> float:
        """Return the mean loss of some of the batches."""
        import torch

        self._network.body.eval()
        with torch.inference_mode():
            parts = map(self._parts, self._judges)
            losses = [float(self._loss(each, self._features(each))) for each in parts]
        return sum(losses) / len(losses)

    def _parts(self, numbers: Sequence[int]) -> list[Sequence[int]]:
        """Return the rows of a batch in portions that go through together, longest first."""
        sizes = [self._train.feed.sizes[number] for number in numbers]
        at_once, alike = self._schedule.at_once, self._network.alike
        groups = batches(sizes, len(numbers), at_once, alike=alike)
        return [[numbers[place] for place in group] for group in groups]

    def _features(self, parts: Sequence[Sequence[int]]) -> Tensor:
        import torch

        with working_in(self._schedule.precision, self._network):
            return torch.cat([self._train.feed.features(part).float() for part in parts])

    def _loss(self, parts: Sequence[Sequence[int]], features: Tensor) -> Tensor:
        import torch

        targets = self._train.targets[[number for part in parts for number in part]]
        alike = torch.from_numpy(likeness(targets)).to(features.device)
        return contrastive_loss(features, alike, self._temperature)
