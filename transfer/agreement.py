"""Compare two sets of predictions for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .goal import ONE_CLASS, Goal

LOGIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two sets of predictions differ: rows, other labels, near ties, widest logit gap.

    The widest gap and `tolerance` are differences, or a `share` of the largest logit of the row; of
    labels that are a `number`, which may be in any unit, a share of how far those deviate.
    """

    rows: int
    other_labels: int
    near_ties: int
    far_logits: int
    widest: float
    worst: int
    tolerance: float = LOGIT_TOLERANCE
    share: bool = False
    number: bool = False

    @property
    def holds(self) -> bool:
        """Whether every label is the same, near ties apart, and every logit is near enough."""
        return self.rows > 0 and self.other_labels == 0 and self.far_logits == 0

    def __str__(self) -> str:
        of = " of its largest" if self.share else ""
        of = " of the labels' deviation" if self.number else of
        return (
            f"{self.other_labels} of {self.rows} labels differ, {self.far_logits} rows have a "
            f"logit further off than {self.tolerance:g}{of} (widest {self.widest:.3g}, in row "
            f"{self.worst})"
        )


def nearness(goal: Goal) -> float:
    """Return how far logits may be off, in their own unit."""
    return LOGIT_TOLERANCE * goal.unit


def compare(
    labels: Sequence[Any],
    logits: Sequence[Sequence[float]],
    other_labels: Sequence[Any],
    other_logits: Sequence[Sequence[float]],
    goal: Goal = ONE_CLASS,
    tolerance: float = LOGIT_TOLERANCE,
    *,
    share: float | None = None,
) -> Agreement:
    """Return how the second predictions differ from the first, over all rows.

    Logits may differ by LOGIT_TOLERANCE; or by a `share` of the row's largest, of 1 at least; where
    only the goal's `leading` ones are logits, of the largest of those. Of numbers, these and labels
    may differ by as much of their unit.

    A row whose logits are a near tie may change its label without anything being wrong, so it is
    counted apart. Rows that are missing and values that are not finite differ.
    """
    first, second = np.asarray(logits, np.float64), np.asarray(other_logits, np.float64)
    rows, tolerance = len(labels), tolerance if share is None else share
    told = (tolerance, share is not None and not goal.ordered, goal.ordered)
    if rows == 0:
        return Agreement(0, 0, 0, 0, 0.0, 0, *told)
    if first.shape != second.shape or len(other_labels) != rows:
        return Agreement(rows, rows, 0, rows, float("inf"), 0, *told)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(first - second)
    gaps = np.where(np.isfinite(gaps), gaps, np.inf).max(axis=1, initial=0.0)
    pairs = zip(labels, other_labels, strict=True)
    if goal.ordered:
        gaps = gaps / goal.unit
        near = [abs(float(a) - float(b)) <= tolerance * goal.unit for a, b in pairs]
        changed = ~np.array(near, np.bool_)
    else:
        # As users get them: what a label tells in numbers besides is told by the logits too.
        changed = np.array([goal.shown(a) != goal.shown(b) for a, b in pairs], np.bool_)
        if share is not None:
            leading = first[:, : goal.leading]
            gaps = gaps / np.abs(leading).max(axis=1, initial=1.0)
    ties = goal.ties(first)
    return Agreement(
        rows,
        int((changed & ~ties).sum()),
        int((changed & ties).sum()),
        int((gaps > tolerance).sum()),
        float(gaps.max(initial=0.0)),
        int(gaps.argmax()) if rows else 0,
        *told,
    )
