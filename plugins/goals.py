"""What a label may be to a task that has one or several classes an input, or a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..registry.errors import BadOption

if TYPE_CHECKING:
    from ..transfer.goal import Goal

ABOUT = "labels are numbers, and a number is predicted: regression"


def goal_by(options: Mapping[str, Any]) -> Goal:
    """Return that it is one class, any of several, or a number; raises BadOption for two at once.

    That is by a task's options, of which `several` and `numbers` may be two.
    """
    from ..transfer.goal import ONE_CLASS
    from ..transfer.number import NUMBERS
    from ..transfer.several import SOME_CLASSES

    several, numbers = options.get("several"), options.get("numbers")
    if several and numbers:
        why = "`several=true` and `numbers=true`: a label is a list of classes, or a number"
        raise BadOption(why, "set one of the two")
    if numbers:
        return NUMBERS
    return SOME_CLASSES if several else ONE_CLASS


def problem_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return what a configuration tells transformers of it, which takes one logit for a chance."""
    return {"problem_type": "regression"} if options.get("numbers") else {}
