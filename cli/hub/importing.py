"""`hubtl hub import`: models of other hubs, under their own ids and revisions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubtl.registry.errors import BadOption, Refused, Unreachable

from .. import screen
from ..options import HubName, Json
from .command import Command
from .opening import Store, opened

if TYPE_CHECKING:
    from hubtl.plugins.hookspecs import Source
    from hubtl.registry.entry import Entry
    from hubtl.server.hub import TeamHub
    from hubtl.server.importing import Imported
    from hubtl.transfer.progress import Progress

AUTHOR = "hubtl"


def bring(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="`starter`, `starter:ID`, ID[@REV], `folder:PATH`, or a folder with --as.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--as", metavar="ORG/NAME", help="What a plain folder becomes.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="New repositories are for members only.")
    ] = False,
    hub: HubName = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Put models of other hubs in, each at the revision it has there; what is there stays."""
    if name and (len(sources) > 1 or not Path(sources[0]).is_dir()):
        raise BadOption("--as goes with one plain folder", "other sources have names of their own")
    with opened(store, new=True) as there, screen.progress() as progress:
        from hubtl.server.store_lock import working_on

        brought = Bringing(there, hub, private, progress)
        with working_on(there):
            done = [each for source in sources for each in brought.all_of(source, name)]
    if as_json:
        screen.say_json({"imported": [asdict(each) for each in done]})
        return
    for each in done:
        at = f"{each.id} at {each.revision[:10]}"
        what = f"{each.files} files, {screen.size(each.bytes)}"
        screen.say(f"imported {at}: {what}" if each.new else f"there already: {at}")


class Bringing:
    """Imports into one hub."""

    def __init__(
        self, there: TeamHub, reading: str | None, private: bool, progress: Progress
    ) -> None:
        self.there = there
        self._reading = reading
        self._private = private
        self._progress = progress

    def all_of(self, source: str, name: str | None) -> Iterator[Imported]:
        """Import what a source stands for."""
        from hubtl.sources import find_model

        if source == "starter":
            yield from self.starter()
        elif source.startswith("folder:"):
            yield from self._shelf(Path(source.removeprefix("folder:")).expanduser())
        elif name:
            yield self._plain(Path(source), name)
        elif Path(source).is_dir() and (source.count("/") != 1 or source[0] in ".~/"):
            raise BadOption(f"what is the folder `{source}` to be called?", "--as ORG/NAME")
        elif source.startswith("starter:"):
            yield self._model(*find_model(source.removeprefix("starter:"), "starter"))
        else:
            # Who asks for a certain revision does not ask for it to be what others get.
            yield self._model(*find_model(source, self._reading), lead="@" not in source)

    def starter(self) -> Iterator[Imported]:
        """Import the models of all starter packages that are installed."""
        from hubtl.plugins.hookspecs import Source
        from hubtl.registry.entry import Query
        from hubtl.sources import open_hub

        hub = open_hub("starter")
        assert isinstance(hub, Source), "packages can be read"
        found, silent = 0, None
        for entry in hub.search(Query()):
            try:
                yield self._model(hub, entry)
                found += 1
            except Unreachable as error:
                silent = error
                screen.note(f"left out {entry.id}: {error.message}")
        if silent and not found:
            raise silent

    def _model(self, source: Source, entry: Entry, *, lead: bool = True) -> Imported:
        from hubtl.registry.weights import needed
        from hubtl.server.importing import import_files, imported
        from hubtl.sources import fetch, pull, pulled

        known = entry.revision and imported(self.there, "model", entry.id, entry.revision)
        if known:
            return known
        with tempfile.TemporaryDirectory(dir=self.there.objects.incoming) as room:
            if pulled(entry.id, entry.revision):
                folder = pull(source, entry, progress=self._progress)
            else:
                folder = fetch(source, entry, Path(room), progress=self._progress)
            files = {path: folder / path for path in needed(entry.files)}
            revision = entry.revision or _revision(files)
            return import_files(
                self.there,
                "model",
                entry.id,
                files,
                revision,
                AUTHOR,
                private=self._private,
                lead=lead,
            )

    def _plain(self, folder: Path, name: str) -> Imported:
        from hubtl.registry.fingerprint import files_in
        from hubtl.server.importing import import_files

        files = files_in(folder)
        _check_inside(folder, files)
        self._progress(f"importing {name}", 0, 1)
        return import_files(
            self.there, "model", name, files, _revision(files), AUTHOR, private=self._private
        )

    def _shelf(self, folder: Path) -> Iterator[Imported]:
        """Import all models of a folder hub, with all their revisions and tags."""
        from hubtl.registry.cache import SHA, ModelCache
        from hubtl.registry.fingerprint import files_in
        from hubtl.server.importing import import_files

        if not folder.is_dir():
            raise Unreachable(f"there is no folder `{folder}`", "is the drive there?")
        cache = ModelCache(folder)
        for model in cache.ids():
            refs = cache.refs(model)
            snapshots = (cache.folder(model) / "snapshots").glob("*")
            commits = [path.name for path in snapshots if SHA.fullmatch(path.name)]
            # The one that `main` is on comes first, since a new repository's `main` is on that.
            for commit in sorted(commits, key=lambda each: (each != refs["main"], each)):
                cache.check(model, commit)
                files = files_in(cache.snapshot(model, commit))
                _check_inside(cache.folder(model), files)
                names = (name for name, at in refs.items() if at == commit and name != "main")
                self._progress(f"importing {model}", 0, 1)
                yield import_files(
                    self.there,
                    "model",
                    model,
                    files,
                    commit,
                    AUTHOR,
                    private=self._private,
                    lead=commit == refs["main"],
                    tags=tuple(name for name in names if "/" not in name),
                )


def _check_inside(folder: Path, files: dict[str, Path]) -> None:
    """Raise Refused where a link leads out: whoever made the folder would learn what is there."""
    root = folder.resolve()
    for path, at in files.items():
        if not at.resolve().is_relative_to(root):
            raise Refused(
                f"`{path}` in `{folder}` is a link that leads out of it",
                "put a copy of the file in its place",
            )


def _revision(files: dict[str, Path]) -> str:
    from hubtl.registry.fingerprint import content_revision, sha256

    return content_revision({path: sha256(at) for path, at in files.items()})


COMMANDS = {
    "import": Command(
        bring,
        (
            "hubtl hub import starter",
            "hubtl hub import sentence-transformers/all-MiniLM-L6-v2 --private",
            "hubtl hub import folder:/mnt/models",
            "hubtl hub import ./moods --as acme/moods",
        ),
    )
}
