"""The recipe that a task's bases are adapted by where the user names none.

A task need not fit: then that is `probe`, which takes the least.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

PROBE = "probe"


@runtime_checkable
class Preferring(Protocol):
    """A task that another recipe than `probe` suits: its name, and why, as a clause."""

    recipe: str
    recipe_why: str


def preferred(task: object) -> tuple[str, str]:
    """Return the recipe of a task where none is named, and the task's reason, if it has one."""
    return (task.recipe, task.recipe_why) if isinstance(task, Preferring) else (PROBE, "")
