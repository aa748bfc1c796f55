"""A table of rows, read whole and kept in Arrow, with every mistake told by its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..registry.errors import BadData, HubtlError
from .batches import Batches, keep
from .opening import ENDINGS, check_same, opened, regular

if TYPE_CHECKING:
    import pyarrow

MAX_COLUMNS = 10_000
# No column of a user can have it, for a column without a name is refused.
LINE = ""
NESTED = b"hubtl:nested"
SIGNS = {
    b"\x1f\x8b": ("gzip", "unpack it: gunzip -c FILE > NEW"),
    b"PK\x03\x04": ("a zip or Excel file", "save it as csv in UTF-8"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save it as csv in UTF-8"),
    b"PAR1": ("a parquet file", "give it the ending .parquet"),
    b"\xff\xfe": ("UTF-16", "convert it: iconv -f utf-16 -t utf-8 FILE > NEW"),
    b"\xfe\xff": ("UTF-16", "convert it: iconv -f utf-16 -t utf-8 FILE > NEW"),
    b"\x28\xb5\x2f\xfd": ("zstandard", "unpack it: zstd -d FILE"),
    b"BZh": ("bzip2", "unpack it: bunzip2 -k FILE"),
    b"\xfd7zXZ": ("xz", "unpack it: unxz -k FILE"),
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows: where it is, what errors and ids call it, its part if its name says one.

    `sentences` are endings of files that hold a token a line, for whoever reads such.
    """

    path: Path
    name: str
    id: str
    part: str | None = None
    sentences: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What its rows are counted in."""
        return "row" if self.path.suffix.lower() == ".parquet" else "line"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands in its file (from 1, the header counted), and its cells as text."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, or of several, and the names of its columns, in order.

    `nested` has the columns in which a cell is no single value, and where the first one is, `made`
    those beyond `columns` that are made of a batch when they are asked for.
    """

    path: Path
    files: tuple[DataFile, ...]
    columns: tuple[str, ...]
    batches: Batches
    nested: Mapping[str, str]
    made: Mapping[str, Callable[[pyarrow.RecordBatch], Iterable[str | None]]] = field(
        default_factory=dict
    )

    @property
    def rows(self) -> Iterator[Row]:
        """Yield each row in turn; an empty cell of jsonl or parquet is left out."""
        for _, batch in self.batches:
            for cells in batch.to_pylist():
                line = cells.pop(LINE)
                yield Row(line, {name: cell for name, cell in cells.items() if cell is not None})

    def values(self, *columns: str) -> Iterator[tuple[int, list[pyarrow.Array]]]:
        """Yield (number of the file, an array of texts a column), a batch of rows at a time."""
        for file, batch in self.batches:
            yield file, [self._cells(batch, name) for name in columns]

    def _cells(self, batch: pyarrow.RecordBatch, column: str) -> pyarrow.Array:
        """Return a column of a batch, which is empty where the batch's file has none of it."""
        import pyarrow

        if column in self.made:
            return pyarrow.array(self.made[column](batch), pyarrow.string())
        if column in batch.schema.names:
            return batch.column(column)
        return pyarrow.nulls(batch.num_rows, pyarrow.string())

    def places(self, found: Sequence[tuple[int, int]], more: bool) -> str:
        """Return how to say where rows are, given (number of the file, line) of each."""
        lines: dict[int, list[str]] = {}
        for file, line in found:
            lines.setdefault(file, []).append(str(line))
        told = []
        for file, numbers in lines.items():
            name = f"`{self.files[file].name}` " if len(self.files) > 1 else ""
            many = "s" if len(numbers) > 1 or more else ""
            told.append(f"{name}{self.files[file].unit}{many} {', '.join(numbers)}")
        return "; ".join(told) + ("…" if more else "")


def read_table(path: Path, sentences: tuple[str, ...] = ()) -> Table:
    """Return the rows of a file; raises UnknownName or BadData that name the file and the line."""
    return read_tables(path, [DataFile(path, str(path), path.name, None, sentences)])


def read_tables(path: Path, files: Sequence[DataFile]) -> Table:
    """Return the rows of files that belong together, those of the first file first.

    `path` is what they are called together.
    """
    nested: dict[str, str] = {}
    columns: dict[str, None] = {}

    def noted() -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        for number, file in enumerate(files):
            for batch in _batches(file):
                columns.update(dict.fromkeys(batch.schema.names))
                if len(columns) > MAX_COLUMNS + 1:
                    raise too_many_columns(file.name, len(columns) - 1)
                for each in batch.schema:
                    if NESTED in (each.metadata or {}):
                        where = f"`{file.name}`, {each.metadata[NESTED].decode()}"
                        nested.setdefault(each.name, where)
                yield number, batch

    batches = keep(noted())
    if not len(batches):
        raise BadData(f"`{path}` has no rows", "it needs one row an example, under a header")
    columns.pop(LINE)
    return Table(path, tuple(files), tuple(columns), batches, nested)


def too_many_columns(name: str, count: int) -> BadData:
    """Return the error for a table that is wider than anything hubtl reads."""
    return BadData(
        f"`{name}` has {count} columns, and hubtl reads at most {MAX_COLUMNS}",
        "leave out the columns that are not needed",
    )


def check_names(name: str, columns: Sequence[str], where: str = "") -> None:
    """Raise BadData if a column has no name, or two have the same."""
    if len(columns) > MAX_COLUMNS:
        raise too_many_columns(name, len(columns))
    if "" in columns:
        raise BadData(
            f"`{name}`{where}: column {columns.index('') + 1} has no name",
            "name it, or take it out; pandas writes one unless it is told index=False",
        )
    if len(set(columns)) < len(columns):
        seen: set[str] = set()
        twice = next(each for each in columns if each in seen or seen.add(each))  # type: ignore[func-returns-value]
        raise BadData(f"`{name}`{where} has two columns called `{twice}`", "rename one of them")


def _batches(file: DataFile) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of one file; raises if it is no table, or changes while it is read."""
    from . import columnar, conll, delimited, jsonlines

    ending = file.path.suffix.lower()
    before = regular(file.path, file.name)
    endings = dict.fromkeys((*ENDINGS, *file.sentences))
    if ending not in endings:
        raise BadData(
            f"`{file.name}` is no table that hubtl reads",
            f"it reads {', '.join(endings)}, folders and hf:ORG/NAME",
        )
    with opened(file.path, file.name) as raw:
        _check_signs(raw, file.name, ending)
        if ending in file.sentences and (ending not in ENDINGS or conll.is_such(raw)):
            found = conll.batches(raw, file.name)
        elif ending == ".parquet":
            found = columnar.batches(raw, file.name)
        elif ending == ".jsonl":
            found = jsonlines.batches(raw, file.name)
        else:
            found = delimited.batches(raw, file.name, ending)
        try:
            yield from found
        except HubtlError:
            check_same(before, file.path, file.name)
            raise
    check_same(before, file.path, file.name)


def _check_signs(raw: BinaryIO, name: str, ending: str) -> None:
    """Raise BadData for an empty file, and one whose first bytes say it is something else."""
    head = raw.read(1024)
    raw.seek(0)
    if not head.strip() and not raw.read(1 << 20).strip():
        raise BadData(f"`{name}` is empty", "it needs a header and one row an example")
    raw.seek(0)
    for sign, (kind, hint) in SIGNS.items():
        if head.startswith(sign) and not (ending == ".parquet" and sign == b"PAR1"):
            raise BadData(f"`{name}` is {kind}, not {ending}", hint.replace("FILE", name))
