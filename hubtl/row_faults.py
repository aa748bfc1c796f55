"""What is wrong with rows by what is in them: the same twice, nearly the same, far too long."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .plugins.check import Look
from .results import Finding
from .transfer.columns import Role
from .transfer.split import Example, like

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANY_COPIES = 0.05  # of all rows
MANY_NEAR = 0.02  # of the test rows
FAR = 4  # times the 99th hundredth, from where on a size is an odd one


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows to learn from, then rows to test with, where data say which are: `divided`."""

    ids: Sequence[str]
    inputs: Sequence[str]
    contents: Sequence[str]
    labels: Sequence[str]
    groups: Sequence[str]
    learning: int
    divided: bool

    def __len__(self) -> int:
        return len(self.ids)

    def tests(self, row: int) -> bool:
        """Return whether a row is one to test with."""
        return row >= self.learning

    def bound(self, first: int, second: int) -> bool:
        """Return whether two rows are of one group, and so never on two sides."""
        return bool(self.groups[first]) and self.groups[first] == self.groups[second]

    def told(self, row: int, **more: Any) -> Mapping[str, Any]:
        """Return a row as findings name it."""
        return {"row": self.ids[row], "label": self.labels[row], **more}

    def firsts(self) -> dict[str, list[int]]:
        """Return the rows of each content, those that differ by case and spaces taken as one."""
        found: dict[str, list[int]] = {}
        for row, content in enumerate(self.contents):
            found.setdefault(like(content), []).append(row)
        return found


def sheet_of(learning: Sequence[Example], tests: Sequence[Example], divided: bool) -> Sheet:
    """Return rows side by side."""
    rows = [row for part in (learning, tests) for row in part]
    ids, inputs = [row.id for row in rows], [row.input for row in rows]
    contents, labels = [row.content for row in rows], [row.label for row in rows]
    groups = [row.group for row in rows]
    return Sheet(ids, inputs, contents, labels, groups, len(learning), divided)


def copies(sheet: Sheet) -> Iterator[Finding]:
    """Yield what there is of the same input more than once."""
    overlap: list[Mapping[str, Any]] = []
    at_odds: list[Mapping[str, Any]] = []
    again: list[Mapping[str, Any]] = []
    for rows in sheet.firsts().values():
        first = sheet.ids[rows[0]]
        if len({sheet.labels[row] for row in rows}) > 1:
            at_odds += [sheet.told(rows[0])] + [sheet.told(row, like=first) for row in rows[1:]]
        for row in rows[1:]:
            crosses = sheet.tests(row) and not sheet.tests(rows[0])
            (overlap if crosses else again).append(sheet.told(row, like=first))
    if overlap:
        whole = len(overlap) == len(sheet) - sheet.learning
        yield Finding(
            "overlap",
            "error" if whole else "warning",
            f"{_rows(len(overlap), 'test row')} in training too",
            "test with rows that are not in training"
            if whole
            else "`adapt` drops them from the test",
            len(overlap),
            tuple(overlap),
        )
    if at_odds:
        yield Finding(
            "contradiction",
            "warning",
            f"{len(at_odds)} rows have the same input as another, and not the same label",
            "keep one label for each input",
            len(at_odds),
            tuple(at_odds),
        )
    if again:
        yield Finding(
            "duplicate",
            "warning" if len(again) > MANY_COPIES * len(sheet) else "note",
            f"{_rows(len(again), 'row')} the same as one before",
            "`adapt` keeps them on one side of a split; they count more than others",
            len(again),
            tuple(again),
        )


def shared_parts(sheet: Sheet, role: Role) -> Iterator[Finding]:
    """Yield that test rows have a part, such as one of two texts, which others learn from.

    That is only where inputs have parts, as their role says.
    """
    if not role.parts:
        return
    found: list[Mapping[str, Any]] = []
    learnt: dict[str, str] = {}
    for row, text in enumerate(sheet.inputs):
        parts = [like(str(part)) for part in json.loads(text).values()]
        if not sheet.tests(row):
            learnt |= dict.fromkeys(parts, sheet.ids[row])
        elif known := [learnt[part] for part in parts if part in learnt]:
            found.append(sheet.told(row, like=known[0]))
    if found:
        what = f"{len(found)} test rows have" if len(found) > 1 else "a test row has"
        names = " or ".join(part.name for part in role.parts)
        yield Finding(
            "shared",
            "warning",
            f"{what} a {names} that rows to learn from have too",
            "results look better than they are: have a `split` column, or --column group=NAME",
            len(found),
            tuple(found),
        )


def near_copies(sheet: Sheet, look: Look, rows: Sequence[int]) -> Iterator[Finding]:
    """Yield what there is of inputs that are nearly the same; `look` has those of these rows.

    Those of one group are left out: to keep them together is what would be advised.
    """
    across: dict[int, int] = {}
    within: dict[int, int] = {}
    for first, second in ((rows[i], rows[j]) for i, j in look.alike()):
        crosses = sheet.tests(second) and not sheet.tests(first)
        if not sheet.bound(first, second):
            (across if crosses else within).setdefault(second, first)
    tests = len(sheet) - sheet.learning
    if across:
        yield Finding(
            "near_overlap",
            "warning" if len(across) > MANY_NEAR * tests else "note",
            f"{_rows(len(across), 'test row')} nearly the same as one to learn from ({look.near})",
            "look at them: `adapt` keeps them, and copies in a test make a model look better; "
            "leave them out, or keep what belongs together on one side by --column group=NAME",
            len(across),
            _pairs(sheet, across),
        )
    if within:
        many = len(within) > MANY_COPIES * len(sheet)
        yield Finding(
            "near_duplicate",
            "warning" if many else "note",
            f"{_rows(len(within), 'row')} nearly the same as one before ({look.near})",
            "they count more than others"
            if sheet.divided
            else "`adapt` may hold one of two out to test with: where they are many, name what "
            "binds them by --column group=NAME",
            len(within),
            _pairs(sheet, within),
        )


def odd_sizes(sheet: Sheet, look: Look, rows: Sequence[int]) -> Iterator[Finding]:
    """Yield which inputs are far larger than nearly all."""
    import numpy

    for name, values in look.measures().items():
        sizes = numpy.asarray(values)
        usual = float(numpy.quantile(sizes, 0.99))
        odd = numpy.flatnonzero(sizes > FAR * max(usual, 1e-9))
        if len(odd):
            yield Finding(
                "size",
                "note",
                f"{len(odd)} of {len(sizes)} inputs have more than {FAR} times the {name} of "
                f"99 % of them ({usual:g})",
                "look whether each is one input",
                len(odd),
                tuple(sheet.told(rows[n], **{name: float(sizes[n])}) for n in odd.tolist()),
            )


def sizes_of(values: Sequence[float]) -> dict[str, float]:
    """Return the least, the median, the 95th hundredth and the most."""
    import numpy

    found: NDArray[Any] = numpy.quantile(numpy.asarray(values, "float64"), (0, 0.5, 0.95, 1))
    return dict(zip(("least", "median", "p95", "most"), found.round(3).tolist(), strict=True))


def _pairs(sheet: Sheet, pairs: Mapping[int, int]) -> tuple[Mapping[str, Any], ...]:
    return tuple(sheet.told(row, like=sheet.ids[pairs[row]]) for row in sorted(pairs))


def _rows(count: int, name: str) -> str:
    return f"{count} {name}s are" if count > 1 else f"a {name} is"
