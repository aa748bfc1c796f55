"""One training: with one seed, from a fresh network to a saved folder and what it predicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .job import Job
from .plugins.hookspecs import Learnt, Loading
from .proof import NO_COMMIT, Predicted, predict_in_clean_process
from .registry.errors import BadData
from .registry.places import trunks
from .retention import asked
from .transfer import measure
from .transfer.agreement import nearness
from .transfer.checkpoint import Checkpoint
from .transfer.choices import Choices
from .transfer.curve import SECONDS, learning_curve
from .transfer.cut import Uncut, depth
from .transfer.layerwise import LOOK, losses_by_layer
from .transfer.meter import Meter
from .transfer.network import Network
from .transfer.progress import Progress
from .transfer.split import Example, joined
from .transfer.start import Session
from .transfer.temperature import soften
from .transfer.trunk import Shelf
from .transfer.views import as_read, viewed

FOLDS = 2  # of the cross-validation of each layer's probe
CURVE_SHARE = 0.03  # of a time budget that the learning curve may take


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed: a folder without its card, and what that folder predicts."""

    seed: int
    learnt: Learnt
    inputs: Mapping[str, Any]
    snippet: str
    predicted: Predicted
    folder: Path
    metrics: Mapping[str, float]
    layers: Mapping[str, Any]
    # Of the first seed, for all: it hangs on the rows, and not on what is trained.
    curve: Mapping[str, Any]

    @property
    def loss(self) -> float:
        """The loss by which seeds are chosen between: of validation rows, else all are alike."""
        return 0.0 if self.learnt.loss is None else self.learnt.loss


def learn(
    job: Job,
    base: Path,
    seed: int,
    folder: Path,
    checkpoint: Checkpoint,
    choices: Choices,
    progress: Progress,
) -> Outcome:
    """Train a new network, save it into a folder, and take what it predicts from there."""
    import torch

    torch.manual_seed(seed)
    network = network_of(job, base, progress)
    session = dataclasses.replace(
        session_of(job, seed, choices, Meter()), progress=progress, checkpoint=checkpoint
    )
    first = seed == job.request.seed
    # What the base's layers are like does not hang on the seed, so one look is enough; and before
    # they are trained. Where the method looks at them itself it tells.
    looks = first and job.recipe.options.get("layers") != "probe"
    layers = _layers(job, network, session) if looks else {}
    learnt = job.method.adapt(network, job.recipe.options, viewed(session, network))
    if job.held_out and not learnt.held_out:
        soften(network.head, job.held_out.temperature)
        learnt = dataclasses.replace(learnt, held_out=job.held_out)
    if learnt.layers:
        layers = {"losses": list(learnt.layers), "how": "by these the layers to train were chosen"}
    curve = _curve(job, network, session) if first else {}
    split = job.split
    rows = joined(joined(split.train, split.validation), split.test)
    inputs = network.describe_inputs(as_read(rows, network))
    tests = split.test
    snippet, predicted = save_and_measure(job, base, network, folder, inputs, tests, progress)
    true = [row.label for row in split.test]
    metrics = measure.values(true, predicted.labels, job.goal.metrics)
    return Outcome(seed, learnt, inputs, snippet, predicted, folder, metrics, layers, curve)


def _layers(job: Job, network: Network, session: Session) -> dict[str, Any]:
    """Return the loss of a probe on what each layer of the base gives, or why none was made.

    It is only to be looked at, so it takes no part of a time budget.
    """
    told = job.goal.divides or job.goal.ordered
    if not (job.labels and told) or job.goal.given:
        how = "a layer is probed only where a head tells each row's one class, or its number"
        return {"losses": [], "how": how}
    if job.clock.budget is not None:
        return {"losses": [], "how": "no layer was probed, to keep to the time budget"}
    if depth(network) < 2:
        return {"losses": [], "how": "the base has no stack of layers to probe"}
    try:
        losses = losses_by_layer(network, session, FOLDS, LOOK)
    except (Uncut, BadData) as error:
        return {"losses": [], "how": f"no layer can be probed: {error}"}
    rows = min(LOOK, len(session.train))
    how = f"on {rows} rows to train on, {FOLDS} folds, each layer's states averaged"
    return {"losses": losses, "how": how}


def _curve(job: Job, network: Network, session: Session) -> Mapping[str, Any]:
    """Return whether more rows are worth it, by what is kept of the rows; or why not, in `says`."""
    none: dict[str, Any] = {"points": [], "twice": None}
    if not (job.labels and job.goal.whole) or job.goal.given:
        return {
            **none,
            "says": "Whether more rows are worth it is told only where rows have classes.",
        }
    seen = viewed(session, network)
    precision = session.precision(str(job.recipe.options.get("precision", "fp32")), network)
    trunk = session.shelf.find(network, seen.inputs, None, precision)
    if trunk is None or trunk.pooled is None:
        return {
            **none,
            "says": "Whether more rows are worth it is not known: no features were kept.",
        }
    room = CURVE_SHARE * job.clock.budget if job.clock.budget else SECONDS
    try:
        return learning_curve(session.all_trained(), trunk, min(SECONDS, room))
    except BadData as error:
        return {**none, "says": f"Whether more rows are worth it is not known: {error.message}."}


def save_and_measure(
    job: Job,
    base: Path,
    network: Network,
    folder: Path,
    described: Mapping[str, Any],
    tests: Sequence[Example],
    progress: Progress,
) -> tuple[str, Predicted]:
    """Save a network; return its card's code, and what that says to rows in a clean process."""
    network.save(folder)
    base_revision, options = job.base.revision or "", job.recipe.options
    loading = Loading(job.address, job.base.id, base_revision, job.labels, described, options)
    snippet = job.task.snippet(folder, loading)
    predicted = predict_in_clean_process(
        snippet,
        {job.base.id: (base_revision, base), job.address: (NO_COMMIT, folder)},
        [row.input for row in tests],
        true=[row.label for row in tests],
        probe=job.task.probe_inputs,
        ways=job.task.other_ways(folder, loading),
        step="measuring what was saved",
        progress=progress,
        said=job.goal.said,
        near=nearness(job.goal),
        kept=asked(job, base, folder),
    )
    return snippet, predicted


def network_of(job: Job, base: Path, progress: Progress) -> Network:
    """Return a fresh network to train, with what the job builds upon in it.

    Raises BadData where it can't learn from some of the rows.
    """
    network = job.network(base, job.request.device)
    rows = joined(job.split.train, job.split.validation)
    network.expect([row.input for row in rows], [row.label for row in rows])
    if job.upon:
        job.upon.put_into(network, progress)
    return network


def session_of(job: Job, seed: int, choices: Choices, meter: Meter) -> Session:
    """Return the session in which a method trains with a seed."""
    return Session(
        job.split.train,
        job.split.validation,
        job.labels,
        seed,
        Shelf(*trunks()),
        choices=choices,
        meter=meter,
        stop=job.clock.training_is_over,
        goal=job.goal,
    )
