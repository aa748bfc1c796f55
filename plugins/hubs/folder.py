"""The hub `folder:PATH`: a shared drive, laid out as a huggingface_hub cache of plain files."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...registry.cache import ModelCache, check_id
from ...registry.card import read_front_matter
from ...registry.entry import Entry, File, Query
from ...registry.errors import (
    BadOption,
    HubtlError,
    NotReproduced,
    Unreachable,
    Unwritable,
    taken,
    unknown,
)
from ...registry.fingerprint import files_in
from ...registry.weights import entry_from_metadata
from ..hookspecs import Draft, Hub, hookimpl


class Folder:
    """The hub in one folder; without one, it only says how it is addressed."""

    name = "folder"

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        if path is not None:
            self.name = f"folder:{path}"

    def at(self, address: str) -> Folder:
        """Return the hub in the folder at a path."""
        if not address:
            raise BadOption("`folder:` needs a path", "such as --hub folder:/mnt/models")
        return Folder(Path(address).expanduser().absolute())

    @property
    def cache(self) -> ModelCache:
        """The models in the folder."""
        if self._path is None:
            raise BadOption("which folder?", "such as --hub folder:/mnt/models")
        return ModelCache(self._path)

    def address(self, model: str) -> str:
        """Return the folder of a model."""
        return str(self.cache.folder(model))

    def search(self, query: Query) -> Iterable[Entry]:
        """Return all models in the folder that can be read; none where no folder was said."""
        if self._path is None:
            return []
        self._check_there()
        found = []
        for model in self.cache.ids():
            try:
                found.append(self.entry(model))
            except HubtlError as error:
                print(f"warning: left out `{model}`: {error.message}", file=sys.stderr)
        return found

    def entry(self, model: str, revision: str | None = None) -> Entry:
        """Return a model as its card and its files tell of it."""
        self._check_there()
        ids = {known.casefold(): known for known in self.cache.ids()}
        found = model if model in ids.values() else ids.get(model.casefold())
        if found is None:
            raise unknown(f"model in {self._path}", model, ids.values(), f"hub {self.name}")
        commit = self.cache.resolve(found, revision)
        snapshot = self.cache.snapshot(found, commit)
        noted = self.cache.hashes(found, commit)
        sizes = {path: File(at.stat().st_size) for path, at in files_in(snapshot).items()}
        matter = read_front_matter(snapshot / "README.md")
        return entry_from_metadata(found, self.name, matter, {**sizes, **noted}, commit)

    def versions(self, model: str) -> Mapping[str, str]:
        """Return the commit of each ref but `main`."""
        return {name: at for name, at in self.cache.refs(model).items() if name != "main"}

    def fetch(self, entry: Entry, paths: Sequence[str], room: Path) -> Path:
        """Return the model's own folder: nothing is copied."""
        return self.cache.snapshot(entry.id, entry.revision)

    def draft(self, model: str, folder: Path, *, private: bool, message: str) -> Draft:
        """Copy a folder in as a snapshot that no branch points at yet."""
        check_id(model)
        self._check_writable()
        before = self.cache.refs(model).get("main")
        had = {path.name for path in (self.cache.folder(model) / "snapshots").glob("*")}
        revision = self.cache.add(model, files_in(folder), ref=None)
        return FolderDraft(self.cache, model, revision, before, revision not in had)

    def mirror(self, entry: Entry, folder: Path, owner: str, *, private: bool) -> Entry:
        """Copy a base in under its own id and revision."""
        self._check_writable()
        have = self.cache.refs(entry.id)
        self.cache.add(
            entry.id,
            files_in(folder),
            revision=entry.revision or "",
            ref=None if "main" in have else "main",
        )
        return self.entry(entry.id, entry.revision)

    def _check_there(self) -> None:
        if self._path is not None and not self._path.is_dir():
            raise Unreachable(
                f"there is no folder `{self._path}`", "is the drive there? check --hub folder:PATH"
            )

    def _check_writable(self) -> None:
        root = self.cache.root
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            raise Unwritable(
                f"`{root}` can't be written: {error.strerror}", "check its owner and its disk"
            ) from error


@dataclass(frozen=True, slots=True)
class FolderDraft:
    """A snapshot that is on the drive, whole, and that no branch points at."""

    cache: ModelCache
    model: str
    revision: str
    before: str | None
    new: bool

    def fetch(self, room: Path) -> Path:
        """Return the snapshot, its files checked against the hashes of what was sent."""
        self.cache.check(self.model, self.revision)
        return self.cache.snapshot(self.model, self.revision)

    def accept(self, tag: str | None = None) -> str:
        """Point `main` (and a tag) at the snapshot, unless somebody else has moved it."""
        with self.cache.lock(self.model):
            refs = self.cache.refs(self.model)
            if refs.get("main") != self.before:
                raise NotReproduced(
                    f"somebody published `{self.model}` in the meantime",
                    f"`hubtl evaluate` against theirs, then publish again: hubtl show {self.model}",
                )
            if tag and refs.get(tag, self.revision) != self.revision:
                raise taken(self.model, tag)
            self.cache.check(self.model, self.revision)
            if tag:
                self.cache.point(self.model, tag, self.revision)
            self.cache.point(self.model, "main", self.revision)
        return self.revision

    def discard(self) -> None:
        """Take the snapshot away, unless it was there before or somebody has published it."""
        with self.cache.lock(self.model):
            if self.new:
                self.cache.remove(self.model, self.revision)


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer `folder:PATH`."""
    return [Folder()]
