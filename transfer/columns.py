"""Find which column plays which role, by name and by content."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..registry.errors import BadData, nearest
from .table import Table


@dataclass(frozen=True, slots=True)
class Role:
    """Something a task needs of every row, and what its column is usually called.

    `content` is what its column looks like: long, few different values, numbers, or paths of files.
    `files` has the endings of files that an input may be in: their text is the input, or where the
    content is `file` their path. Then `check` looks into each file before work starts, and raises
    BadData. `tables` has the endings of tables that are sentences of a token a line, as CoNLL has
    them. `whole` are names of a column that has all roles of a task in one, such as a chat.

    Where the content is `row` the input is several columns, as one JSON object: those of `parts`,
    or else all that no other role takes, numbers in it as numbers and empty cells as null.
    """

    name: str
    names: tuple[str, ...]
    content: Literal["long", "few", "number", "file", "row", "none"]
    files: tuple[str, ...] = ()
    check: Callable[[Path], None] | None = None
    tables: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    parts: tuple[Role, ...] = ()


NUMBER_NAMES = ("score", "rating", "price", "value", "number", "y")
FILE = Role("file", ("file", "file_name", "filename", "path"), "none")
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
    "eval": "test",
    "evaluation": "test",
}
# Whose rows are alike: what a column is called that says whom, or whose, each row is.
PERSONS = (
    *(
        "speaker",
        "speaker_id",
        "voice",
        "client_id",
        "patient",
        "patient_id",
        "subject_id",
        "person",
    ),
    *("person_id", "user", "user_id", "writer", "author", "recorder", "session", "session_id"),
)
# Enough rows to tell by that the values of a column mostly differ.
SAMPLE = 10_000
SHOWN = 20


def find_columns(
    table: Table, roles: Sequence[Role], named: Mapping[str, str], taken: Collection[str] = ()
) -> dict[str, str]:
    """Return the column of each role: the one named, else by name, else by content.

    Columns that are `taken` by something else are not guessed to play a role.
    """
    check_roles(roles, named)
    for role_name, column in named.items():
        check_there(table, column, role_name)
    found = dict(named) or _whole(table, roles, taken)
    for role in roles:
        free = [name for name in table.columns if name not in (*found.values(), *taken)]
        match = found.get(role.name) or _by_name(role, free) or _by_content(role, free, table)
        if match is None:
            raise BadData(
                f"`{table.path}` has no {role.name} column",
                f"{_has(table)}: say {_flag(role)}",
            )
        found[role.name] = match
    return found


def _flag(role: Role) -> str:
    """Return how a column is named on the command line: few roles have an option of their own."""
    return "--label COLUMN" if role.name == "label" else f"--column {role.name}=COLUMN"


def of_numbers(role: Role) -> Role:
    """Return the role of a label that is a number, by the names that such a column has too."""
    content = role.content if role.content == "none" else "number"  # that is found by names alone
    return replace(role, names=(*role.names, *NUMBER_NAMES), content=content)


def check_roles(roles: Sequence[Role], named: Collection[str]) -> None:
    """Raise BadData for a role that is named and isn't one of these."""
    for name in named:
        if name not in [role.name for role in roles]:
            needs = ", ".join(role.name for role in roles)
            raise BadData(f"this task has no role `{name}`", f"it has {needs}")


def check_there(table: Table, column: str, role: str) -> None:
    """Raise BadData, which tells the nearest name, where a table lacks the column of a role."""
    if column not in table.columns:
        close = nearest(column, table.columns)
        raise BadData(
            f"`{table.path}` has no column `{column}` for --{role}",
            (f"did you mean `{close}`? " if close else "") + _has(table),
        )


def find_split(table: Table, named: str | None) -> str | None:
    """Return the column that says train, validation or test, or None where none does."""
    if named and named not in table.columns:
        raise BadData(f"`{table.path}` has no column `{named}` for --split", _has(table))
    candidates = [named] if named else [c for c in table.columns if c.casefold() in SPLIT.names]
    for column in candidates:
        known, odd = _parts(table, column)
        if odd is None:
            return column
        # With some parts in it, it is a split: to pass it over would train on test rows.
        if named or known:
            raise BadData(
                f"column `{column}` of `{table.path}` has `{odd}`",
                "a split column holds train, validation and test, in every row",
            )
    return None


def find_origin(table: Table, taken: Collection[str]) -> str | None:
    """Return the column that says whose each row is, by its name, or None where none does."""
    names = {
        name.strip().casefold(): name
        for name in reversed(table.columns)
        if name not in taken and name not in table.nested
    }
    return next((names[each] for each in PERSONS if each in names), None)


def part_of(cell: str | None) -> str:
    """Return the part that a cell of a split column names."""
    return PARTS[(cell or "").strip().casefold()]


def _parts(table: Table, column: str) -> tuple[bool, str | None]:
    """Return whether a column names any part, and the first value in order that names none."""
    known, odd = False, None
    for _, (array,) in table.values(column):
        for cell in array.unique().to_pylist():
            value = (cell or "").strip().casefold()
            if value in PARTS:
                known = True
            elif odd is None or value < odd:
                odd = value
    return known, odd


def _has(table: Table) -> str:
    names = [f"`{name}`" for name in table.columns[:SHOWN]]
    return f"it has {', '.join(names)}" + (", …" if len(table.columns) > SHOWN else "")


def _whole(table: Table, roles: Sequence[Role], taken: Collection[str]) -> dict[str, str]:
    """Return the column that plays all roles, where none has one of its own by name."""
    free = [name for name in table.columns if name not in taken]
    if any(_by_name(role, free) for role in roles):
        return {}
    names = tuple(name for role in roles for name in role.whole)
    column = _by_name(Role("", names, "none"), free)
    return {role.name: column for role in roles} if column else {}


def _by_name(role: Role, free: Sequence[str]) -> str | None:
    folded = {name.strip().casefold(): name for name in reversed(free)}
    return next((folded[name] for name in role.names if name in folded), None)


def _by_content(role: Role, free: Sequence[str], table: Table) -> str | None:
    """Return the only column that looks like the role; a guess between two is none."""
    if role.content == "long":
        fit = {name: length for name in free if (length := _length_if_varied(table, name)) >= 15}
        return max(fit, key=lambda name: fit[name]) if fit else None
    if role.content == "few":
        few = [name for name in free if _has_few(table, name)]
        return few[0] if len(few) == 1 else None
    if role.content == "number":
        counted = [name for name in free if _has_numbers(table, name)]
        return counted[0] if len(counted) == 1 else None
    return None


def _length_if_varied(table: Table, column: str) -> float:
    """Return the mean length of a column's cells, or 0 where half of them are alike."""
    from pyarrow import compute

    rows = length = 0
    seen: set[str | None] = set()
    for _, (array,) in table.values(column):
        rows += len(array)
        length += compute.sum(compute.utf8_length(array)).as_py() or 0
        seen.update(array.unique().to_pylist())
        if rows >= SAMPLE:
            break
    return length / rows if len(seen) > rows / 2 else 0


def _has_few(table: Table, column: str) -> bool:
    """Return whether a column has 2 to 50 short values, each five times on average."""
    from pyarrow import compute

    seen: set[str] = set()
    for _, (array,) in table.values(column):
        seen.update(cell or "" for cell in array.unique().to_pylist())
        longest = compute.max(compute.utf8_length(array)).as_py() or 0
        if len(seen) > 50 or longest > 40:
            return False
    return 2 <= len(seen) <= len(table.batches) / 5


def _has_numbers(table: Table, column: str) -> bool:
    """Return whether the first of a column's cells are numbers, and not all the same."""
    seen: set[float] = set()
    rows = 0
    for _, (array,) in table.values(column):
        rows += len(array)
        try:
            seen.update(float(cell) for cell in array.unique().to_pylist() if cell)
        except ValueError:
            return False
        if rows >= SAMPLE:
            break
    return len(seen) > 1
