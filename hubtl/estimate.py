"""What a job will take: a few steps of it are done for real, on a few rows, and counted."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock
from .job import Job
from .learning import network_of, session_of
from .plugins.hookspecs import Learnt
from .registry.errors import BadOption
from .registry.fingerprint import files_in
from .registry.places import trunks
from .splitting import RIVAL_ROWS
from .transfer import resources
from .transfer.choices import Choices
from .transfer.fit import ENOUGH
from .transfer.meter import Meter
from .transfer.network import Network, batches, padded
from .transfer.portions import COPIES, trained_bytes
from .transfer.probe import seconds_to_fit
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries
from .transfer.resources import Stopwatch
from .transfer.split import Example, at_most, joined
from .transfer.trunk import POSITIONS, ROWS, Shelf

SAMPLE, STEPS = 64, 3  # rows and steps that are tried
RIVALS = 500  # rows that plain rivals are tried on
START_UP = 2.5  # times the loading of libraries and base: what the clean process takes besides
SLOWER = 2.0  # how many times slower fp32 is where bf16 was chosen
RESERVE = 1.25  # times what is foreseen is kept free, since a machine has other things to do
AIM = 0.9  # the share of a budget that is planned for


@dataclass(frozen=True, slots=True)
class Estimate:
    """Wall seconds by stage for one seed, bytes of memory and of disk, and what was chosen.

    `steps` are those of training, at most.
    """

    seconds: Mapping[str, float]
    steps: int
    memory_bytes: int
    disk_bytes: int
    choices: Mapping[str, object]

    @property
    def total(self) -> float:
        """All seconds."""
        return sum(self.seconds.values())

    @property
    def step(self) -> float:
        """The seconds of one step of training, with its share of judging."""
        return (self.seconds["training"] + self.seconds["judging"]) / max(1, self.steps)

    def least(self, seeds: int) -> float:
        """Return the seconds that so many seeds take with one step of training each."""
        again = seeds * (self.seconds["loading"] + self.seconds["head"] + self.step)
        again += seeds * self.seconds["measuring"]
        return self.seconds["features"] + again + self.seconds["baselines"]

    def after_training(self, seeds_to_come: int) -> float:
        """Return the seconds to keep for what follows the training of a seed."""
        after = self.seconds["measuring"] + self.seconds["baselines"]
        more = self.seconds["loading"] + self.seconds["head"] + self.seconds["measuring"]
        return RESERVE * (after + seeds_to_come * (more + self.step))


def in_steps(estimate: Estimate, clock: Clock, seeds: int) -> int | None:
    """Return how many steps of training a budget leaves room for; None for all of them.

    Raises BadOption where the budget is below the least that the job takes.
    """
    assert clock.budget is not None, "who has no budget asks for no steps"
    least = clock.spent + RESERVE * estimate.least(seeds)
    if clock.budget < least:
        raise BadOption(
            f"the time budget of {clock.budget:.0f} s is below the least that this takes here, "
            f"{least:.0f} s",
            f"--time-budget {least * 1.1:.0f}s, fewer rows, or --recipe probe",
        )
    room = AIM * clock.budget - clock.spent - estimate.least(seeds) + seeds * estimate.step
    steps = max(1, int(room / seeds / estimate.step)) if estimate.step else estimate.steps
    return None if steps >= estimate.steps else steps


def rehearse(job: Job, base: Path, progress: Progress) -> Estimate:
    """Return what a job will take, found by doing a little of it; nothing of that is kept."""
    stage = "trying a few steps"
    progress(stage, 0, 3)
    rows = joined(job.split.train, job.split.validation)
    with quiet_libraries(), tempfile.TemporaryDirectory(prefix="hubtl-") as room:
        watch = Stopwatch()
        network = network_of(job, base, progress)
        loading = watch.seconds
        loaded = resources.memory_now()
        progress(stage, 1, 3)
        meter, choices = Meter(), Choices(job.choices)
        whole = session_of(job, job.request.seed, choices, meter)
        whole.precision(str(job.recipe.options.get("precision", "fp32")), network)
        choices.put("steps", STEPS)
        sample = _sample(rows)
        train = sample[::2] if job.method.validates else sample
        validation = sample[1::2] if job.method.validates else ()
        shelf = Shelf(Path(room, "trunks"), trunks()[1])
        tried = dataclasses.replace(
            whole,
            train=train,
            validation=validation,
            shelf=shelf,
            sampled_from=len(job.split.train),
        )
        watch = Stopwatch()
        learnt = job.method.adapt(network, job.recipe.options, tried)
        adapting = watch.seconds
        progress(stage, 2, 3)
        saved = Path(room, "saved")
        saved.mkdir()
        network.save(saved)
        folder = sum(path.stat().st_size for path in files_in(saved).values())
    seconds = {
        "loading": loading,
        **_seconds(job, network, meter, choices, learnt),
        "baselines": _baselines(job),
    }
    if not meter.amounts["features"]:  # a method that goes another way is told by its rows alone
        seconds["training"] = adapting * len(rows) / len(sample)
    seconds["measuring"] += START_UP * loading
    progress(stage, 3, 3)
    trained = trained_bytes(network)
    width = int(network.head.in_features)
    sizes = network.sizes([row.input for row in rows])
    cut = any(name.startswith("cut") and layer for name, layer in choices.all().items())
    kept = (sum(sizes) if cut else 0) + len(rows)
    return Estimate(
        seconds,
        -(-len(job.split.train) // meter.rows) * meter.epochs if meter.rows else 0,
        max(resources.peak_memory(), loaded + COPIES * trained + meter.batch_bytes),
        kept * width * 4 + COPIES * trained + 2 * folder,
        {name: choices.get(name) for name in ("precision", "positions at once")},
    )


def _sample(rows: Sequence[Example]) -> list[Example]:
    """Return some of the longest rows, which show the memory that it takes, and some of all."""
    order = sorted(range(len(rows)), key=lambda number: -len(rows[number].input))
    longest = order[: SAMPLE // 2]
    rest = order[len(longest) :: max(1, (len(order) - len(longest)) // (SAMPLE // 2))]
    return [rows[number] for number in (*longest, *rest[: SAMPLE // 2])]


def _seconds(
    job: Job, network: Network, meter: Meter, choices: Choices, learnt: Learnt
) -> dict[str, float]:
    """Return the seconds of the stages between loading and measuring, and of measuring itself."""
    train, validation, test = (
        network.sizes([row.input for row in part])
        for part in (job.split.train, job.split.validation, job.split.test)
    )
    learning = [*train, *validation]
    features = padded(learning, batches(learning, ROWS, POSITIONS))
    training = padded(train, batches(train, meter.rows or ROWS)) * meter.epochs
    judged = sum(validation) or sum(train) // len(train) * min(ENOUGH, len(train))
    slower = SLOWER if choices.get("precision") == "bf16" else 1.0
    folds = int(learnt.options.get("folds", 5))
    width = int(network.head.in_features)
    return {
        "features": meter.pace("features") * features,
        "head": seconds_to_fit(len(learning), width, len(job.labels), folds),
        "training": meter.pace("training") * training,
        "judging": meter.pace("judging") * judged * (meter.epochs + 1),
        "measuring": meter.pace("features") * slower * sum(test),
    }


def _baselines(job: Job) -> float:
    """Return the seconds that the plain rivals take, by those they take on some rows."""
    learning = len(job.split.train) + len(job.split.validation)
    watch = Stopwatch()
    job.task.baselines(at_most(job.split, RIVALS, job.request.seed), job.request.seed)
    return watch.seconds * max(1.0, min(learning, RIVAL_ROWS) / RIVALS)
