"""DATA as a table: a file, a folder, or a data set on a hub, opened and not yet looked into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .hub_data import fetch_data, is_on_hub
from .transfer.columns import FILE, Role
from .transfer.labelled import Reader
from .transfer.layout import Layout, card_of, layout, names_in
from .transfer.listing import class_table, input_of
from .transfer.table import DataFile, Table, read_table, read_tables


@dataclass(frozen=True, slots=True)
class Opened:
    """DATA as a table: whether its rows name files, whose they are, what must outlive reading."""

    table: Table
    role: Role
    lists_classes: bool = False
    lists_files: bool = False
    own: bool = True
    keeps: object = None

    @property
    def reader(self) -> Reader:
        """What turns a cell that names a file into the input."""
        files = self.table.files
        folders = [each.path if self.lists_classes else each.path.parent for each in files]
        return lambda file, cell: input_of(self.role, folders[file], cell, own=self.own)


def open_data(path: Path, role: Role, hub: str | None) -> Opened:
    """Return DATA as a table; raises BadData where there is none, or one that can't be read."""
    if is_on_hub(path):
        fetched = fetch_data(path, role.files, hub, role.tables)
        return _in_folder(path, fetched.folder, fetched.layout, role, own=False, keeps=fetched)
    if _is_folder(path):
        names = names_in(path)
        found = layout(str(path), names, role.files, card_of(path), own=True, tables=role.tables)
        return _in_folder(path, path, found, role, own=True, keeps=None)
    return Opened(read_table(path, role.tables), role)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # Whoever opens it next says why it can't be looked at.
        return False


def _in_folder(
    path: Path, folder: Path, found: Layout, role: Role, *, own: bool, keeps: object
) -> Opened:
    if found.classes:
        table = class_table(folder, found.classes)
        return Opened(table, role, lists_classes=True, lists_files=True, own=own, keeps=keeps)
    files = [
        DataFile(folder / name, f"{path}/{name}", name, part, role.tables)
        for name, part in found.tables.items()
    ]
    table = read_tables(path, files)
    return Opened(table, role, lists_files=found.has_metadata, own=own, keeps=keeps)


def names_files(opened: Opened, columns: Mapping[str, str]) -> bool:
    """Return whether the inputs are in files that a column names."""
    role = opened.role
    if role.content == "row":
        return False
    if FILE.name in columns or role.content == "file":
        return True
    folded = {name.strip().casefold() for name in opened.table.columns}
    return opened.lists_files and role.name not in columns and not folded & set(role.names)


def file_role(role: Role) -> Role:
    """Return the role that a column of files plays in place of the input's own."""
    own = role.names if role.content == "file" else ()
    return Role(FILE.name, (*own, *FILE.names), "none", role.files)
