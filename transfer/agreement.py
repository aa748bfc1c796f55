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

    The widest gap and `tolerance` are differences, or a `share` of the largest logit of the row.
    """

    rows: int
    other_labels: int
    near_ties: int
    far_logits: int
    widest: float
    worst: int
    tolerance: float = LOGIT_TOLERANCE
    share: bool = False

    @property
    def holds(self) -> bool:
        """Whether every label is the same, near ties apart, and every logit is near enough."""
        return self.rows > 0 and self.other_labels == 0 and self.far_logits == 0

    def __str__(self) -> str:
        return (
            f"{self.other_labels} of {self.rows} labels differ, {self.far_logits} rows have a "
            f"logit further off than {self.tolerance:g}{' of its largest' * self.share} (widest "
            f"{self.widest:.3g}, in row {self.worst})"
        )


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

    Logits may differ by LOGIT_TOLERANCE; or by a `share` of the row's largest, of 1 at least.

    A row whose logits are a near tie may change its label without anything being wrong, so it is
    counted apart. Rows that are missing and values that are not finite differ.
    """
    first, second = np.asarray(logits, np.float64), np.asarray(other_logits, np.float64)
    rows, tolerance = len(labels), tolerance if share is None else share
    told = (tolerance, share is not None)
    if rows == 0:
        return Agreement(0, 0, 0, 0, 0.0, 0, *told)
    if first.shape != second.shape or len(other_labels) != rows:
        return Agreement(rows, rows, 0, rows, float("inf"), 0, *told)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(first - second)
    gaps = np.where(np.isfinite(gaps), gaps, np.inf).max(axis=1, initial=0.0)
    if share is not None:
        gaps = gaps / np.abs(first).max(axis=1, initial=1.0)
    ties = goal.ties(first)
    pairs = zip(labels, other_labels, strict=True)
    # As users get them: what a label tells in numbers besides is told by the logits too.
    changed = np.asarray([goal.shown(a) != goal.shown(b) for a, b in pairs], bool)
    return Agreement(
        rows,
        int((changed & ~ties).sum()),
        int((changed & ties).sum()),
        int((gaps > tolerance).sum()),
        float(gaps.max(initial=0.0)),
        int(gaps.argmax()) if rows else 0,
        *told,
    )
