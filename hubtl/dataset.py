"""From a user's file to rows that a task can learn from, with all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .opened import Opened, file_role, names_files, open_data
from .plugins.completing import completed
from .plugins.hookspecs import Task
from .registry.errors import BadData, BadOption
from .registry.fingerprint import rows_fingerprint
from .transfer.columns import (
    FILE,
    Role,
    check_roles,
    find_columns,
    find_origin,
    find_split,
    of_numbers,
)
from .transfer.fields import fields_of, wanted_fields, with_rows
from .transfer.goal import ONE_CLASS, Goal
from .transfer.labelled import PARTS, UNUSABLE, Beside, Unusable, labelled
from .transfer.listing import FILES, FOLDERS, PART_FOLDERS
from .transfer.rows import Rows
from .transfer.split import contents_of
from .transfer.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

OTHER_ROLES = ("split", "group", "time")
BY_NAME = "names of files"


@dataclass(frozen=True, slots=True)
class Dataset:
    """The rows of DATA for one task: which columns they came from, and each row's part.

    `origin` is the column that says whose each row is, where one does. `fields` are the keys of an
    input that is several columns. `made` tells of rows that the task made of others, and `bound`
    why it keeps some together.
    """

    path: Path
    columns: Mapping[str, str]
    examples: Rows
    parts: Mapping[str, Rows]
    origin: str | None = None
    fields: tuple[str, ...] = ()
    made: str = ""
    bound: str = ""

    @property
    def fingerprint(self) -> str:
        """A hash of all inputs and labels, whatever their order."""
        return rows_fingerprint(contents_of(self.examples))


@dataclass(frozen=True, slots=True)
class Seen:
    """DATA as it is, for who looks for what is wrong: its table, its usable rows, what isn't.

    `usable` has the number in the table of each row of `data.examples`.
    """

    data: Dataset
    table: Table
    usable: NDArray[Any]
    unusable: Sequence[Unusable]


def read_dataset(
    path: Path,
    task: Task,
    columns: Mapping[str, str],
    hub: str | None = None,
    *,
    goal: Goal = ONE_CLASS,
    slice_by: str | None = None,
    fields: Sequence[str] = (),
) -> Dataset:
    """Return the labelled rows of DATA; raises BadData that names the lines at fault.

    With `slice_by`, the name of any column, its cells are the groups of the rows. `fields` are the
    columns that an input is made of, where that is known and it is of several.

    DATA is a file, a folder, or a data set on a hub (`hub`, else the one in use).
    """
    return usable(see(path, task, columns, hub, goal=goal, slice_by=slice_by, fields=fields))


def usable(seen: Seen) -> Dataset:
    """Return the rows of DATA; raises BadData where some of them can't be used."""
    for each in seen.unusable:
        raise each.error
    return seen.data


def see(
    path: Path,
    task: Task,
    columns: Mapping[str, str],
    hub: str | None = None,
    *,
    goal: Goal = ONE_CLASS,
    slice_by: str | None = None,
    fields: Sequence[str] = (),
) -> Seen:
    """Return the rows of DATA that can be used, and what is wrong with the others.

    Raises BadData where there is no table to begin with, or no row can be used.
    """
    import numpy

    opened = open_data(path, task.roles[0], hub)
    asked, sliced = columns, {"slice": slice_by} if slice_by else {}
    whole = completed(task, opened.table, {**columns, **sliced})
    opened = replace(opened, table=whole.table)
    columns = {role: name for role, name in whole.columns.items() if role not in sliced}
    wanted = wanted_fields(opened.table, opened.role, columns, fields)
    found, by_file = _found(opened, task, columns, slice_by, goal, wanted)
    label = task.roles[1].name
    input_role = FILE.name if by_file else opened.role.name
    reader = opened.reader if by_file else None
    keeps = opened.keeps if opened.role.content == "file" else None
    # Whose a row is has no say in the split where nobody said so, but in how sure one can be.
    has_roles = [name for role, name in found.items() if role not in OTHER_ROLES]
    origin = asked.get("group") or find_origin(opened.table, [*has_roles, *wanted])
    origin = origin or columns.get("group")
    known = found | ({"origin": origin} if origin else {})
    table, made = opened.table, {}
    if opened.role.content == "row":
        if found[label] in wanted:
            raise BadData(
                f"`{found[label]}` is the {label}, and was named as input too", "take it out"
            )
        made = fields_of(table, opened.role, found, wanted, known.values())
        table, known[input_role] = with_rows(table, opened.role, made, blank=False)
        found = found if opened.role.parts else {input_role: known[input_role], **found}
    source, numbers, unusable = labelled(
        table, known, (input_role, label), reader, keeps, goal=goal
    )
    # Half the size of a number that few tables need.
    kind = "int32" if len(numbers) < 1 << 31 else "int64"
    parts = {
        part: Rows((source, numpy.flatnonzero(numbers == number).astype(kind)))
        for number, part in enumerate(PARTS)
    }
    if any(each.part for each in opened.table.files):
        found["split"] = BY_NAME
    usable = numpy.flatnonzero(numbers != UNUSABLE).astype(kind)
    if not len(usable):
        raise unusable[0].error
    rows = Rows((source, usable))
    data = Dataset(path, found, rows, parts, origin, tuple(made), whole.told, whole.bound)
    return Seen(data, opened.table, usable, unusable)


def read_inputs(
    path: Path,
    task: Task,
    columns: Mapping[str, str],
    hub: str | None = None,
    fields: Sequence[str] = (),
) -> list[str]:
    """Return the inputs of every row of DATA, in order; labels are not needed.

    `fields` are the columns that an input is made of, where it is of several.
    """
    return see_inputs(path, task, columns, hub, fields)[0]


def see_inputs(
    path: Path,
    task: Task,
    columns: Mapping[str, str],
    hub: str | None = None,
    fields: Sequence[str] = (),
) -> tuple[list[str], object]:
    """Return the inputs of every row of DATA, and what must outlive the reading of their files."""
    opened = open_data(path, task.roles[0], hub)
    role, reader, table = opened.role, opened.reader, opened.table
    if opened.lists_classes:
        column, by_file = FILES, True
    elif role.content == "row":
        wanted, by_file = wanted_fields(table, role, columns, fields), False
        named = {part.name: columns[part.name] for part in role.parts if part.name in columns}
        parts = find_columns(table, role.parts, named)
        made = fields_of(table, role, parts, wanted, ())
        table, column = with_rows(table, role, made, blank=True)
    else:
        by_file = names_files(opened, columns)
        asked = file_role(role) if by_file else role
        named = {name: column for name, column in columns.items() if name == asked.name}
        column = find_columns(table, (asked,), named)[asked.name]
    goal = task.goal(task.options)
    inputs: list[str] = []
    for file, (array,) in table.values(column):
        cells = [cell or "" for cell in array.to_pylist()]
        cells = [reader(file, cell)[0] for cell in cells] if by_file else cells
        inputs += map(goal.input, cells) if isinstance(goal, Beside) else cells
    return inputs, opened.keeps


def test_rows(data: Dataset) -> Rows:
    """Return the rows to judge by: those marked as test, or all where none is marked."""
    return data.parts["test"] if len(data.parts["test"]) else data.examples


def _found(
    opened: Opened,
    task: Task,
    columns: Mapping[str, str],
    slice_by: str | None,
    goal: Goal,
    wanted: Sequence[str],
) -> tuple[dict[str, str], bool]:
    """Return the column of each role, and whether inputs are files that a column names.

    Where an input is of several columns these are not among them, but for parts of their own.
    """
    table, label = opened.table, task.roles[1]
    if goal.ordered:
        label = of_numbers(label)
    if opened.lists_classes:
        found = {FILE.name: FILES, label.name: FOLDERS}
        parts = {"split": PART_FOLDERS} if PART_FOLDERS in table.columns else {}
        return found | parts, True
    by_file = names_files(opened, columns)
    first = file_role(opened.role) if by_file else opened.role
    roles = (*(first.parts if first.content == "row" else (first,)), label)
    named = {role: name for role, name in columns.items() if role not in OTHER_ROLES}
    check_roles(roles if first.parts else (first, label), named)
    if first.content == "row":
        named.pop(first.name, None)
    split = find_split(table, columns.get("split"))
    # Who slices rows does not split them: the column's cells come where those of a group would.
    others = {role: columns[role] for role in ("group", "time") if role in columns}
    if slice_by:
        others = {"slice": slice_by}
    if len(others) == 2:
        raise BadOption("rows are split by group or by time", "name one of the two columns")
    find_columns(table, [Role(role, (), "none") for role in others], others)
    if slice_by:
        others = {"group": slice_by}
    if split:
        others["split"] = split
    found = find_columns(table, roles, named, [*others.values(), *wanted])
    return {**found, **others}, by_file
