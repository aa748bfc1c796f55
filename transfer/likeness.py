"""Whether two models' figures on the same rows can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .goal import Goal


@runtime_checkable
class Unlike(Protocol):
    """A goal whose figures can't always be compared, even on the same rows."""

    def unlike(self, said: Sequence[str], other: Sequence[str]) -> str:
        """Return why what two models say of the same rows can't be compared, or nothing."""
        ...


def other_kind(goal: Goal, other: Goal) -> str:
    """Return that labels are of two kinds, such as numbers and classes, or nothing."""
    return "" if type(goal) is type(other) else "its labels are of another kind"


def other_figures(goal: Goal, said: Sequence[str], other: Sequence[str]) -> str:
    """Return why two models' figures on the same rows are of unlike things, or nothing."""
    return goal.unlike(said, other) if isinstance(goal, Unlike) else ""
