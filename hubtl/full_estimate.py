"""What a full fine-tune of the same rows would take, reckoned from one step that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .job import Job
from .learning import network_of
from .plugins.manager import plugins
from .registry.facts import Facts
from .transfer import resources
from .transfer.feed import Rows, Whole
from .transfer.network import Network, batches, padded
from .transfer.portions import positions_at_once, taken, trained_bytes
from .transfer.progress import Progress
from .transfer.resources import Stopwatch
from .transfer.views import as_read, told_to

RECIPE = "full"
FEW = 2  # rows of the first, smaller step, which warms up and tells what a whole one takes
LONGEST = 3.0  # seconds that a step may take to be measured whole
LEFT = 15.0  # seconds of a time budget that must be left
COPIES = 2  # of all weights at once: themselves and their gradients


def full_estimate(job: Job, base: Path, facts: Facts, progress: Progress) -> dict[str, Any]:
    """Return `{seconds, kwh, how}` of the recipe `full` on the same rows, or why not.

    The energy is reckoned from the time, at the power that the job took.
    """
    recipe = plugins().recipe(RECIPE)
    if job.method.name == recipe.method:
        return _unknown("all weights were trained")
    clock = job.clock
    if clock.budget is not None and clock.budget - clock.spent < LEFT:
        return _unknown("not measured: the time budget is nearly used up")
    network = network_of(job, base, progress)
    network.release()
    needed = COPIES * trained_bytes(network)
    if needed > resources.free_memory(network.device.type):
        return _unknown("not measured: a step of all weights takes more memory than is free")
    method = plugins().method(recipe.method)
    options = {**method.options, **recipe.options}
    sizes = network.sizes(as_read(job.split.train, network))
    groups = list(batches(sizes, options["rows"], alike=network.alike))
    middle = groups[len(groups) // 2]
    # As in training, no more rows go through at once than there is memory for.
    needs = taken(network, _rows(job, network, middle))
    room = resources.free_memory(network.device.type)
    at_once = positions_at_once(network, len(middle), needs, room) // needs.longest
    pace, rows = _pace(job, network, middle[: max(1, at_once)])
    seconds = pace * padded(sizes, groups) * options["epochs"] * network.views
    told = "one step" if rows == len(middle) else f"a step of {rows} row{'s' * (rows > 1)}"
    kwh = facts.energy["kwh"]
    return {
        "seconds": round(seconds, 2),
        "kwh": kwh * seconds / facts.seconds if kwh is not None and facts.seconds else None,
        "how": f"{len(groups) * options['epochs']} steps in {options['epochs']} epochs, by {told} "
        "forward and back that was measured here, in fp32; without judging and saving",
    }


def _unknown(why: str) -> dict[str, Any]:
    return {"seconds": None, "kwh": None, "how": why}


def _pace(job: Job, network: Network, numbers: Sequence[int]) -> tuple[float, int]:
    """Return the seconds a position takes there and back, and by how many rows that was told."""
    network.body.train()
    few = numbers[:FEW]
    _step(job, network, few)
    once, size = _step(job, network, few)
    if once * len(numbers) / len(few) > LONGEST:
        return once / size, len(few)
    took, size = _step(job, network, numbers)
    return took / size, len(numbers)


def _step(job: Job, network: Network, numbers: Sequence[int]) -> tuple[float, int]:
    """Return the seconds of a forward and a backward pass of all weights, and the positions."""
    import torch

    rows = _rows(job, network, numbers)
    counts = torch.ones(network.head.out_features, device=network.device)
    watch = Stopwatch()
    features = rows.feed.features(range(len(rows)))
    loss = rows.goal.losses(network, features, rows.targets, counts).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    if network.device.type == "cuda":  # which answers before it is done
        torch.cuda.synchronize()
    return watch.seconds, len(rows) * max(rows.feed.sizes)


def _rows(job: Job, network: Network, numbers: Sequence[int]) -> Rows:
    examples = told_to(network, [job.split.train[number] for number in numbers])
    feed = Whole(network, [row.input for row in examples])
    return Rows(feed, job.goal.targets([row.label for row in examples], job.labels), job.goal)
