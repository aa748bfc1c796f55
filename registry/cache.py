"""A folder of models laid out as a huggingface_hub cache of plain files.

Stock transformers and peft read it by id with `HF_HUB_CACHE=PATH HF_HUB_OFFLINE=1`. A model's
snapshot is written beside and renamed, then a ref is pointed at it, so a kill at any moment leaves
the old state or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .entry import File
from .errors import BadOption, NotReproduced, Refused, UnknownName
from .fingerprint import content_revision, files_in, sha256
from .rooms import new_room
from .weights import needed

SHA = re.compile(r"[0-9a-f]{40}")
NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)


def check_id(model: str) -> None:
    """Raise Refused unless `model` is `ORG/NAME` in the Hub's own grammar."""
    parts = model.split("/")
    fine = len(parts) == 2 and all(NAME.fullmatch(part) for part in parts)
    if not fine or model.endswith((".git", ".", "-")):
        raise Refused(
            f"`{model}` is no name that a hub accepts",
            "write ORG/NAME with letters, digits, `-`, `_` and `.`, such as acme/debian-sections",
        )


def check_ref(name: str) -> None:
    """Raise BadOption unless `name` can be a branch or a tag: no path, and no commit's own name."""
    if not NAME.fullmatch(name) or SHA.fullmatch(name):
        raise BadOption(f"`{name}` can't be the name of a version", "such as --tag v2")


@dataclass(frozen=True, slots=True)
class ModelCache:
    """The models in one folder, by id and revision."""

    root: Path

    def folder(self, model: str) -> Path:
        """Return where a model is or would be."""
        return self.root / ("models--" + model.replace("/", "--"))

    def ids(self) -> list[str]:
        """Return the ids of all models that have a `main`; a draft by itself has none."""
        found = self.root.glob("models--*/refs/main")
        names = {path.parent.parent.name.removeprefix("models--") for path in found}
        return sorted(name.replace("--", "/", 1) for name in names)

    def resolve(self, model: str, revision: str | None = None) -> str:
        """Return the commit that a sha (seven digits will do), a branch or a tag stands for."""
        asked = revision or "main"
        commits = [path.name for path in (self.folder(model) / "snapshots").glob("*")]
        matches = [name for name in commits if len(asked) >= 7 and name.startswith(asked)]
        if len(matches) == 1:
            return matches[0]
        commit = self.refs(model).get(asked, "")
        if SHA.fullmatch(commit):
            return commit
        raise UnknownName(
            f"`{model}` has no revision `{asked}` in {self.root}",
            f"it has: {', '.join(self.refs(model)) or 'none'}",
        )

    def refs(self, model: str) -> dict[str, str]:
        """Return a model's branches and tags with the commit of each."""
        folder = self.folder(model) / "refs"
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {p.relative_to(folder).as_posix(): p.read_text("utf-8").strip() for p in paths}

    def snapshot(self, model: str, revision: str | None = None) -> Path:
        """Return the folder of a model's files; raises UnknownName where it isn't there."""
        found = self.folder(model) / "snapshots" / self.resolve(model, revision)
        if not found.is_dir():
            raise UnknownName(f"`{model}` is not whole in {self.root}", f"`hubtl pull {model}`")
        return found

    def hashes(self, model: str, revision: str) -> dict[str, File]:
        """Return the sizes and sha256s that were noted when a snapshot was written."""
        noted = self.root / ".hubtl" / self.folder(model).name / f"{revision}.json"
        if not noted.is_file():
            return {}
        read = json.loads(noted.read_text(encoding="utf-8"))
        return {path: File(size, digest) for path, (size, digest) in read.items()}

    def check(self, model: str, revision: str, pinned: Mapping[str, File] | None = None) -> None:
        """Raise NotReproduced if a file of a snapshot is not what was noted or is `pinned`."""
        snapshot = self.snapshot(model, revision)
        known = {**self.hashes(model, revision), **(pinned or {})}
        for path, file in known.items():
            there = snapshot / path
            if not there.is_file() or sha256(there) != file.sha256:
                raise NotReproduced(
                    f"`{path}` of `{model}` is not what it was: its sha256 differs",
                    f"remove {snapshot} and run `hubtl pull {model}`",
                )

    @contextlib.contextmanager
    def room(self) -> Iterator[Path]:
        """Give a new folder on the same disk, to be renamed from; what stays in it is removed."""
        beside = self.root / ".hubtl"
        beside.mkdir(parents=True, exist_ok=True)
        with new_room(beside, "new-") as room:
            yield room

    def add(
        self,
        model: str,
        files: Mapping[str, Path],
        *,
        revision: str = "",
        ref: str | None = "main",
        owned: bool = False,
    ) -> str:
        """Copy files in as one snapshot and return its revision, by content where none is given.

        Files that are `owned`, since nobody else will change them, are linked where that works.
        """
        with self.room() as room:
            noted: dict[str, tuple[int, str]] = {}
            for path, source in files.items():
                target = room / "snapshot" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                (_link if owned else shutil.copyfile)(source, target)
                noted[path] = (target.stat().st_size, sha256(target))
            revision = revision or content_revision({p: digest for p, (_, digest) in noted.items()})
            self._place(model, revision, noted, room)
        if ref:
            self.point(model, ref, revision)
        return revision

    def _place(
        self, model: str, revision: str, noted: Mapping[str, tuple[int, str]], room: Path
    ) -> None:
        """Rename a finished snapshot into place, over one whose files are no longer the same."""
        home = self.folder(model) / "snapshots" / revision
        home.parent.mkdir(parents=True, exist_ok=True)
        there = {path: sha256(at) for path, at in files_in(home).items()}
        if there == {path: digest for path, (_, digest) in noted.items()}:
            return
        if there:
            home.replace(room / "old")
        notes = self.root / ".hubtl" / self.folder(model).name
        notes.mkdir(parents=True, exist_ok=True)
        manifest = room / "manifest.json"
        manifest.write_text(json.dumps(noted, indent=1), encoding="utf-8")
        manifest.replace(notes / f"{revision}.json")
        try:
            (room / "snapshot").replace(home)
        except OSError:
            # Somebody else's copy of the same revision was a moment faster.
            if not home.is_dir():
                raise

    def link(self, model: str, folder: Path, revision: str) -> None:
        """Show what is needed of a folder as a snapshot here, without copying where that works."""
        snapshot = self.folder(model) / "snapshots" / revision
        files = files_in(folder)
        for path in needed(files):
            source, target = files[path], snapshot / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source.resolve(), target)
        self.point(model, "main", revision)

    def point(self, model: str, ref: str, revision: str) -> None:
        """Point a branch or tag at a revision, at once."""
        check_ref(ref)
        path = self.folder(model) / "refs" / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(revision, encoding="utf-8")
        beside.replace(path)

    @contextlib.contextmanager
    def lock(self, model: str) -> Iterator[None]:
        """Keep other publishers of a model out for a moment."""
        import filelock

        path = self.root / ".hubtl" / "locks" / self.folder(model).name
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path, timeout=60):
            yield

    def remove(self, model: str, revision: str) -> None:
        """Take a snapshot away that no ref points at, and the model where nothing else is left."""
        if revision in self.refs(model).values():
            return
        shutil.rmtree(self.folder(model) / "snapshots" / revision, ignore_errors=True)
        (self.root / ".hubtl" / self.folder(model).name / f"{revision}.json").unlink(True)
        if not any((self.folder(model) / "snapshots").glob("*")):
            shutil.rmtree(self.folder(model), ignore_errors=True)
            shutil.rmtree(self.root / ".hubtl" / self.folder(model).name, ignore_errors=True)


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`: a link where the disk has them, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        try:
            target.symlink_to(source)
        except OSError:
            shutil.copyfile(source, target)
