"""Inputs that are in files of their own: which file a row names, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ..registry.errors import BadData, HubtlError
from .batches import BATCH_ROWS, keep
from .columns import Role
from .contents import digest_of
from .lines import not_utf8, nul
from .opening import check_same, opened, regular
from .table import LINE, DataFile, Table

if TYPE_CHECKING:
    import pyarrow

FILES, FOLDERS, PART_FOLDERS = "files", "folders", "part folders"
MAX_FILE = 1 << 27
SHOWN = 5


def class_table(folder: Path, classes: Mapping[str, tuple[str, str | None]]) -> Table:
    """Return a table with a row for each file in the folders of classes, in order of their paths.

    Its columns are FILES, FOLDERS, which has the labels, and PART_FOLDERS where there are any.
    """
    has_parts = any(part for _, part in classes.values())
    columns = (FILES, FOLDERS, *((PART_FOLDERS,) if has_parts else ()))

    def listed() -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        import pyarrow

        rows = [(0, name, label, part) for name, (label, part) in classes.items()]
        for start in range(0, len(rows), BATCH_ROWS):
            cells: list[Any] = list(zip(*rows[start : start + BATCH_ROWS], strict=True))
            names = [LINE, *columns]
            arrays = [pyarrow.array(each) for each in cells[: len(names)]]
            yield 0, pyarrow.RecordBatch.from_arrays(arrays, names)

    return Table(folder, (DataFile(folder, str(folder), ""),), columns, keep(listed()), {})


def input_of(role: Role, folder: Path, cell: str, *, own: bool) -> tuple[str, str]:
    """Return the input that a cell names: a file's text, or its path and digest by its role.

    A cell is absolute or relative to `folder`; data that are not a user's `own` name nothing
    outside of it. Raises BadData or UnknownName that names the file.
    """
    inner = PurePosixPath(cell.strip())
    path = folder / inner
    if not own and (inner.is_absolute() or ".." in inner.parts):
        raise BadData(f"the data name `{cell}`, a file outside of them", "take other data")
    if path.suffix.lower() not in role.files:
        raise BadData(
            f"`{path}` is no file that this task reads for {role.name}",
            f"it reads {', '.join(role.files)}: convert it",
        )
    if role.content == "file":
        return checked(role, path), digest_of(str(path.absolute()))
    return _text(path), ""


def checked(role: Role, path: Path) -> str:
    """Return the whole path of a file that is an input; raises where the role can't take it."""
    before = regular(path, str(path))
    if not before.st_size:
        raise BadData(f"`{path}` is empty", "fill in or remove it, then run it again")
    opened(path, str(path)).close()
    if role.check:
        role.check(path)
    check_same(before, path, str(path))
    return str(path.absolute())


def all_of(broken: Sequence[HubtlError], told: str) -> HubtlError:
    """Return one error for files that can't be used: the only one, or `told` and the first five."""
    if len(broken) == 1:
        return broken[0]
    lines = "".join(f"\n- {each.message}" for each in broken[:SHOWN])
    more = f"\n- and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
    return BadData(f"{told}:{lines}{more}", broken[0].hint)


def _text(path: Path) -> str:
    """Return a file's text; raises BadData unless it is UTF-8 with something in it."""
    name = str(path)
    before = regular(path, name)
    if before.st_size > MAX_FILE:
        raise BadData(f"`{name}` is larger than {MAX_FILE >> 20} MB", "cut it into several texts")
    with opened(path, name) as file:
        raw = file.read()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise not_utf8(file, name) from error
    check_same(before, path, name)
    if "\0" in text:
        raise nul(name)
    if not text.strip():
        raise BadData(f"`{name}` is empty", "fill in or remove it, then run it again")
    return text
