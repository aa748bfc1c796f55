"""Train more than the head: from a probe, by early stopping, the best epoch kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fit import Fitted, Schedule, fit
from .start import Session, Start


def deepen(begun: Start, options: Mapping[str, Any], session: Session) -> Fitted:
    """Train the network's trainable layers and its head, and return how it went."""
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
        judges = session.as_rows(session.validation, feed) if session.validation else None
        return fit(
            begun.network,
            session.as_rows(session.train, feed),
            judges,
            schedule,
            seed=session.seed,
            progress=session.progress,
            checkpoint=session.checkpoint,
        )
