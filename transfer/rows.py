"""Labelled rows that are read from Arrow when they are asked for, and not before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from .batches import Batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = 1024


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled row: its id (file and line), what goes in, and what should come out.

    Rows of one `group` are never on two sides of a split; an empty one binds nothing. `digest` is
    that of the file where the input is the path of one. Rows of one `origin`, such as a speaker,
    are not independent of one another; one of an empty origin is.
    """

    id: str
    input: str
    label: str
    group: str = ""
    digest: str = ""
    origin: str = ""

    @property
    def content(self) -> str:
        """What tells this input from others, wherever its file lies."""
        return self.digest or self.input


FIELDS = tuple(Example.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Source:
    """Checked rows in Arrow: the fields of Example, and `time` where rows have one.

    `keeps` is whatever has to live as long as the rows, such as a folder with the inputs' files.
    """

    batches: Batches
    keeps: object = None

    def read(self, rows: NDArray[Any], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the cells of the rows of these numbers; what lies together is read together."""
        at = 0
        while at < len(rows):
            number, inner = self.batches.place(int(rows[at]))
            first = int(rows[at]) - inner
            run = rows[at : at + RUN]
            batch = self.batches.batch(number, len(run))
            away = (run < first) | (run >= first + batch.num_rows)
            run = run[: int(away.argmax())] if away.any() else run
            part = batch.select(list(columns)).take((run - first).astype("int64"))
            yield from zip(*(column.to_pylist() for column in part.columns), strict=True)
            at += len(run)


class Rows(Sequence[Example]):
    """Some rows of one source or more, in an order of their own; a row is built when asked for."""

    def __init__(self, *pieces: tuple[Source, NDArray[Any]]) -> None:
        self._pieces = [piece for piece in pieces if len(piece[1])]

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self._pieces)

    def __iter__(self) -> Iterator[Example]:
        return (Example(*cells) for cells in self.cells(*FIELDS))

    def cells(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield only these columns of each row, in order."""
        for source, rows in self._pieces:
            yield from source.read(rows, columns)

    @overload
    def __getitem__(self, key: int) -> Example: ...

    @overload
    def __getitem__(self, key: slice) -> Rows: ...

    def __getitem__(self, key: int | slice) -> Example | Rows:
        import numpy

        if isinstance(key, slice):
            return self.take(numpy.arange(len(self))[key])
        if not -len(self) <= key < len(self):
            raise IndexError(key)
        return next(iter(self.take(numpy.array([key % len(self)]))))

    def __eq__(self, other: object) -> bool:
        """Return whether the other has the same rows in the same order."""
        if not isinstance(other, Rows):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def take(self, numbers: NDArray[Any]) -> Rows:
        """Return the rows of these numbers; those of one piece must stand together."""
        if len(self._pieces) == 1:
            source, rows = self._pieces[0]
            return Rows((source, rows[numbers]))
        pieces, start = [], 0
        for source, rows in self._pieces:
            inside = numbers[(numbers >= start) & (numbers < start + len(rows))]
            pieces.append((source, rows[inside - start]))
            start += len(rows)
        return Rows(*pieces)

    def __add__(self, other: Rows) -> Rows:
        """Return these rows and then the others."""
        return Rows(*self._pieces, *other._pieces)

    @property
    def inputs(self) -> Inputs:
        """What goes in, row by row."""
        return Inputs(self)


class Inputs(Sequence[str]):
    """The inputs of rows, each read when it is asked for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return (text for (text,) in self._rows.cells("input"))

    @overload
    def __getitem__(self, key: int) -> str: ...

    @overload
    def __getitem__(self, key: slice) -> Inputs: ...

    def __getitem__(self, key: int | slice) -> str | Inputs:
        if isinstance(key, slice):
            return Inputs(self._rows[key])
        return self._rows[key].input
