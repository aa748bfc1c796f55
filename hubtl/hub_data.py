"""Data on a hub, `hf:ORG/NAME[@REVISION]`: its files, in a private folder while they are needed."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .plugins.hookspecs import DataSource
from .registry.entry import Entry, split_revision
from .registry.errors import BadOption, HubtlError, Refused, unwritable
from .registry.rooms import temporary_room
from .sources import check_file, open_hub, reading_hubs
from .transfer.layout import Layout, card_of, layout

PREFIX = "hf:"
CARD = "README.md"


class Fetched:
    """A data set's files, and how they lie in a folder that is gone when nobody holds this."""

    def __init__(self) -> None:
        held = contextlib.ExitStack()
        self.folder = held.enter_context(temporary_room("hubtl-data-"))
        self.layout = Layout({}, {})
        weakref.finalize(self, held.close)


def is_on_hub(path: Path) -> bool:
    """Return whether DATA is a data set on a hub."""
    return str(path).startswith(PREFIX)


def fetch_data(
    path: Path, endings: tuple[str, ...], hub: str | None, tables: tuple[str, ...] = ()
) -> Fetched:
    """Return the data set's tables, or its files of these endings where it has no table.

    `tables` are endings of those that only the task reads. It comes from `hub`, else from the hub
    in use, if that keeps data, else from `hf`.
    """
    name, revision = split_revision(str(path).removeprefix(PREFIX))
    if name.count("/") != 1 or not all(name.split("/")):
        raise BadOption(
            f"`{path}` names no data set", "such as hf:acme/moods or hf:acme/moods@COMMIT"
        )
    source = next((each for each in reading_hubs(hub) if isinstance(each, DataSource)), None)
    if source is None:
        fallback = open_hub("hf")
        assert isinstance(fallback, DataSource), "hubtl's own hub keeps data"
        source = fallback
    entry = source.data(name, revision)
    for each in map(PurePosixPath, entry.files):
        if each.is_absolute() or ".." in each.parts:
            raise Refused(f"`{path}` has a file `{each}`, outside of it", "take other data")
    return _fetched(_Asked(source, entry, str(path), endings, tables))


@dataclass(frozen=True)
class _Asked:
    """What is downloaded once a process, for as long as it is the same commit of the same hub."""

    source: DataSource
    entry: Entry
    name: str
    endings: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def _key(self) -> tuple[object, ...]:
        entry = self.entry
        return entry.hub, entry.id, entry.revision, self.name, self.endings, self.tables

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.lru_cache(maxsize=2)
def _fetched(asked: _Asked) -> Fetched:
    """Download to a new folder that only its owner reads, and that is gone with the process."""
    entry, fetched = asked.entry, Fetched()
    folder = fetched.folder
    if CARD in entry.files:
        _take(asked, [CARD], folder)
    names, card = sorted(entry.files), card_of(folder)
    found = layout(asked.name, names, asked.endings, card, own=False, tables=asked.tables)
    wanted = [*found.tables, *found.classes]
    if found.has_metadata:
        kinds = asked.endings
        wanted += [each for each in entry.files if PurePosixPath(each).suffix.lower() in kinds]
    _take(asked, sorted(set(wanted)), folder)
    fetched.layout = found
    return fetched


def _take(asked: _Asked, paths: Sequence[str], folder: Path) -> None:
    """Download files, each checked by the hash that its hub pins."""
    try:
        asked.source.fetch_data(asked.entry, paths, folder)
    except HubtlError:
        raise
    except OSError as error:
        raise unwritable(error, folder) from error
    for path in paths:
        check_file(asked.entry, path, folder / path)
