"""Rows in Arrow: in memory while they are few, else in a file that has no name."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..registry.errors import Unwritable, unwritable

if TYPE_CHECKING:
    import pyarrow

LARGE = 16 << 20
BATCH_BYTES = 4 << 20
BATCH_ROWS = 4096
BATCH_CELLS = 1 << 18
# What the system reads round a cell that is not in memory yet.
PAGES = 1 << 16


class Batches:
    """Record batches in their order, each from one file (its number in a list that others keep).

    Pages of a mapped file that were read are let go of again, so that what was read does not add
    up to the size of the table.
    """

    def __init__(
        self, held: Sequence[pyarrow.RecordBatch], files: Sequence[int], mapped: mmap.mmap | None
    ) -> None:
        self._held = held
        self._files = files
        self._mapped = mapped
        self._touched = 0
        self._starts = [0]
        for batch in held:
            self._starts.append(self._starts[-1] + batch.num_rows)

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        """Yield (number of the file, batch)."""
        for number, batch in zip(self._files, self._held, strict=True):
            yield number, batch
            self._let_go()

    def place(self, row: int) -> tuple[int, int]:
        """Return the number of the batch that has a row, and the row's number in it."""
        number = bisect_right(self._starts, row) - 1
        return number, row - self._starts[number]

    def batch(self, number: int, rows: int) -> pyarrow.RecordBatch:
        """Return a batch, for reading so many rows of it at once."""
        batch = self._held[number]
        self._touched += min(batch.nbytes, rows * PAGES)
        if self._touched > BATCH_BYTES:
            self._let_go()
        return batch

    def _let_go(self) -> None:
        self._touched = 0
        if self._mapped is not None and hasattr(self._mapped, "madvise"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


def keep(batches: Iterable[tuple[int, pyarrow.RecordBatch]]) -> Batches:
    """Return all batches, kept for reading them in any order; raises Unwritable on a full disk.

    More than LARGE bytes go to a temporary file. It is unlinked from the start and readable by its
    owner only, so nothing of it is left, however the process ends.
    """
    import pyarrow

    held: list[pyarrow.RecordBatch] = []
    files: list[int] = []
    spans: list[tuple[int, int, Any]] = []
    size = 0
    with contextlib.ExitStack() as stack:
        file: Any = None
        for number, batch in batches:
            if not batch.num_rows:
                continue
            files.append(number)
            if file is None and size + batch.nbytes <= LARGE:
                held.append(batch)
                size += batch.nbytes
                continue
            if file is None:
                file = _unnamed(stack)
                spans = [_write(file, each) for each in held]
                held = []
            spans.append(_write(file, batch))
        if file is None:
            return Batches(held, files, None)
        _flush(file)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    whole = pyarrow.py_buffer(mapped)
    for start, length, schema in spans:
        held.append(pyarrow.ipc.read_record_batch(whole.slice(start, length), schema))
    return Batches(held, files, mapped)


def _unnamed(stack: contextlib.ExitStack) -> Any:
    try:
        return stack.enter_context(tempfile.TemporaryFile(prefix="hubtl-"))
    except OSError as error:
        raise _full(error) from error


def _write(file: Any, batch: pyarrow.RecordBatch) -> tuple[int, int, Any]:
    """Write a batch, and return where it is; it starts at a multiple of 64, as Arrow wants it."""
    message = batch.serialize()
    start = file.tell()
    try:
        file.write(message)
        file.write(b"\0" * (-message.size % 64))
    except OSError as error:
        raise _full(error) from error
    return start, message.size, batch.schema


def _flush(file: Any) -> None:
    try:
        file.flush()
    except OSError as error:
        raise _full(error) from error


def _full(error: OSError) -> Unwritable:
    told = unwritable(error, tempfile.gettempdir())
    return Unwritable(told.message, f"{told.hint}; TMPDIR names another folder for large tables")
