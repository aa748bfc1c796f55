"""Tables that have only a part of what a task learns from, and are completed before they are read.

A task need not fit: then its tables are read as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..transfer.table import Table


@dataclass(frozen=True, slots=True)
class Completed:
    """A table with what was made for it, the columns that play a role now, and a clause on it.

    What was made stands in lines behind the last one of its file. `bound` says why rows stay
    together where they are in groups that nobody named.
    """

    table: Table
    columns: Mapping[str, str]
    told: str = ""
    bound: str = ""


@runtime_checkable
class Completing(Protocol):
    """A task that makes of some tables what it learns from."""

    def completed(self, table: Table, columns: Mapping[str, str]) -> Completed:
        """Return a table with what it lacks, or as it is; `columns` are those that a user named."""
        ...


def completed(task: object, table: Table, columns: Mapping[str, str]) -> Completed:
    """Return a table as a task completes it."""
    if isinstance(task, Completing):
        return task.completed(table, columns)
    return Completed(table, columns)
