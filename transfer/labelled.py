"""From a table's columns to checked, labelled rows: what is wrong is told with where it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..registry.errors import BadData, HubtlError
from .batches import keep
from .columns import part_of
from .goal import ONE_CLASS, Goal
from .listing import all_of
from .rows import Source
from .table import LINE, Table

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

SHOWN = 5
LONGEST = 40  # letters of a word that is told
PARTS = ("train", "validation", "test")
UNUSABLE = -2
# What a row's file and the cell in it become: the input itself, and its digest if it is a file.
Reader = Callable[[int, str], tuple[str, str]]


@runtime_checkable
class Beside(Protocol):
    """A goal whose labels are read beside their inputs, such as places in a text; both may nest."""

    def input(self, cell: str) -> str:
        """Return the input that a cell means."""
        ...

    def row(self, input: str, label: str, *, one: bool = False) -> tuple[str, str]:
        """Return the input and the label that two cells mean; raises ValueError with what not.

        `one` is whether it is one cell that has both.
        """
        ...


@dataclass
class _Fault:
    """Rows of one kind that can't be used: their lines, where the first are, and a word of one."""

    lines: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    word: str = ""

    @property
    def count(self) -> int:
        return len(self.lines)

    def add(self, file: int, line: int) -> None:
        self.lines.append(line)
        if len(self.places) < SHOWN:
            self.places.append((file, line))


@dataclass(frozen=True, slots=True)
class Unusable:
    """What is wrong with rows that can't be used: one error a kind, and how many rows it is."""

    error: HubtlError
    rows: int


def labelled(
    table: Table,
    columns: Mapping[str, str],
    roles: tuple[str, str],
    reader: Reader | None,
    keeps: object = None,
    *,
    goal: Goal = ONE_CLASS,
) -> tuple[Source, NDArray[Any], list[Unusable]]:
    """Return the rows, the part of each as its number in PARTS, or -1 for none, and what is wrong.

    `roles` are those of the input and of the label; `columns` may also name split, group, time and
    origin. A row that can't be used is among them, and its part is UNUSABLE; what is told of such
    rows has the first lines at fault, and how many there are.
    """
    import numpy

    lists = goal.lists or goal.nested
    nests = {columns[role] for role in (roles if isinstance(goal, Beside) else roles[1:] * lists)}
    _check_nested(table, {role: name for role, name in columns.items() if name not in nests})
    parts: list[NDArray[Any]] = []
    faults: dict[str, _Fault] = {}
    broken: list[HubtlError] = []
    time = _clock(table, columns["time"]) if "time" in columns else None
    one = columns[roles[0]] == columns[roles[1]]

    def checked() -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        for file, cells in _cells(table, columns):
            part = _parts(table.files[file].part, cells.get("split"), len(cells[LINE]))
            reads = None
            if reader:
                reads, unusable = _files(table, file, cells, roles[0], reader)
                broken.extend(unusable)
                part[[not each[0] for each in reads]] = UNUSABLE
            before = {what: fault.count for what, fault in faults.items()}
            yield 0, _batch(table, file, cells, roles, faults, reads, time, goal, one)
            found = [fault.lines[before.get(what, 0) :] for what, fault in faults.items()]
            part[numpy.isin(cells[LINE], [line for lines in found for line in lines])] = UNUSABLE
            parts.append(part)

    source = Source(keep(checked()), keeps)
    unusable = [Unusable(_told(table, what, each), each.count) for what, each in faults.items()]
    if broken:
        error = all_of(broken, f"`{table.path}`: {len(broken)} of its files can't be used")
        unusable.append(Unusable(error, len(broken)))
    return source, numpy.concatenate(parts), unusable


def _cells(table: Table, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, list[Any]]]]:
    """Yield (number of the file, cells by role), a batch of rows at a time; LINE has the lines."""
    for file, arrays in table.values(LINE, *columns.values()):
        cells = (array.to_pylist() for array in arrays)
        yield file, dict(zip((LINE, *columns), cells, strict=True))


def _batch(
    table: Table,
    file: int,
    cells: Mapping[str, list[Any]],
    roles: tuple[str, str],
    faults: dict[str, _Fault],
    reads: Sequence[tuple[str, str]] | None,
    time: Callable[[str], float] | None,
    goal: Goal,
    one: bool,
) -> pyarrow.RecordBatch:
    """Return a batch of Source; rows at fault are noted, and their batch is never used.

    `reads` are what the inputs' files hold, where inputs are in files; `one` is whether one column
    has inputs and labels.
    """
    import pyarrow

    lines = cells[LINE]
    for role in (*roles, *(each for each in ("group", "time") if each in cells)):
        for line, cell in zip(lines, cells[role], strict=True):
            if cell is None or not cell.strip():
                faults.setdefault(f"an empty {role}", _Fault()).add(file, line)
            elif "\0" in cell:
                faults.setdefault(f"a NUL byte in its {role}", _Fault()).add(file, line)
    inputs: Sequence[str] = cells[roles[0]]
    name = table.files[file].id
    ids = [f"{name}:{line}" if line else each for line, each in zip(lines, inputs, strict=True)]
    digests: Sequence[str] = [""] * len(lines)
    if reads:
        inputs, digests = zip(*reads, strict=True)
    inputs, labels = _labels(file, lines, inputs, cells[roles[1]], goal, faults, one)
    groups, origins = (
        [(cell or "").strip() for cell in cells.get(role, [""] * len(lines))]
        for role in ("group", "origin")
    )
    columns: dict[str, Any] = {"id": ids, "input": inputs, "label": labels, "group": groups}
    columns |= {"digest": digests, "origin": origins}
    batch = {key: pyarrow.array(value, pyarrow.string()) for key, value in columns.items()}
    if time:
        batch["time"] = _times(time, file, lines, cells["time"], faults)
    return pyarrow.RecordBatch.from_pydict(batch)


def _labels(
    file: int,
    lines: Sequence[int],
    inputs: Sequence[str | None],
    cells: Sequence[str | None],
    goal: Goal,
    faults: dict[str, _Fault],
    one: bool,
) -> tuple[Sequence[Any], Sequence[str]]:
    """Return the inputs, as the goal reads them, and what the cells of labels mean."""
    found = []
    for line, input, cell in zip(lines, inputs, cells, strict=True):
        found.append((input, ""))
        try:
            if isinstance(goal, Beside):
                if (input or "").strip() and (cell or "").strip():  # else they are told as empty
                    found[-1] = goal.row(input or "", cell or "", one=one)
            else:
                found[-1] = input, goal.read(cell or "")
        except ValueError as error:
            if cell and cell.strip():  # else it is told to be empty
                word = cell.strip()[:LONGEST]
                what = f"a label that is none ({error})"
                faults.setdefault(what, _Fault(word=word)).add(file, line)
    told, labels = zip(*found, strict=True) if found else ((), ())
    return told, labels


def _files(
    table: Table, file: int, cells: Mapping[str, list[Any]], role: str, reader: Reader
) -> tuple[list[tuple[str, str]], list[HubtlError]]:
    """Return what each cell's file holds, and what is wrong with those that can't be used."""
    found: list[tuple[str, str]] = []
    broken: list[HubtlError] = []
    for line, cell in zip(cells[LINE], cells[role], strict=True):
        found.append(("", ""))
        if not cell or not cell.strip() or "\0" in cell:
            continue  # told with the other cells that are empty
        try:
            found[-1] = reader(file, cell)
        except HubtlError as error:
            where = f" ({table.places([(file, line)], False)})" if line else ""
            broken.append(type(error)(f"{error.message}{where}", error.hint))
    return found, broken


def _times(
    time: Callable[[str], float],
    file: int,
    lines: Sequence[int],
    cells: Sequence[str | None],
    faults: dict[str, _Fault],
) -> pyarrow.Array:
    import pyarrow

    found = []
    for line, cell in zip(lines, cells, strict=True):
        try:
            found.append(time(cell or ""))
        except (ValueError, OverflowError):
            found.append(math.nan)
            if cell and cell.strip():
                faults.setdefault("a time that is none", _Fault()).add(file, line)
    return pyarrow.array(found, pyarrow.float64())


def _clock(table: Table, column: str) -> Callable[[str], float]:
    """Return how to read a column of times: as numbers if all are, else as ISO 8601."""
    for _, (array,) in table.values(column):
        for cell in array.unique().to_pylist():
            try:
                _number(cell or "0")
            except ValueError:
                return _seconds
    return _number


def _number(cell: str) -> float:
    found = float(cell)
    if not math.isfinite(found):
        raise ValueError(cell)
    return found


def _seconds(cell: str) -> float:
    """Return the seconds since 1970 of a date or time in ISO 8601; without a zone it is UTC."""
    found = datetime.fromisoformat(cell.strip())
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _parts(of_file: str | None, cells: Sequence[str | None] | None, rows: int) -> NDArray[Any]:
    import numpy

    if of_file:
        return numpy.full(rows, PARTS.index(of_file), "int8")
    if cells is None:
        return numpy.full(rows, -1, "int8")
    return numpy.array([PARTS.index(part_of(cell)) for cell in cells], "int8")


def _check_nested(table: Table, columns: Mapping[str, str]) -> None:
    for role, column in columns.items():
        if column in table.nested:
            raise BadData(
                f"{table.nested[column]}: `{column}` has a list or an object, and a {role} is one "
                "value",
                f"name another column for the {role}, or write one value",
            )


def _told(table: Table, what: str, fault: _Fault) -> BadData:
    many = fault.count > 1
    where = table.places(fault.places, fault.count > SHOWN)
    where = f"such as `{fault.word}`; {where}" if fault.word else where
    hint = f"fill in or remove {'them' if many else 'it'}, then run it again"
    if "time" in what:
        hint = "write times as 2026-01-31, 2026-01-31T12:30:00 or all as numbers"
    count = f"{fault.count} rows have" if many else "a row has"
    return BadData(f"`{table.path}`: {count} {what} ({where})", hint)
