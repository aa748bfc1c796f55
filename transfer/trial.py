"""How a network does on rows that it did not learn from, row by row, to be compared with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import log_likely
from .feed import AT_ONCE, Feed
from .network import Network, batches
from .placed import Placed, apart
from .split import Example
from .start import Session
from .temperature import temperature_of


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of each row, and its loss by the goal; no labels where there are no classes.

    `temperatures` are what logits were divided by, one for each part of the rows that had one.
    """

    labels: tuple[str, ...]
    losses: tuple[float, ...]
    temperatures: tuple[float, ...] = ()

    def __add__(self, other: Judged) -> Judged:
        """Return these rows and then the others."""
        return Judged(
            self.labels + other.labels,
            self.losses + other.losses,
            self.temperatures + other.temperatures,
        )

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.losses)


def judged(network: Network, rows: Sequence[Example], feed: Feed, session: Session) -> Judged:
    """Return what a network says of rows, and how far off that is, each row counting alike."""
    import torch

    network.body.eval()
    targets = session.targets(rows)
    even = torch.ones(network.head.out_features, device=network.device)
    losses, said = np.zeros(len(rows)), [""] * len(rows)
    logits = np.zeros((len(rows), len(session.labels)))
    placed = session.goal if isinstance(session.goal, Placed) else None
    with torch.inference_mode():
        for numbers in batches(feed.sizes, AT_ONCE, alike=network.alike):
            features = feed.features(numbers).to(network.device)
            lost = session.goal.losses(network, features, targets[numbers], even)
            losses[numbers] = lost.float().cpu().numpy()
            if placed:
                outputs = network.head(apart(features)[0].float()).cpu().numpy()
                found = placed.read_off(features, outputs, session.labels)
                for number, label in zip(numbers, found, strict=True):
                    said[number] = label
            elif session.labels:
                logits[numbers] = network.head(features.float()).cpu().numpy()
    temperatures: tuple[float, ...] = ()
    if session.labels and session.goal.divides:
        # Not every recipe comes with a temperature of its own, so each has the one that suits it.
        temperatures = (temperature_of(logits, targets),)
        likely = log_likely(logits / temperatures[0])
        losses = -likely[np.arange(len(rows)), targets]
    if placed:
        return Judged(tuple(said), tuple(losses.tolist()))
    labels = session.goal.likeliest(logits, session.labels) if session.labels else []
    return Judged(tuple(labels), tuple(losses.tolist()), temperatures)
