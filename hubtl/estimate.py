"""What a job will take, reckoned from what a little of it took, and how a budget is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .climbing import unsuited
from .clock import Clock
from .job import Job
from .ladder import Rung, refusal
from .plugins.retaining import Retaining
from .registry.errors import BadOption, HubtlError, OutOfTime
from .registry.places import trunks
from .rehearsal import SAMPLE, Rehearsal, rehearse
from .retention import inputs_of, is_measured, probes_of
from .rivals import rivals_of
from .splitting import RIVAL_ROWS
from .transfer import resources
from .transfer.choices import Choices
from .transfer.curve import FOLDS, SECONDS
from .transfer.lesson import ENOUGH
from .transfer.network import batches, padded
from .transfer.placed import MOST, Placed
from .transfer.portions import COPIES, trained_bytes
from .transfer.probe import seconds_to_fit
from .transfer.progress import Progress
from .transfer.resources import Stopwatch
from .transfer.split import at_most, joined
from .transfer.trunk import POSITIONS, ROWS, Shelf
from .transfer.views import as_read

RIVALS = 500  # rows that plain rivals are tried on
ASKED = 8  # inputs by which it is reckoned what the base says of all
SLOWER = 2.0  # how many times slower fp32 is where bf16 was chosen
RESERVE = 1.25  # times what is foreseen is kept free, since a machine has other things to do
SHAPES = 4  # times what a batch takes is held in the end, for batches of many shapes
AIM = 0.9  # the share of a budget that is planned for


@dataclass(frozen=True, slots=True)
class Estimate:
    """Wall seconds by stage for one seed, bytes of memory and of disk, and what was chosen.

    `steps` are those of training, at most; `pass_over` is what all rows to learn from take to go
    through the network once.
    """

    seconds: Mapping[str, float]
    steps: int
    memory_bytes: int
    disk_bytes: int
    choices: Mapping[str, object]
    pass_over: float = 0.0

    @property
    def step(self) -> float:
        """The seconds of one step of training, with its share of judging."""
        return (self.seconds["training"] + self.seconds["judging"]) / max(1, self.steps)

    @property
    def once_after(self) -> float:
        """The seconds of what is done once, after all seeds."""
        return self.seconds["retention"] + self.seconds["baselines"]

    def least(self, seeds: int) -> float:
        """Return the seconds that so many seeds take with one step of training each."""
        again = seeds * (self.seconds["loading"] + self.seconds["head"] + self.step)
        again += seeds * (self.seconds["calibrating"] + self.seconds["measuring"])
        return self.seconds["features"] + again + self.once_after

    def whole(self, seeds: int) -> float:
        """Return the seconds that the whole job takes with so many seeds."""
        once = self.seconds["features"] + self.once_after
        return once + seeds * (sum(self.seconds.values()) - once)

    def fold(self, share: float) -> float:
        """Return the seconds that training on a share of the rows takes, and judging the rest.

        The features that training begins with are not among them.
        """
        return self.trial(share, 1 - share)

    def trial(self, learnt: float, judged: float) -> float:
        """Return the seconds that training on a share of the rows takes, and judging another."""
        seconds = self.seconds
        learning = seconds["head"] + seconds["training"] + seconds["judging"]
        return seconds["loading"] + learnt * learning + judged * self.pass_over

    @property
    def no_room(self) -> str:
        """Why there is too little memory for it; empty where there is enough."""
        if self.memory_bytes <= resources.free_memory("cpu") + resources.memory_now():
            return ""
        return f"it takes {self.memory_bytes / 1e9:.1f} GB of memory, more than there are"

    def after_training(self, seeds_to_come: int) -> float:
        """Return the seconds to keep for what follows the training of a seed."""
        after = self.seconds["calibrating"] + self.seconds["measuring"]
        more = self.seconds["loading"] + self.seconds["head"] + after
        seeds = seeds_to_come * (more + self.step)
        return RESERVE * (after + self.once_after + seeds)


def check_least(estimate: Estimate, clock: Clock, seeds: int) -> None:
    """Raise BadOption where a budget, if there is one, is below the least that the job takes."""
    least = clock.spent + RESERVE * estimate.least(seeds)
    if clock.budget is not None and clock.budget < least:
        raise BadOption(
            f"the time budget of {clock.budget:.0f} s is below the least that this takes here, "
            f"{least:.0f} s",
            f"--time-budget {least * 1.1:.0f}s, fewer rows, or --recipe probe",
        )


def in_steps(estimate: Estimate, clock: Clock, seeds: int) -> int | None:
    """Return how many steps of training a budget leaves room for: one at least, None for all."""
    assert clock.budget is not None, "who has no budget asks for no steps"
    room = AIM * clock.budget - clock.spent - estimate.least(seeds) + seeds * estimate.step
    steps = max(1, int(room / seeds / estimate.step)) if estimate.step else estimate.steps
    return None if steps >= estimate.steps else steps


def takes_by(
    job: Job, base: Path, choices: Choices, progress: Progress, *, like: Estimate | None = None
) -> Estimate:
    """Return what a job takes by its recipe, reckoned once and kept among choices.

    `like` is of another recipe for the same rows: rivals and proof take what they took there.
    """

    def reckoned() -> dict[str, Any]:
        tried = rehearse(job, base, progress, saves=like is None)
        found = estimate(job, tried, like.seconds["baselines"] if like else None)
        if like:
            measuring = max(found.seconds["measuring"], like.seconds["measuring"])
            found = replace(found, seconds={**found.seconds, "measuring": measuring})
        return asdict(found)

    return Estimate(**choices.once(f"takes of {job.recipe.name}", reckoned))


def takes_or_why(
    job: Job,
    rung: Rung,
    base: Path,
    choices: Choices,
    progress: Progress,
    like: Estimate,
    *,
    apart: bool = True,
) -> Estimate | str:
    """Return what one of several recipes takes, or why it can't be chosen for these rows.

    `like` is of another of them, and `apart` is as in `Job.by`. Raises OutOfTime.
    """
    rows = len(job.split.train) + len(job.split.validation)
    if why := refusal(rung, job.goal)[0] or unsuited(rung.recipe.name, rows, len(job.labels)):
        return why
    try:
        return takes_by(job.by(rung, apart=apart), base, choices, progress, like=like)
    except OutOfTime:
        raise
    except HubtlError as error:
        return error.message


def estimate(job: Job, tried: Rehearsal, baselines: float | None = None) -> Estimate:
    """Return what the whole job will take, by what a little of it took.

    `baselines` are the seconds that plain rivals take, where they are known.
    """
    network, meter, choices = tried.network, tried.meter, tried.choices
    rows = joined(job.split.train, job.split.validation)
    inputs = as_read(rows, network)
    found, count = network.sizes(inputs), len(job.split.train)
    train = [size for size in found[:count] for _ in range(network.views)]
    sizes = [*train, *found[count:]]
    if baselines is None:
        baselines = _baselines(job, tried.base)
    once = {"retention": _retention(job, tried), "baselines": baselines}
    seconds = {**_seconds(job, tried, train, found[count:]), **once}
    if not meter.amounts["features"]:  # a method that goes another way is told by its rows alone
        seconds["training"] = tried.adapting * len(rows) / SAMPLE
    trained = COPIES * trained_bytes(network)
    cuts = [layer for name, layer in choices.all().items() if name.startswith("cut") and layer]
    seconds["features"] *= _lacking(tried, inputs, cuts)
    features_bytes = round(meter.kept_bytes * sum(sizes))
    batches_bytes = SHAPES * meter.batch_bytes
    return Estimate(
        seconds,
        -(-len(train) // meter.rows) * meter.epochs if meter.rows else 0,
        max(resources.peak_memory(), tried.loaded_bytes + trained + batches_bytes + features_bytes),
        features_bytes + trained + 2 * tried.folder_bytes,
        {name: choices.get(name) for name in ("precision", "positions at once")},
        meter.pace("features") * padded(sizes, batches(sizes, ROWS, POSITIONS)),
    )


def _lacking(tried: Rehearsal, inputs: Sequence[str], cuts: Sequence[int]) -> float:
    """Return the share of inputs whose features are not kept from an earlier recipe or ranking."""
    shelf = Shelf(*trunks())
    if cuts:
        return float(shelf.serving(tried.network, inputs, cuts[0], tried.precision) is None)
    return shelf.lacking(tried.network, inputs, tried.precision)


def _seconds(
    job: Job, tried: Rehearsal, train: Sequence[int], validation: Sequence[int]
) -> dict[str, float]:
    """Return the seconds of each stage but the baselines; given are sizes of rows, views too."""
    meter, network = tried.meter, tried.network
    learning = [*train, *validation]
    test = network.sizes(as_read(job.split.test, network))
    features = padded(learning, batches(learning, ROWS, POSITIONS))
    training = meter.shrunk * padded(train, batches(train, meter.rows or ROWS)) * meter.epochs
    some = sum(validation) or sum(train) // len(train) * min(ENOUGH, len(train))
    judged = meter.shrunk * some
    slower = SLOWER if tried.precision == "bf16" else 1.0
    folds = int(tried.learnt.options.get("folds", 5))
    width = int(network.head.in_features)
    heard, outputs = len(learning), len(job.labels)
    if isinstance(job.goal, Placed):
        heard, outputs = min(sum(learning), MOST), len(job.goal.outputs(job.labels))
    fitted = job.labels and not job.goal.given
    head = seconds_to_fit(heard, width, outputs, folds) if fitted else 0.0
    curve = min(SECONDS, FOLDS * head) if job.goal.whole else 0.0
    return {
        "loading": tried.loading,
        "features": meter.pace("features") * features,
        "head": head,
        "training": meter.pace("training") * training,
        "judging": meter.pace("judging") * judged * (meter.epochs + 1 if validation else 2),
        "calibrating": meter.pace("judging") * judged if validation else 0.0,
        "measuring": curve + tried.measuring + meter.pace("features") * slower * sum(test),
    }


def _retention(job: Job, tried: Rehearsal) -> float:
    """Return the seconds that the base takes with public inputs; measuring has the model's own."""
    if not is_measured(job) or not isinstance(job.task, Retaining):
        return 0.0
    inputs, watch = inputs_of(probes_of(job, tried.base)), Stopwatch()
    if job.task.said_by_base(tried.base, inputs[:1]):
        # By two questions: what loading takes differs by more than one input does.
        first, watch = watch.seconds, Stopwatch()
        job.task.said_by_base(tried.base, inputs[: 1 + ASKED])
        return first + max(0.0, watch.seconds - first) / ASKED * (len(inputs) - 1)
    return tried.loading + tried.meter.pace("features") * sum(tried.network.sizes(inputs))


def _baselines(job: Job, base: Path) -> float:
    """Return the seconds that the plain rivals take, by those they take on some rows."""
    learning = len(job.split.train) + len(job.split.validation)
    few = at_most(job.split, RIVALS, job.request.seed, strata=job.goal.divides)
    watch = Stopwatch()
    rivals_of(job, few, base)
    return watch.seconds * max(1.0, min(learning, RIVAL_ROWS) / RIVALS)
