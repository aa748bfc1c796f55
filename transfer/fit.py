"""Train what is trainable in a network: AdamW, length-sorted batches, the best epoch kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .features import Progress, silent
from .network import Network, batches


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: epochs at most, rows a batch, peak rate, patience in epochs."""

    epochs: int
    rows: int
    rate: float
    patience: int
    decay: float = 0.01
    warmup: float = 0.1


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which epoch was best, and the loss on validation (or training) rows there, in nats."""

    best_epoch: int
    epochs: int
    loss: float
    losses: tuple[float, ...]


def fit(
    network: Network,
    train: tuple[Sequence[str], Sequence[int]],
    validation: tuple[Sequence[str], Sequence[int]],
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress = silent,
) -> Fitted:
    """Train the network in place and return how it went; the best epoch's weights stay.

    Epoch 0 is the network as it came, so training never leaves it worse on validation rows than it
    found it. With no validation rows the last epoch is kept.
    """
    import torch
    from torch.nn.functional import cross_entropy

    torch.manual_seed(seed)
    modules = torch.nn.ModuleList([network.body, network.head])
    weights = [p for p in modules.parameters() if p.requires_grad]
    inputs, targets = train[0], torch.tensor(train[1], device=network.device)
    sizes = network.sizes(inputs)
    steps = schedule.epochs * math.ceil(len(inputs) / schedule.rows)
    optimizer = torch.optim.AdamW(weights, lr=schedule.rate, weight_decay=schedule.decay)
    slope = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _slope(step, steps, schedule.warmup)
    )
    order = torch.Generator().manual_seed(seed)
    losses = [mean_loss(network, *validation)] if validation[0] else []
    best = (losses[0] if losses else math.inf, 0, [p.detach().clone() for p in weights])
    done = epoch = 0
    for epoch in range(1, schedule.epochs + 1):
        modules.train()
        groups = list(batches(sizes, schedule.rows))
        for group in torch.randperm(len(groups), generator=order).tolist():
            numbers = groups[group]
            logits = network.head(network.features(network.collate([inputs[n] for n in numbers])))
            loss = cross_entropy(logits, targets[torch.tensor(numbers, device=network.device)])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            slope.step()
            done += 1
            progress(f"training, epoch {epoch} of at most {schedule.epochs}", done, steps)
        if not validation[0]:
            continue
        losses.append(mean_loss(network, *validation))
        if losses[-1] < best[0]:
            best = (losses[-1], epoch, [p.detach().clone() for p in weights])
        elif epoch - best[1] >= schedule.patience:
            break
    if validation[0]:
        with torch.no_grad():
            for weight, kept in zip(weights, best[2], strict=True):
                weight.copy_(kept)
    modules.eval()
    kept_epoch = best[1] if validation[0] else epoch
    return Fitted(kept_epoch, epoch, best[0], tuple(losses))


def mean_loss(network: Network, inputs: Sequence[str], targets: Sequence[int]) -> float:
    """Return the mean cross-entropy of rows in nats, in evaluation mode."""
    import torch
    from torch.nn.functional import cross_entropy

    network.body.eval()
    total = 0.0
    with torch.inference_mode():
        for numbers in batches(network.sizes(inputs), 32):
            logits = network.head(network.features(network.collate([inputs[n] for n in numbers])))
            wanted = torch.tensor([targets[n] for n in numbers], device=network.device)
            total += float(cross_entropy(logits.float(), wanted, reduction="sum"))
    return total / len(inputs)


def _slope(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate: a linear rise, then a cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
