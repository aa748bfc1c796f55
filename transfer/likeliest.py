"""The label that logits mean, by what kind of label it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .goal import Goal
from .number import Numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray


def likeliest(goal: Goal, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
    """Return the label that logits [rows, classes] mean: the likeliest class, or all likely.

    Of numbers it is the one logit itself.
    """
    if isinstance(goal, Numbers):
        return [goal.said(number) for number in logits[:, 0].tolist()]
    if goal.divides:
        return [classes[number] for number in logits.argmax(axis=1)]
    pairs = (zip(classes, row, strict=True) for row in logits.tolist())
    return [goal.said([name for name, logit in row if logit > 0]) for row in pairs]
