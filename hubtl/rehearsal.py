"""A little of a job done for real, from a fresh network to what the saved folder predicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .job import Job
from .learning import network_of, save_and_measure, session_of
from .plugins.hookspecs import Learnt
from .registry.fingerprint import files_in
from .registry.places import trunks
from .registry.rooms import temporary_room
from .transfer import resources
from .transfer.choices import Choices
from .transfer.meter import Meter
from .transfer.network import Network
from .transfer.progress import Progress, silent
from .transfer.quiet import quiet_libraries
from .transfer.resources import Stopwatch
from .transfer.split import Example, joined
from .transfer.trunk import Shelf
from .transfer.views import as_read, viewed

SAMPLE, STEPS, MEASURED = 64, 3, 4  # rows, steps of training, and rows to measure, that are tried
STAGE = "trying a few steps"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a little of a job took: wall seconds, bytes, and what each stage of it did."""

    base: Path
    network: Network
    learnt: Learnt
    meter: Meter
    choices: Choices
    precision: str
    loading: float
    adapting: float
    measuring: float
    loaded_bytes: int
    folder_bytes: int


def rehearse(job: Job, base: Path, progress: Progress, *, saves: bool = True) -> Rehearsal:
    """Return what came of a few rows and steps; nothing of it is kept, and no test row is used.

    Without `saves` it is not saved and measured, and no time is told for that.
    """
    progress(STAGE, 0, 4)
    with quiet_libraries(), temporary_room("hubtl-try-") as room:
        watch = Stopwatch()
        network = network_of(job, base, progress)
        loading, loaded = watch.seconds, resources.memory_now()
        rows = _sample(network, joined(job.split.train, job.split.validation))
        progress(STAGE, 1, 4)
        meter, choices = Meter(), Choices(job.choices)
        whole = session_of(job, job.request.seed, choices, meter)
        asked = str(job.recipe.options.get("precision", "fp32"))
        precision = whole.precision(asked, network)
        choices.put("steps", STEPS)
        session = dataclasses.replace(
            whole,
            train=rows[::2] if job.method.validates else rows,
            validation=rows[1::2] if job.method.validates else (),
            shelf=Shelf(room / "trunks", trunks()[1]),
            sampled_from=len(job.split.train),
        )
        progress(STAGE, 2, 4)
        watch = Stopwatch()
        learnt = job.method.adapt(network, job.recipe.options, viewed(session, network))
        adapting = watch.seconds
        progress(STAGE, 3, 4)
        measuring, size = 0.0, 0
        if saves:
            measuring, size = _measured(job, base, network, rows[-MEASURED:], room / "saved")
    progress(STAGE, 4, 4)
    took = (loading, adapting, measuring, loaded, size)
    return Rehearsal(base, network, learnt, meter, choices, precision, *took)


def _measured(
    job: Job, base: Path, network: Network, rows: Sequence[Example], folder: Path
) -> tuple[float, int]:
    """Return the seconds that saving and measuring take, and the bytes of what was saved."""
    watch = Stopwatch()
    folder.mkdir()
    described = network.describe_inputs(as_read(rows, network))
    save_and_measure(job, base, network, folder, described, rows, silent)
    return watch.seconds, sum(path.stat().st_size for path in files_in(folder).values())


def _sample(network: Network, rows: Sequence[Example]) -> list[Example]:
    """Return some of the longest rows, which show the memory that it takes, and some of all."""
    sizes = network.sizes(as_read(rows, network))
    order = sorted(range(len(rows)), key=lambda number: -sizes[number])
    longest = order[: SAMPLE // 2]
    rest = order[len(longest) :: max(1, (len(order) - len(longest)) // (SAMPLE // 2))]
    return [rows[number] for number in (*longest, *rest[: SAMPLE // 2])]
