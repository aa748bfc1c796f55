"""Open hubs by what a user calls them, find models on them, and pull what is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .fitting import check_query, with_memory
from .live import until_enough
from .plugins.hookspecs import Addressed, Destination, Hub, Reviewing, Source, Task
from .plugins.manager import plugins
from .registry.cache import ModelCache
from .registry.catalog import catalogue
from .registry.entry import Entry, Found, Query, split_revision
from .registry.errors import (
    BadOption,
    HubtlError,
    NotReproduced,
    UnknownName,
    Unreachable,
    nearest,
    unknown,
)
from .registry.fingerprint import files_in, git_sha1, sha256
from .registry.places import index as index_folder
from .registry.places import models, setting
from .registry.rooms import new_room
from .registry.search import find
from .registry.weights import check_weights, needed
from .transfer.progress import Progress, silent

if TYPE_CHECKING:
    from .registry.index.reading import Index


def open_hub(name: str) -> Hub:
    """Return the hub that `hf`, `starter`, `folder:PATH`, a plugin's name or a URL stands for."""
    hubs = plugins().hubs
    if name.startswith(("http://", "https://")):
        return _addressed(hubs["hf"]).at(name)
    kind, colon, address = name.partition(":")
    hub = hubs.get(kind)
    if hub is None and Path(name).is_dir():
        raise UnknownName(f"`{name}` is a folder", f"--hub folder:{name}")
    if hub is None:
        raise unknown("hub", kind, hubs, "see `hubtl plugins`")
    return _addressed(hub).at(address) if colon else hub


def reading_hubs(name: str | None = None) -> list[Hub]:
    """Return the hubs to read from: the one named or set, else HF_ENDPOINT's, else starter, hf."""
    chosen = name or setting("hub")
    if chosen:
        return [open_hub(chosen)]
    return [
        open_hub(each) for each in (["hf"] if os.environ.get("HF_ENDPOINT") else ["starter", "hf"])
    ]


def writing_hub(name: str | None = None) -> Destination:
    """Return the hub to publish to; it is never guessed."""
    chosen = name or setting("hub") or ("hf" if os.environ.get("HF_ENDPOINT") else None)
    if not chosen:
        raise BadOption(
            "publish to which hub?",
            "say --hub hf or --hub folder:PATH, or set it once: `hubtl config hub folder:PATH`",
        )
    hub = open_hub(chosen)
    if not isinstance(hub, Destination):
        raise BadOption(f"the hub `{chosen}` can't be written to", "--hub hf or --hub folder:PATH")
    return hub


def check_reviewing(hub: Destination, tag: str | None) -> None:
    """Raise BadOption where a pull request can't be offered on a hub, or not under a tag."""
    if not isinstance(hub, Reviewing):
        raise BadOption(
            f"{hub.name} has no pull requests: who can write to it, publishes",
            "leave out --pr, or offer it on a team hub: --hub hf",
        )
    if tag:
        raise BadOption(
            "--tag names a version that is published, and --pr only offers one",
            f"leave out --tag {tag}; who merges it gives it the name",
        )


def find_model(name: str, hub: str | None = None) -> tuple[Source, Entry]:
    """Return the first hub that has the model `ID[@REV]`, and what it knows of it."""
    model, revision = split_revision(name)
    known = catalogue().entry(model)
    silenced: Unreachable | None = None
    missing: UnknownName | None = None
    hubs = reading_hubs(hub)
    if hub is None and not any(each.name == "starter" for each in hubs):
        # What installed packages carry needs no asking, whatever hub is set.
        hubs.append(open_hub("starter"))
    own = known.hub if known and ":" in known.hub else None  # as a team's catalogue may say
    if hub is None and own and own not in {each.name for each in hubs}:
        hubs.insert(0, open_hub(own))
    for each in hubs:
        if not isinstance(each, Source):
            continue
        pins = each.name == own or getattr(each, "needs_network", False)
        pinned = known.revision if known and pins else None
        try:
            return each, each.entry(model, revision or pinned)
        except Unreachable as error:
            silenced = error
        except UnknownName as error:
            missing = error
    if silenced and known:
        raise Unreachable(f"`{known.id}` is on {known.hub}: {silenced.message}", silenced.hint)
    if missing and hub:
        raise missing
    close = nearest(model, [entry.id for entry in catalogue().entries])
    hint = f"did you mean `{close}`? " if close else ""
    asked = f" ({silenced.message})" if silenced else ""
    raise UnknownName(f"no model is called `{model}`{asked}", f"{hint}see `hubtl search`")


def pull(source: Source, entry: Entry, *, progress: Progress = silent) -> Path:
    """Return the folder with the files that are needed of a model, each checked by its hash."""
    check_weights(entry.id, entry.files)
    cache = ModelCache(models())
    if pulled(entry.id, entry.revision):
        pinned = {path: file for path, file in entry.files.items() if file.sha256}
        cache.check(entry.id, str(entry.revision), {p: pinned[p] for p in needed(pinned)})
        return cache.snapshot(entry.id, entry.revision)
    cache.root.mkdir(parents=True, exist_ok=True)
    with new_room(cache.root, "pull-") as room:
        folder = fetch(source, entry, room, progress=progress)
        if not folder.is_relative_to(room):
            return folder
        files = {path: at for path, at in files_in(folder).items() if path in needed(entry.files)}
        revision = cache.add(entry.id, files, revision=entry.revision or "", owned=True)
    return cache.snapshot(entry.id, revision)


def pulled(model: str, revision: str | None) -> bool:
    """Return whether a model is on this machine at a commit."""
    folder = ModelCache(models()).folder(model) / "snapshots" / str(revision)
    return bool(revision) and folder.is_dir()


def fetch(source: Source, entry: Entry, room: Path, *, progress: Progress = silent) -> Path:
    """Return a model's files as its hub has them now, each checked by its hash."""
    check_weights(entry.id, entry.files)
    wanted = needed(entry.files)
    progress(f"pulling {entry.id}", 0, len(wanted))
    folder = source.fetch(entry, wanted, room)
    for done, path in enumerate(wanted, 1):
        check_file(entry, path, folder / path)
        progress(f"pulling {entry.id}", done, len(wanted))
    return folder


def base_folder(model: str, revision: str, hub: str | None, *, progress: Progress = silent) -> Path:
    """Return the files of a pinned base: this machine's own copy first, then the hubs'."""
    cache = ModelCache(models())
    if pulled(model, revision):
        cache.check(model, revision)
        return cache.snapshot(model, revision)
    return pull(*find_base(model, revision, hub), progress=progress)


def find_base(model: str, revision: str, hub: str | None) -> tuple[Source, Entry]:
    """Return the hub that has a pinned base, and its entry: `hub`, then those one reads from."""
    pinned = f"{model}@{revision}"
    try:
        return find_model(pinned, hub)
    except UnknownName:
        if hub is None:
            raise
        return find_model(pinned)


def first_base(task: Task) -> tuple[str, str]:
    """Return the starter model for a task, and why: it is the only one that needs no network."""
    for entry in catalogue().entries:
        if entry.hub == "starter" and task.name in entry.tasks:
            return entry.id, (
                "The base was not named: this one is the catalogue's first for the task that needs "
                "no network."
            )
    raise UnknownName(
        f"the catalogue has no starter model for `{task.name}`",
        f"name one: --base ID, from `hubtl search --task {task.name}`",
    )


def search_models(query: Query, hub: str | None = None) -> Found:
    """Return what the catalogue and the hubs that need no network have, or what `hub` has."""
    check_query(query)
    known = catalogue()
    chosen = hub or setting("hub")
    entries: list[Entry] = []
    where = chosen or f"the catalogue of {known.date}"
    query, memory_bytes = with_memory(query)
    if chosen:
        asked = open_hub(chosen)
        told: Iterable[Entry] = map(told_more, _asked(asked, query))
        if getattr(asked, "needs_network", False):
            told = until_enough(told, query, known.licences, memory_bytes)
        entries = list(told)
    else:
        # Of models that stand alike, those come first that are here already.
        entries = sorted(known.entries, key=lambda entry: entry.hub != "starter")
        for each in plugins().hubs.values():
            if getattr(each, "needs_network", False):
                continue
            try:
                found = list(_asked(each, query))
            except HubtlError as error:
                print(f"warning: {error.message}", file=sys.stderr)
                continue
            ids = {entry.id for entry in entries}
            entries += [entry for entry in found if entry.id not in ids]
    if not chosen and (index := _index()):
        from .registry.index.answering import answered

        with index, index.moment():
            found_all = answered(index, entries, query, known.licences, memory_bytes=memory_bytes)
        return replace(found_all, where=f"{where} and the index of {found_all.date}")
    found_all = find(entries, query, known.licences, date=known.date, memory_bytes=memory_bytes)
    return replace(found_all, where=where)


def _index() -> Index | None:
    """Return the index of models that hubs are known to have, where one was built."""
    if not index_folder().is_dir():
        return None
    from .registry.index.reading import Index

    return Index.at(index_folder())


def _asked(hub: Hub, query: Query) -> Iterator[Entry]:
    """Give what a hub has for a query; a plugin that fails is an error that names it."""
    try:
        yield from hub.search(query)
    except HubtlError:
        raise
    except Exception as error:
        raise Unreachable(
            f"the hub `{hub.name}` was not asked: {type(error).__name__}: {error}",
            "see `hubtl plugins`, and leave it out by HUBTL_PLUGINS=",
        ) from error


def told_more(entry: Entry) -> Entry:
    """Return an entry with what the catalogue knows of the same model, where the hub is silent."""
    known = catalogue().entry(entry.id)
    if known is None or entry.kind == "adapter":
        return entry
    return replace(
        entry,
        tasks=tuple(dict.fromkeys((*entry.tasks, *known.tasks))),
        domains=entry.domains or known.domains,
        languages=entry.languages or known.languages,
        params=entry.params or known.params,
        architecture=entry.architecture or known.architecture,
        about=entry.about or known.about,
    )


def _addressed(hub: Hub) -> Addressed:
    if not isinstance(hub, Addressed):
        raise BadOption(f"the hub `{hub.name}` takes no address", f"say --hub {hub.name}")
    return hub


def check_file(entry: Entry, path: str, file: Path) -> None:
    """Raise NotReproduced unless a file has the size and the sha256 that its hub pins."""
    pinned = entry.files[path]
    if not file.is_file():
        raise NotReproduced(
            f"`{path}` of `{entry.id}` is gone from its hub", "tell the owner of the hub"
        )
    wrong = (
        pinned.size not in (0, file.stat().st_size)
        or (pinned.sha256 and sha256(file) != pinned.sha256)
        or (pinned.git_sha1 and git_sha1(file) != pinned.git_sha1)
    )
    if wrong:
        raise NotReproduced(
            f"`{path}` of `{entry.id}` has other bytes than the ones that are pinned",
            "it was damaged or changed on its way: pull again, or tell the owner of the hub",
        )
