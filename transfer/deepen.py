"""Train more than the head: from a probe, by early stopping, the best epoch kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fit import Fitted, Rows, Schedule, fit
from .network import Network
from .split import Example
from .start import Session, Start


def deepen(
    network: Network,
    begun: Start,
    train: Sequence[Example],
    validation: Sequence[Example],
    labels: Sequence[str],
    options: Mapping[str, Any],
    session: Session,
) -> Fitted:
    """Train the network's trainable layers and its head on rows, and return how it went."""
    numbers = {label: number for number, label in enumerate(labels)}
    schedule = Schedule(
        options["epochs"],
        options["rows"],
        options["rate"],
        options["patience"],
        layer_decay=options["layer_decay"],
        head_rate=options["head_rate"],
        pull=options.get("pull", 0.0),
    )
    with begun.feeds() as feed:
        parts = [
            Rows(feed([row.input for row in rows]), [numbers[row.label] for row in rows])
            if rows
            else None
            for rows in (train, validation)
        ]
        assert parts[0] is not None, "a split has rows to train on"
        return fit(
            network,
            parts[0],
            parts[1],
            schedule,
            seed=session.seed,
            progress=session.progress,
            checkpoint=session.checkpoint,
        )
