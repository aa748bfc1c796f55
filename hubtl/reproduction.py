"""Whether a folder says what was measured: loaded by its card in a clean process, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .diagnosis import likely
from .evaluation import goal_of
from .plugins.manager import plugins
from .predictions import Predictions
from .proof import Predicted, card_code, loading, predict_in_clean_process
from .registry.comparing import figure
from .registry.errors import NotReproduced
from .registry.facts import Facts
from .transfer import measure, resources
from .transfer.agreement import LOGIT_TOLERANCE, Agreement, compare, nearness
from .transfer.goal import ONE_CLASS, Goal
from .transfer.progress import Progress

METRIC_TOLERANCE = 1e-9
SAME_MACHINE = 1e-4  # how far logits may be off where processor and versions are those of then
SOME = 200  # rows that are enough to see a fault before anything is sent; all are proven after


def reproduce(
    folder: Path,
    base: Path,
    revision: str,
    facts: Facts,
    rows: Predictions,
    what: str,
    progress: Progress,
) -> tuple[Agreement, float]:
    """Return how well a folder says all that was measured, and the metric it gives.

    `what` it is goes into the NotReproduced that is raised where it doesn't.
    """
    task = plugins().task(facts.task)
    goal = goal_of(facts)
    said = predict_in_clean_process(
        card_code(folder, facts),
        {facts.base: (facts.base_revision, base), str(facts.address): (revision, folder)},
        rows.inputs,
        probe=task.probe_inputs,
        ways=task.other_ways(folder, loading(facts)),
        step=f"proving {what}",
        progress=progress,
        said=goal.said,
        true=rows.true,
        written=[number for number, label in enumerate(rows.predicted) if goal.shown(label)],
        near=nearness(goal),
    )
    near = _tolerance(facts)
    agreement = compare(rows.predicted, rows.logits, said.labels, said.logits, goal, near)
    probed = compare_probe(facts, said, goal, near)
    if not (agreement.holds and probed.holds):
        failed, wanted, found = agreement, rows.logits, said.logits
        if agreement.holds:
            failed, wanted, found = probed, facts.probe["logits"], said.probe
        cause = likely(folder, facts, wanted, found)
        raise NotReproduced(f"{what} does not say what was measured{cause}: {failed}", _HINT)
    reproduced = measure.values(rows.true, said.labels, goal.metrics)[facts.main_metric]
    measured = measure.values(rows.true, rows.predicted, goal.metrics)[facts.main_metric]
    # A near tie may fall the other way elsewhere, and the metric with it, by that many rows.
    ties = agreement.near_ties / max(1, agreement.rows)
    off = METRIC_TOLERANCE + ties + goal.slack(measured, agreement.widest, rows.predicted)
    if abs(reproduced - measured) > off:
        told = [figure(facts.main_metric, each, digits=4) for each in (reproduced, measured)]
        raise NotReproduced(
            f"{what} gives {facts.main_metric} {told[0]} in place of {told[1]}", _HINT
        )
    _check_ways(facts, said)
    return agreement, reproduced


_HINT = "nothing was published; adapt again"


def some(rows: Predictions) -> Predictions:
    """Return at most 200 of the rows, evenly spread."""
    step = -(-len(rows.ids) // SOME) or 1
    few = slice(None, None, step)
    return Predictions(
        rows.ids[few],
        rows.inputs[few],
        rows.contents[few],
        rows.true[few],
        rows.predicted[few],
        rows.logits[few],
        {name: labels[few] for name, labels in rows.rivals.items()},
        rows.origins[few],
    )


def compare_probe(
    facts: Facts, said: Predicted, goal: Goal, near: float = LOGIT_TOLERANCE
) -> Agreement:
    """Return how the logits of the public probe inputs differ from those that were measured."""
    wanted = facts.probe["logits"]
    told = goal if goal.ordered else ONE_CLASS
    return compare(_best(wanted), wanted, _best(said.probe), said.probe, told, near)


def _tolerance(facts: Facts) -> float:
    same = facts.versions == resources.versions() and facts.machine == resources.machine()
    return SAME_MACHINE if same else LOGIT_TOLERANCE


def _check_ways(facts: Facts, said: Predicted) -> None:
    """Raise NotReproduced where another way of loading worked when the card was written."""
    for way, result in facts.loads.items():
        now = said.ways.get(way, "is not tried any more")
        if result == "works" != now:
            raise NotReproduced(f"the card says that {way} works, and it {now}", "adapt again")


def _best(logits: Sequence[Sequence[float]]) -> list[Any]:
    return [max(range(len(row)), key=row.__getitem__) for row in logits]
