"""What is written down of a job that is done: facts measured from the folder, for its card."""

from __future__ import annotations

import dataclasses
import datetime
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .climbing import Climb, paragraph
from .job import Job
from .judgement import calibrated
from .ladder import AUTO
from .learning import Outcome
from .lineage import licence_upon
from .registry.facts import LOCAL, WRITTEN_LATER, Facts
from .registry.fingerprint import files_in, rows_fingerprint, sha256
from .registry.weights import needed
from .rivals import words_of
from .shift import shifted
from .transfer import measure, resources
from .transfer.goal import Goal
from .transfer.judging import Answers
from .transfer.split import contents_of
from .transfer.temperature import HeldOut
from .verdict import gain_over_best


@dataclass(frozen=True, slots=True)
class Seed:
    """What one of several seeds reached on the test rows."""

    seed: int
    metrics: Mapping[str, float]


def facts_of(
    job: Job,
    outcome: Outcome,
    seeds: Sequence[Seed],
    rivals: Mapping[str, Sequence[str]],
    choices: Mapping[str, Any],
    base: Path,
    folder: Path,
    retention: Mapping[str, Any],
    energy: Mapping[str, Any],
) -> Facts:
    """Return all that is known of an adapted folder whose files are there but for its card."""
    true, origins = [row.label for row in job.split.test], [row.origin for row in job.split.test]
    predicted, learnt = outcome.predicted, outcome.learnt
    answers = Answers([], true, predicted.labels, predicted.logits, origins)
    gain, baselines = gain_over_best(rivals, answers, job.goal.metrics, outcome.seed)
    return Facts(
        task=job.task.name,
        base=job.base.id,
        base_revision=job.base.revision or "",
        licence=licence_upon(job.upon, job.base),
        recipe=job.recipe.name,
        method=learnt.how,
        options=learnt.options,
        why=job.why,
        labels=job.labels,
        rows=job.split.sizes,
        main_metric=gain["metric"],
        metrics=measure.measure(true, predicted.labels, job.goal.metrics, outcome.seed, origins),
        baselines=baselines,
        gain=gain,
        beats_baseline=gain["low"] > 0,
        retention=retention,
        seconds=round(job.clock.spent, 2),
        peak_memory_bytes=resources.peak_memory(),
        energy=energy,
        seed=outcome.seed,
        data=_data(job, rivals),
        inputs=outcome.inputs,
        files=_hashes(folder),
        versions=resources.versions(),
        machine=resources.machine(),
        probe={"inputs": job.task.name, "logits": predicted.probe},
        languages=job.base.languages if len(job.base.languages) <= 10 else (),
        domain=job.domain,
        address=job.address,
        loads=predicted.ways,
        choices=choices,
        rivals=dict(words_of(job)),
        lineage=job.upon.lineage if job.upon else (),
        calibration=_calibration(job, answers, learnt.held_out),
        losses=_losses(learnt.curves, job.goal, frozen=getattr(job.method, "frozen", False)),
        layers=outcome.layers,
        shift=shifted(job, outcome),
        base_files={path: sha256(base / path) for path in needed(job.base.files)},
        made_on=datetime.date.today().isoformat(),
        seeds=summary(seeds, outcome),
        curve=outcome.curve,
    )


def _calibration(job: Job, answers: Answers, held_out: HeldOut | None) -> dict[str, Any]:
    """Return how far the probabilities of test rows are to be believed, and why."""
    where = "on the test rows"
    if held_out is None:
        return calibrated(answers, job.goal, job.labels, where)
    temperature, how = held_out.temperature, held_out.how
    return calibrated(answers, job.goal, job.labels, where, temperature, how)


def _losses(curves: Mapping[str, Any], goal: Goal, *, frozen: bool) -> dict[str, Any]:
    """Return the losses by epoch, and how they were measured; no epochs where there were none."""
    if not curves:
        how = "the method does not tell how it learnt"
        if frozen:
            how = "there are no epochs: a head is fitted at once, on what the frozen base gives"
        return {"training": [], "validation": [], "best_epoch": None, "how": how}
    how = f"mean loss{goal.loss_in}, of training rows while they are learnt from"
    if curves["validation"]:
        how += ", of validation rows before training and after each epoch"
    return {**curves, "how": how}


def told_of_climb(facts: Facts, climb: Climb | None) -> Facts:
    """Return facts that say how the recipe was chosen, bad news first, where hubtl chose it."""
    if climb is None:
        return dataclasses.replace(facts, asked=facts.recipe)
    best = facts.gain["over"]
    lost = "" if facts.beats_baseline else facts.rivals.get(best, best)
    why = f"{facts.why} {paragraph(climb, facts.rivals, lost)}"
    return dataclasses.replace(facts, asked=AUTO, climb=climb.as_json(), why=why)


def _data(job: Job, rivals: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what is told of the rows: nothing that is in them."""
    return {
        "fingerprint": job.data.fingerprint,
        "test_fingerprint": rows_fingerprint(contents_of(job.split.test)),
        "split": job.split.how,
        "groups": measure.known_origins([row.origin for row in job.split.test]),
        "commonest": rivals["majority"][0] if "majority" in rivals else None,
        "fields": list(job.data.fields),
        **job.goal.noted(),
    }


def summary(seeds: Sequence[Seed], kept: Outcome) -> dict[str, Any] | None:
    """Return each seed's metrics, their mean and their standard deviation; None for one seed."""
    if len(seeds) < 2:
        return None
    names = list(kept.metrics)
    values = {name: [each.metrics[name] for each in seeds] for name in names}
    chosen = "the least loss on validation rows" if kept.learnt.loss is not None else "the first"
    return {
        "runs": [{"seed": each.seed, "metrics": dict(each.metrics)} for each in seeds],
        "mean": {name: statistics.fmean(values[name]) for name in names},
        "deviation": {name: statistics.stdev(values[name]) for name in names},
        "kept": kept.seed,
        "how": f"the seed kept is {chosen}; test rows had no say in it",
    }


def _hashes(folder: Path) -> dict[str, str]:
    unhashed = (*WRITTEN_LATER, *LOCAL)
    return {path: sha256(at) for path, at in files_in(folder).items() if path not in unhashed}
