"""Train more than the head: from a probe, by early stopping, the best epoch kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .feed import Feed, Rows
from .fit import Fitted, fit
from .lesson import ENOUGH, Lesson, Schedule
from .portions import positions_at_once, taken
from .precision import TRIED, faster_at
from .resources import free_memory
from .start import Session, Start, weights_of

Teaching = Callable[[Rows, Rows | None, Schedule], Lesson]


def deepen(
    begun: Start, options: Mapping[str, Any], session: Session, teaching: Teaching | None = None
) -> Fitted:
    """Train the network's trainable layers and its head, and return how it went.

    `teaching` makes the lesson of rows to train on, and of validation rows if there are any, where
    it is not that of each row by itself. Of the options it takes those of `TRAINING`, `rate`,
    `epochs` and `pull`.
    """
    network, choices = begun.network, session.choices
    with begun.feeds() as feed:
        train = session.as_rows(session.train, feed)
        judges = session.as_rows(session.validation, feed) if session.validation else None
        rows = options["rows"]
        steps = -(-session.count // rows)
        needs = taken(network, train)
        room = free_memory(network.device.type)
        schedule = Schedule(
            epochs=epochs(options, steps),
            rows=rows,
            rate=options["rate"],
            patience=options.get("patience", 1),
            layer_decay=options["layer_decay"],
            head_rate=options.get("head_rate", 1.0),
            pull=options.get("pull", 0.0),
            steps=choices.get("steps"),
            at_once=choices.once(
                "positions at once", lambda: positions_at_once(network, rows, needs, room)
            ),
            precision=choices.once(
                "precision to train in", lambda: _precision(begun, options["precision"], train.feed)
            ),
            weights=tuple(weights_of(session, options["class_weights"]).tolist()),
        )
        at_once = (schedule.at_once or needs.longest) // needs.longest
        few = [row.input for row in session.train[:ENOUGH]]
        shrunk = sum(train.feed.sizes[: len(few)]) / sum(network.sizes(few))
        session.meter.plan(schedule.epochs, rows, needs.by(at_once), shrunk)
        return fit(
            network,
            train,
            judges,
            schedule,
            seed=session.seed,
            progress=session.progress,
            checkpoint=session.checkpoint,
            stop=_stop(session),
            meter=session.meter,
            lesson=teaching(train, judges, schedule) if teaching else None,
        )


def _precision(begun: Start, asked: str, feed: Feed) -> str:
    """Return the precision of the frozen part, or for `auto` fp32 where its way back is slower.

    Convolutions that are faster in bf16 may have gradients that are not.
    """
    import torch

    network = begun.network
    if asked != "auto" or begun.precision == "fp32":
        return begun.precision
    order = sorted(range(len(feed.sizes)), key=lambda number: feed.sizes[number])
    numbers = order[len(order) // 2 :][:TRIED]
    learning = [w for w in network.body.parameters() if w.requires_grad]

    def there_and_back() -> float:
        features = feed.features(numbers)
        torch.autograd.grad(features.float().square().mean(), learning, allow_unused=True)
        return features.sum().item()

    return faster_at(network, there_and_back)


def epochs(options: Mapping[str, Any], steps: int) -> int:
    """Return how many epochs of so many steps to train: fewer with many rows, and at least two.

    What a small adapter can learn takes a number of steps rather than of epochs.
    """
    enough = options.get("steps")
    if not enough:
        return int(options["epochs"])
    return int(min(options["epochs"], max(2, round(enough / steps))))


def _stop(session: Session) -> Callable[[int], bool]:
    """Return what ends training where the clock says so, or where it said so the first time."""
    name = f"last step of seed {session.seed}"

    def stop(steps: int) -> bool:
        known = session.choices.get(name)
        if known is None and session.stop(steps):
            session.choices.put(name, steps)
            return True
        return known is not None and steps >= known

    return stop
