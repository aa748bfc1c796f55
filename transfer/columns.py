"""Find which column plays which role, by name and by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..registry.errors import BadData, nearest
from .table import Table


@dataclass(frozen=True, slots=True)
class Role:
    """Something a task needs of every row, and what its column is usually called."""

    name: str
    names: tuple[str, ...]
    content: Literal["long", "few", "none"]


SPLIT = Role("split", ("split", "subset", "fold", "partition"), "none")
PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def find_columns(table: Table, roles: Sequence[Role], named: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role: the one named, else by name, else by content."""
    for role_name, column in named.items():
        if role_name not in [role.name for role in roles]:
            needs = ", ".join(role.name for role in roles)
            raise BadData(f"this task has no role `{role_name}`", f"it has {needs}")
        if column not in table.columns:
            close = nearest(column, table.columns)
            raise BadData(
                f"`{table.path}` has no column `{column}` for --{role_name}",
                (f"did you mean `{close}`? " if close else "") + _has(table),
            )
    found = dict(named)
    for role in roles:
        free = [name for name in table.columns if name not in found.values()]
        match = found.get(role.name) or _by_name(role, free) or _by_content(role, free, table)
        if match is None:
            raise BadData(
                f"`{table.path}` has no {role.name} column",
                f"{_has(table)}: say --{role.name} COLUMN",
            )
        found[role.name] = match
    return found


def find_split(table: Table, named: str | None) -> str | None:
    """Return the column that says train, validation or test, or None where none does."""
    if named and named not in table.columns:
        raise BadData(f"`{table.path}` has no column `{named}` for --split", _has(table))
    candidates = [named] if named else [c for c in table.columns if c.casefold() in SPLIT.names]
    for column in candidates:
        values = {row.cells.get(column, "").strip().casefold() for row in table.rows}
        odd = sorted(values - set(PARTS))
        if not odd:
            return column
        # With some parts in it, it is a split: to pass it over would train on test rows.
        if named or len(odd) < len(values):
            raise BadData(
                f"column `{column}` of `{table.path}` has `{odd[0]}`",
                "a split column holds train, validation and test, in every row",
            )
    return None


def _has(table: Table) -> str:
    return f"it has {', '.join(f'`{name}`' for name in table.columns)}"


def _by_name(role: Role, free: Sequence[str]) -> str | None:
    folded = {name.strip().casefold(): name for name in reversed(free)}
    return next((folded[name] for name in role.names if name in folded), None)


def _by_content(role: Role, free: Sequence[str], table: Table) -> str | None:
    """Return the only column that looks like the role; a guess between two is none."""
    columns = {name: [row.cells.get(name, "") for row in table.rows] for name in free}
    if role.content == "long":
        fit = {
            name: sum(map(len, values)) / len(values)
            for name, values in columns.items()
            if len(set(values)) > len(values) / 2
        }
        fit = {name: length for name, length in fit.items() if length >= 15}
        return max(fit, key=lambda name: fit[name]) if fit else None
    if role.content == "few":
        few = [
            name
            for name, values in columns.items()
            if 2 <= len(set(values)) <= min(50, len(values) / 5) and max(map(len, values)) <= 40
        ]
        return few[0] if len(few) == 1 else None
    return None
