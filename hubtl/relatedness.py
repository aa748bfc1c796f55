"""How near rows lie to what a candidate was made for: evidence beside its score, not counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .plugins.hookspecs import Task
from .plugins.related import Relating
from .ranked import Related
from .registry.entry import Entry
from .transfer.split import Example

MOST = 200  # rows that are looked at
ALL = "multilingual"


def related_to(
    known: Entry, task: Task, base: Path, rows: Sequence[Example], domain: str | None
) -> Related:
    """Return what a candidate says it is for, held against rows, and what their task measures."""
    if not isinstance(task, Relating):
        return Related(_among(domain, known.domains))
    measured = task.related(base, _some(rows))
    return Related(
        _among(domain, known.domains),
        _among(language_of(task, rows), known.languages),
        measured.value if measured else None,
        measured.how if measured else "",
    )


def language_of(task: Task, rows: Sequence[Example]) -> str | None:
    """Return the language that most rows are in; None where the task does not tell."""
    return task.language(_some(rows)) if isinstance(task, Relating) else None


def _among(wanted: str | None, stated: Sequence[str]) -> bool | None:
    """Return whether it is among what a model states; None where either is not known."""
    if not wanted or not stated or ALL in stated:
        return None
    return wanted in stated


def _some(rows: Sequence[Example]) -> list[str]:
    """Return inputs from all over the rows."""
    return [row.input for row in rows[:: max(1, -(-len(rows) // MOST))]]
