"""Where a model goes wrong on rows: for `evaluate`, and for the report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .registry.comparing import LOWER
from .transfer import measure
from .transfer.calibration import calibration, log_likely, reliability
from .transfer.goal import Goal
from .transfer.judging import LEAST_ROWS, Answers, ClassScore, by_class, confusions, worst

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORST = 10


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a model's answers beside its metrics.

    `confusion` has (true, said, rows) of each pair of labels that differ, `worst` the number of a
    row and how wrong it is, and `calibration` the error, its bins and how it was measured.
    """

    answers: Answers
    classes: Sequence[ClassScore]
    confusion: Sequence[tuple[str, str, int]]
    calibration: Mapping[str, Any]
    worst: Sequence[tuple[int, float]]
    goal: Goal

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `evaluate --json` promises of this; rows are told by their ids."""
        told = self.answers
        return {
            "classes": [asdict(each) for each in self.classes],
            "confusion": [
                {"true": self.goal.shown(true), "label": self.goal.shown(said), "rows": rows}
                for true, said, rows in self.confusion
            ],
            "calibration": dict(self.calibration),
            "worst": [
                {
                    "id": told.ids[number],
                    "true": self.goal.shown(told.true[number]),
                    "label": self.goal.shown(told.labels[number]),
                    "wrong": wrong,
                    "by": self.goal.worst_by,
                }
                for number, wrong in self.worst
            ],
        }


def judge(
    answers: Answers,
    goal: Goal,
    classes: Sequence[str],
    seed: int = 0,
    temperature: float | None = None,
) -> Judgement:
    """Return where answers are wrong; of texts and numbers there are no classes or confusions.

    Of spans there are no confusions either: one that is missed is taken for nothing else.
    """
    return Judgement(
        answers,
        by_class(answers, goal, classes, seed),
        confusions(answers) if classes and goal.whole and not goal.ordered else [],
        calibrated(answers, goal, classes, "on these rows", temperature),
        worst(answers, goal, classes, WORST),
        goal,
    )


def calibrated(
    answers: Answers,
    goal: Goal,
    classes: Sequence[str],
    where: str,
    temperature: float | None = None,
    fitted_on: str = "",
) -> dict[str, Any]:
    """Return how far the probabilities of rows are to be believed, or why that is not measured.

    `reliability` has the bins, none where it is not measured. What ends in `_before` is without the
    temperature, by which the answers' logits are divided already.
    """
    if not goal.divides:
        how = "measured only where each row has one class"
        return {"ece": None, "reliability": [], "temperature": None, "how": how}
    logits = np.asarray(answers.logits, np.float64)
    said, true = (goal.targets(each, classes) for each in (answers.labels, answers.true))
    found = _believed(logits, said, true)
    if temperature is None:
        return {**found, "temperature": None, "how": f"{where}, no temperature fitted"}
    before = _believed(logits * temperature, said, true)
    fitted = f", fitted on {fitted_on}" if fitted_on else ""
    return {
        **found,
        **{f"{name}_before": before[name] for name in ("ece", "log_loss", "reliability")},
        "temperature": temperature,
        "how": f"{where}, logits divided by a temperature of {temperature:.2f}{fitted}",
    }


def _believed(
    logits: NDArray[np.float64], said: NDArray[np.int64], true: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the calibration of rows, its bins, and the log loss in nats."""
    likely, rows = log_likely(logits), np.arange(len(true))
    sure, right = np.exp(likely[rows, said]).tolist(), (said == true).tolist()
    return {
        **calibration(sure, right),
        "log_loss": float(-likely[rows, true].mean()),
        "reliability": [asdict(each) for each in reliability(sure, right)],
    }


def sliced(
    column: str, values: Sequence[str], answers: Answers, goal: Goal, seed: int = 0
) -> dict[str, Any]:
    """Return the metrics of the rows of each value of a column that has ten rows or more.

    The worst by the main metric comes first; values of fewer rows are `left_out`.
    """
    numbers = defaultdict(list)
    for number, value in enumerate(values):
        numbers[value].append(number)
    main = next(iter(goal.metrics))
    found: list[dict[str, Any]] = []
    for value, rows in sorted(numbers.items()):
        if len(rows) >= LEAST_ROWS:
            some = answers.among(rows)
            metrics = measure.measure(some.true, some.labels, goal.metrics, seed, some.origins)
            found.append({"value": value, "rows": len(rows), "metrics": metrics})
    found.sort(key=lambda each: each["metrics"][main]["value"], reverse=main in LOWER)
    few = {value: len(rows) for value, rows in sorted(numbers.items()) if len(rows) < LEAST_ROWS}
    return {"column": column, "values": found, "left_out": few}
