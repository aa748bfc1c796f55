"""What an adapted model still can of what its base could: asked of the saved folder, and scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .job import Job
from .plugins.retaining import Probes, Retaining
from .registry.card import METRIC_NAMES
from .registry.places import trunks
from .transfer import measure
from .transfer.progress import Progress
from .transfer.retention import (
    FEWEST,
    NEAREST,
    by_chance,
    features_now,
    linear_cka,
    neighbour_overlap,
    still_right,
)
from .transfer.trunk import Shelf

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = ("score", "how", "rows", "cka", "loss_before", "loss_after")
UNCHANGED = "nothing in the body was changed, so that all of it is kept; that needs no measuring"
STEP = "what the base makes of public inputs"


def is_measured(job: Job) -> bool:
    """Return whether a saved folder is to be asked: not where nothing of the body is changed."""
    return isinstance(job.task, Retaining) and not _unchanged(job)


def _unchanged(job: Job) -> bool:
    """Return whether the body is the base's: upon an adapter it is that one's."""
    return getattr(job.method, "frozen", False) and not job.upon


def asked(job: Job, base: Path, folder: Path) -> Mapping[str, Any] | None:
    """Return the inputs, and the code by which a saved folder is asked what it makes of them."""
    if not is_measured(job):
        return None
    return {"code": _task(job).asking(folder, base), "inputs": inputs_of(probes_of(job, base))}


def retained(job: Job, base: Path, kept: Sequence[Any], progress: Progress) -> dict[str, Any]:
    """Return how much of the base a model retains, by what its saved folder makes of the inputs.

    What the base says comes from the base as it is, its features from hubtl's network of it,
    untrained, which heads are fitted on.
    """
    if _unchanged(job):  # which is known of any task, whether or not it has public inputs
        return {**dict.fromkeys(KEYS), "score": 1.0, "cka": 1.0, "rows": 0, "how": UNCHANGED}
    if not isinstance(job.task, Retaining):
        return _unknown(f"the task `{job.task.name}` doesn't tell what its models retain")
    asked_about = probes_of(job, base)
    inputs = inputs_of(asked_about)
    progress(STEP, 0, len(inputs))
    said = _task(job).said_by_base(base, inputs)
    then = said or features_now(job.network(base, "cpu"), inputs, Shelf(*trunks()))
    progress(STEP, len(inputs), len(inputs))
    scored: Callable[..., dict[str, Any]] = _texts_scored if said else _features_scored
    found, start = [], 0
    for probes in asked_about:
        part = slice(start, start + len(probes.inputs))
        found.append(scored(job, probes, then[part], kept[part]))
        start = part.stop
    return {**found[0], **({"retain": found[1]} if len(found) > 1 else {})}


def _task(job: Job) -> Retaining:
    assert isinstance(job.task, Retaining), "else there were no probes"
    return job.task


def probes_of(job: Job, base: Path) -> list[Probes]:
    """Return what a model is asked about: public inputs, then those of the user's own."""
    return [_task(job).retention_probes(base), *([job.retain] if job.retain else [])]


def inputs_of(probes: Sequence[Probes]) -> list[str]:
    """Return all inputs, in order."""
    return [each for some in probes for each in some.inputs]


def _unknown(why: str) -> dict[str, Any]:
    return {**dict.fromkeys(KEYS), "how": why}


def _features_scored(
    job: Job, probes: Probes, before: NDArray[Any], after: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Return the overlap of neighbours, and linear CKA beside it."""
    import numpy as np

    rows, now = len(probes.inputs), np.asarray(after)
    if rows < FEWEST:
        return _unknown(f"there are {rows} inputs to see it by, and it takes {FEWEST}")
    how = (
        f"the overlap of each input's {NEAREST} nearest neighbours (cosine), base against adapted, "
        f"as the head sees {probes.words}; {by_chance(rows):.2f} would be chance"
    )
    score = float(neighbour_overlap(before, now).mean())
    cka = linear_cka(before, now)
    return {**dict.fromkeys(KEYS), "score": score, "how": how, "rows": rows, "cka": cka}


def _texts_scored(
    job: Job, probes: Probes, before: Sequence[str], after: Sequence[str]
) -> dict[str, Any]:
    """Return the error rates of both, and what share of the words got right still is."""
    name = next(iter(job.goal.metrics))
    metrics, right = {name: job.goal.metrics[name]}, probes.labels or probes.inputs
    then, now = (
        measure.values(right, [job.goal.said(each) for each in said], metrics)[name]
        for said in (before, after)
    )
    kept = getattr(job.goal, "kept", None)
    score = kept(then, now) if kept else still_right(then, now)
    how = f"the share of what the base gets right of {probes.words} that the adapted model does"
    if kept:
        how = f"how probable a token of {probes.words} is, as a share of what the base finds it"
    if score is None:
        how = f"the base gets nothing right of {probes.words}"
    named = METRIC_NAMES.get(name, name).lower()
    named = f"{named[:-1]}ies" if named.endswith("y") else f"{named}s"
    told = f"{how}; losses are {named}, each with its own head"
    losses = {"loss_before": then, "loss_after": now}
    return {**dict.fromkeys(KEYS), "score": score, "how": told, "rows": len(after), **losses}
