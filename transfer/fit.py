"""Train what is trainable in a network: AdamW, length-sorted batches, the best epoch kept.

All that a step depends on is in a checkpoint, so a run that was killed goes on to the same end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .checkpoint import Checkpoint, State
from .feed import Feed
from .network import Network, batches
from .progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor, nn

ENOUGH = 256


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: epochs at most, rows a batch, peak rate, patience in epochs.

    `layer_decay` is by how much the rate falls with each layer down from the head; `pull` draws
    weights back to where they started (L2-SP, Li et al., ICML 2018).
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


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which epoch was best, and the loss on validation (or training) rows there, in nats."""

    best_epoch: int
    epochs: int
    loss: float
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows and the class number of each."""

    feed: Feed
    targets: Sequence[int]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.targets)

    def some(self, most: int) -> Rows:
        """Return at most so many rows, evenly out of all."""
        numbers = range(0, len(self), max(1, len(self) // most))[:most]
        return Rows(_Part(self.feed, numbers), [self.targets[number] for number in numbers])


class _Part:
    """Some of a feed's rows, as a feed."""

    def __init__(self, feed: Feed, numbers: Sequence[int]) -> None:
        self._feed, self._numbers = feed, numbers
        self.sizes: Sequence[int] = [feed.sizes[number] for number in numbers]

    def features(self, numbers: Sequence[int]) -> Tensor:
        """Return what the head sees of these rows."""
        return self._feed.features([self._numbers[number] for number in numbers])


def fit(
    network: Network,
    train: Rows,
    validation: Rows | None,
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress = silent,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train the network in place and return how it went; the best epoch's weights stay.

    Epoch 0 is the network as it came, so training never leaves it worse on validation rows than it
    found it. With no validation rows the last epoch is kept, unless it does worse than epoch 0 on
    the rows it was trained on: then the training went astray, and epoch 0 is kept.
    """
    run = _Run(network, train, validation, schedule, seed)
    kept = checkpoint.load() if checkpoint else None
    if kept:
        run.restore(kept)
    else:
        run.judge()
    while not run.ended:
        run.step()
        progress(f"training, epoch {run.epoch} of at most {schedule.epochs}", run.steps, run.most)
        if checkpoint and (checkpoint.due or run.ended):
            checkpoint.keep(run.state())
    return run.finish()


class _Run:
    """One training, a step at a time."""

    def __init__(
        self,
        network: Network,
        train: Rows,
        validation: Rows | None,
        schedule: Schedule,
        seed: int,
    ) -> None:
        import torch

        torch.manual_seed(seed)
        self.network, self.train, self.validation = network, train, validation
        self.schedule, self.seed = schedule, seed
        # To see that a training went astray, some of its own rows are enough.
        self.judges = validation or train.some(ENOUGH)
        self.modules = torch.nn.ModuleList([network.body, network.head])
        groups = _groups(network, schedule)
        self.weights: list[nn.Parameter] = [w for group in groups for w in group["params"]]
        self.start = [w.detach().clone() for w in self.weights] if schedule.pull else []
        self.optimizer = torch.optim.AdamW(groups, weight_decay=schedule.decay)
        self.targets = torch.tensor(train.targets, device=network.device)
        self.groups = list(batches(train.feed.sizes, schedule.rows))
        self.most = schedule.epochs * len(self.groups)
        self.steps, self.losses = 0, list[float]()
        self.best: tuple[float, int, list[Tensor]] = (math.inf, 0, [])

    @property
    def epoch(self) -> int:
        """The epoch that the last step belonged to, from 1."""
        return max(1, math.ceil(self.steps / len(self.groups)))

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        whole = self.steps % len(self.groups) == 0
        tired = (
            self.validation is not None
            and len(self.losses) - 1 - self.best[1] >= self.schedule.patience
        )
        return whole and self.steps > 0 and (tired or self.steps >= self.most)

    def step(self) -> None:
        """Train on one batch; at an epoch's end, judge."""
        import torch
        from torch.nn.functional import cross_entropy

        self.modules.train()
        epoch, place = divmod(self.steps, len(self.groups))
        order = torch.randperm(
            len(self.groups), generator=torch.Generator().manual_seed(self.seed * 1000 + epoch)
        )
        numbers = self.groups[int(order[place])]
        share = _slope(self.steps, self.most, self.schedule.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share
        logits = self.network.head(self.train.feed.features(numbers))
        loss = cross_entropy(logits, self.targets[torch.tensor(numbers, device=logits.device)])
        if self.start:
            drift = sum(((w - s) ** 2).sum() for w, s in zip(self.weights, self.start, strict=True))
            loss = loss + self.schedule.pull * drift
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        self.steps += 1
        if place + 1 == len(self.groups) and (self.validation or self.steps == self.most):
            self.judge()

    def judge(self) -> None:
        """Note the loss on the rows to judge by, and the weights where they are the best so far."""
        self.losses.append(mean_loss(self.network, self.judges))
        if self.losses[-1] < self.best[0]:
            copies = [w.detach().clone() for w in self.weights]
            self.best = (self.losses[-1], len(self.losses) - 1, copies)

    def state(self) -> State:
        """Return all that the next step depends on."""
        import torch

        tensors = {f"weight.{n}": w.detach() for n, w in enumerate(self.weights)}
        tensors |= {f"best.{n}": w for n, w in enumerate(self.best[2])}
        for number, weight in enumerate(self.weights):
            for name, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"optimizer.{number}.{name}"] = value
        tensors["dice"] = torch.get_rng_state()
        about = {"steps": self.steps, "losses": self.losses, "best": self.best[:2]}
        return State(tensors, about)

    def restore(self, state: State) -> None:
        """Go back to where a state was taken."""
        import torch

        found = state.tensors
        with torch.no_grad():
            for number, weight in enumerate(self.weights):
                weight.copy_(found[f"weight.{number}"])
        for name, value in found.items():
            if name.startswith("optimizer."):
                _, place, field = name.split(".", 2)
                weight = self.weights[int(place)]
                kept: Any = self.optimizer.state[weight]
                kept[field] = value.clone() if field == "step" else value.to(weight.device)
        torch.set_rng_state(found["dice"])
        self.steps, self.losses = state.about["steps"], list(state.about["losses"])
        copies = [found[f"best.{n}"].clone() for n in range(len(self.weights)) if "best.0" in found]
        loss, epoch = state.about["best"]
        self.best = (math.inf if loss is None else loss, epoch, copies)

    def finish(self) -> Fitted:
        """Put the best weights back and return how it went."""
        import torch

        with torch.no_grad():
            for weight, kept in zip(self.weights, self.best[2], strict=True):
                weight.copy_(kept)
        self.modules.eval()
        best = self.best[1] if self.validation or self.best[1] == 0 else self.epoch
        return Fitted(best, self.epoch, self.best[0], tuple(self.losses))


def _groups(network: Network, schedule: Schedule) -> list[dict[str, Any]]:
    """Return the trainable weights by layer, each with its peak rate."""
    import re

    from .layers import layer_stack

    pattern = re.compile(re.escape(layer_stack(network.body)) + r"\.(\d+)\.")
    named = [(n, w) for n, w in network.body.named_parameters() if w.requires_grad]
    head = {id(w) for w in network.head.parameters()}
    layers = [int(m.group(1)) for name, _ in named if (m := pattern.match(name))]
    top = max(layers, default=0)
    found: dict[float, list[Any]] = {}
    for name, weight in named:
        if id(weight) in head:
            continue
        match = pattern.match(name)
        below = top - int(match.group(1)) if match else (0 if not layers else top + 1)
        found.setdefault(schedule.rate * schedule.layer_decay**below, []).append(weight)
    own = [w for w in network.head.parameters() if w.requires_grad]
    groups = [{"params": weights, "peak": rate, "lr": rate} for rate, weights in found.items()]
    rate = schedule.rate * schedule.head_rate
    return [*groups, {"params": own, "peak": rate, "lr": rate}]


def mean_loss(network: Network, rows: Rows) -> float:
    """Return the mean cross-entropy of rows in nats, in evaluation mode."""
    import torch
    from torch.nn.functional import cross_entropy

    network.body.eval()
    total = 0.0
    with torch.inference_mode():
        for numbers in batches(rows.feed.sizes, 32):
            logits = network.head(rows.feed.features(numbers))
            wanted = torch.tensor([rows.targets[n] for n in numbers], device=logits.device)
            total += float(cross_entropy(logits.float(), wanted, reduction="sum"))
    return total / len(rows)


def _slope(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate: a linear rise, then a cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
