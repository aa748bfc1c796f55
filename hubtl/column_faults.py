"""What the other columns of a table tell: nothing at all, the label itself, or what rows share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .dataset import Seen
from .results import Finding
from .transfer.columns import PERSONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

GIVEN_AWAY = 0.99  # of labels that a column tells by itself
GAIN = 0.1  # over chance in telling labels, from where on they hang on a column
COVERED = 0.05  # of the test rows, whose value is among those to learn from
TRIES = 20  # of what chance does
# What a column is called that says where rows come from; one of another name may say it too.
ORIGINS = {
    *PERSONS,
    *("client", "device", "group", "group_id", "origin", "site", "source", "subject"),
}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as numbers: of its value and of the label in each row, and which rows test."""

    name: str
    values: NDArray[Any]
    labels: NDArray[Any]
    tests: NDArray[Any]


def column_faults(seen: Seen, *, classes: bool) -> Iterator[Finding]:
    """Yield what is to be said of columns without a role; without classes, only what is empty."""
    rows = seen.data.examples
    for name, known, column in _columns(seen, seen.table.columns):
        if len(known) == 1:
            yield _constant(name, next(iter(known)), len(rows))
        elif classes and _may_bind(known, len(rows)):
            yield from _leaks(column)


def leaking_groups(seen: Seen) -> list[Finding]:
    """Return what `column_faults` warns of: columns that by their names say where rows come from.

    Others are not looked at, since this is asked before any work.
    """
    named = [name for name in seen.table.columns if _names_origin(name)]
    found = [
        finding
        for _, known, column in _columns(seen, named)
        if _may_bind(known, len(seen.data.examples))
        for finding in _leaks(column)
    ]
    return [each for each in found if each.severity == "warning"]


def _may_bind(known: Mapping[str, int], rows: int) -> bool:
    """Return whether values of a column may be what some rows share and others do not."""
    return 1 < len(known) < rows and not _is_measured(known)


def _columns(seen: Seen, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, int], _Column]]:
    """Yield the name, the values and the rows of each of these columns that has no role."""
    import numpy

    names = [each for each in names if each not in {*seen.data.columns.values(), *seen.data.fields}]
    if not names:
        return
    told = [label for (label,) in seen.data.examples.cells("label")]
    labels, tests = numpy.unique(told, return_inverse=True)[1], _tests(seen)
    for name in names:
        known, values = _values(seen, name)
        yield name, known, _Column(name, values, labels, tests)


def _names_origin(column: str) -> bool:
    return column.strip().casefold() in ORIGINS


def _tests(seen: Seen) -> NDArray[Any]:
    """Return which usable rows are marked as test."""
    import numpy

    found = numpy.zeros(len(seen.data.examples), bool)
    ids = {id for (id,) in seen.data.parts["test"].cells("id")}
    for number, (id,) in enumerate(seen.data.examples.cells("id")):
        found[number] = id in ids
    return found


def _values(seen: Seen, name: str) -> tuple[dict[str, int], NDArray[Any]]:
    """Return the values of a column, and the number of that of each usable row."""
    import numpy

    known: dict[str, int] = {}
    numbers = [
        known.setdefault((cell or "").strip(), len(known))
        for _, (array,) in seen.table.values(name)
        for cell in array.to_pylist()
    ]
    taken = numpy.array(numbers)[seen.usable]
    used = set(numpy.unique(taken).tolist())
    return {value: number for value, number in known.items() if number in used}, taken


def _is_measured(known: Mapping[str, int]) -> bool:
    """Return whether values are numbers with a fraction: those are measured, and name nothing."""
    try:
        return any(not float(value).is_integer() for value in known if value)
    except (ValueError, OverflowError):
        return False


def _constant(name: str, value: str, rows: int) -> Finding:
    what = f"column `{name}` is `{value}` in every row" if value else f"column `{name}` is empty"
    return Finding("constant", "note", what, "it tells nothing: leave it out", rows)


def _leaks(column: _Column) -> Iterator[Finding]:
    """Yield that a column gives the label away, or has what rows on two sides share."""
    told = _by_the_others(column.values, column.labels)
    if told.mean() >= GIVEN_AWAY:
        yield Finding(
            "gives_label",
            "note",
            f"column `{column.name}` tells {told.mean():.1%} of the labels by itself",
            "keep it out of the input: whoever asks the model does not have it",
            len(told),
        )
    judge = _by_learning if column.tests.any() else _by_the_rest
    right, covered, whole = judge(column, column.labels)
    if covered < max(5, COVERED * whole) or not _beats_chance(column, right, judge):
        return
    across = "has the same values on both sides of the split" if column.tests.any() else (
        "has values of many rows each"
    )  # fmt: skip
    known = _names_origin(column.name)
    yield Finding(
        "group",
        "warning" if known else "note",
        f"column `{column.name}` {across}, and tells the label of {right:.0%} of those rows",
        ("" if known else "if it says where rows come from: ")
        + f"keep each on one side, by --column group={column.name}"
        + (" and without the split" if column.tests.any() else ""),
        covered,
    )


def _beats_chance(
    column: _Column, right: float, judge: Callable[[_Column, NDArray[Any]], tuple[float, int, int]]
) -> bool:
    """Return whether labels in any other order are told clearly worse."""
    import numpy

    dice = numpy.random.default_rng(0)
    return all(
        right >= GAIN + judge(column, dice.permutation(column.labels))[0] for _ in range(TRIES)
    )


def _by_learning(column: _Column, labels: NDArray[Any]) -> tuple[float, int, int]:
    """Return the share of test rows with a known value that its commonest label is right for.

    And how many those are, and how many test rows there are.
    """
    import numpy

    learning = ~column.tests
    best = numpy.full(int(column.values.max()) + 1, -1)
    table, value, label = _counted(column.values[learning], labels[learning])
    order = numpy.argsort(table, kind="stable")
    best[value[order]] = label[order]  # the last one, which is the commonest, stays
    said = best[column.values[column.tests]]
    known = said >= 0
    right = float((said == labels[column.tests])[known].mean()) if known.any() else 0.0
    return right, int(known.sum()), len(known)


def _by_the_rest(column: _Column, labels: NDArray[Any]) -> tuple[float, int, int]:
    """Return the same where no row is marked: each is told by the others of its value."""
    import numpy

    shared = numpy.bincount(column.values)[column.values] > 1
    right = _by_the_others(column.values, labels)[shared]
    return float(right.mean()) if len(right) else 0.0, len(right), len(shared)


def _by_the_others(values: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """Return for which rows the others of the same value have mostly the same label."""
    import numpy

    table, value, label = _counted(values, labels)
    size = int(values.max()) + 1
    first, second, best = numpy.zeros(size, int), numpy.zeros(size, int), numpy.full(size, -1)
    order = numpy.argsort(table, kind="stable")
    for count, at, what in zip(table[order], value[order], label[order], strict=True):
        first[at], second[at], best[at] = count, first[at], what
    own = numpy.zeros(0) if not len(table) else _own(values, labels, table, value, label)
    rival = numpy.where(best[values] == labels, second[values], first[values])
    found: NDArray[Any] = own - 1 > rival
    return found


def _counted(
    values: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return how many rows each pair of value and label has, the value, and the label."""
    import numpy

    width = int(labels.max(initial=0)) + 1
    pairs, counts = numpy.unique(values.astype("int64") * width + labels, return_counts=True)
    return counts, pairs // width, pairs % width


def _own(
    values: NDArray[Any],
    labels: NDArray[Any],
    table: NDArray[Any],
    value: NDArray[Any],
    label: NDArray[Any],
) -> NDArray[Any]:
    """Return how many rows have the value and the label of each row."""
    import numpy

    width = int(labels.max(initial=0)) + 1
    found: NDArray[Any] = table[numpy.searchsorted(value * width + label, values * width + labels)]
    return found
