"""The team's catalogue, looked after: entries added from hubs, taken out, checked against them."""

from __future__ import annotations

import datetime
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal

from .plugins.hookspecs import Destination, Source
from .registry.cache import SHA
from .registry.catalog import Catalogue, built_in, catalogue, read_catalogue
from .registry.catalog_text import change, with_hidden, with_model, without_model
from .registry.entry import Entry, File
from .registry.errors import BadData, BadOption, HubtlError, Refused, UnknownName
from .registry.fingerprint import sha256
from .registry.places import team_catalogue
from .registry.rooms import temporary_room
from .registry.weights import WEIGHTS, check_weights, needed
from .sources import check_file, find_model, open_hub
from .transfer.progress import Progress, silent

LONGEST_HEADER = 100_000_000  # of safetensors, by its own rule


@dataclass(frozen=True, slots=True)
class Change:
    """What is no longer as a catalogue says of an entry; what was not seen is no mistake."""

    id: str
    what: str
    grave: bool = True


def add_model(
    model: str,
    *,
    hub: str | None = None,
    domains: Sequence[str] = (),
    tasks: Sequence[str] = (),
    about: str = "",
    to: Path | None = None,
    progress: Progress = silent,
) -> tuple[Entry, Path]:
    """Put a base into the team's catalogue, pinned as its hub has it, and return it and the file.

    Nothing is from memory: what the hub does not tell is left out. Raises BadOption where the
    domain or the task is not told, and Refused for what has no licence or no safetensors.
    """
    path = to or team_catalogue()
    known = _laid_over(path)
    source, entry = find_model(model, hub)
    _check_fit(entry, known, path)
    for domain in domains:
        known.check_domain(domain)
    found = list(domains) or [each for each in entry.domains if each in known.domains]
    if not found:
        raise BadOption(
            f"of which domain is `{entry.id}`?",
            f"--domain NAME, one of: {', '.join(known.domains)}",
        )
    if not (tasks or entry.tasks):
        raise BadOption(f"for which task is `{entry.id}`?", "--task NAME: `hubtl catalog --tasks`")
    today = datetime.date.today()
    address = source.address(entry.id) if isinstance(source, Destination) else entry.hub
    files, config, params = _looked_into(source, entry, progress)
    fields: dict[str, Any] = {
        "id": entry.id,
        "hub": entry.hub,
        "revision": entry.revision,
        "licence": entry.licence,
        "parameters": entry.params or params,
        "tasks": list(tasks or entry.tasks),
        "languages": list(entry.languages),
        "domains": found,
        "architecture": config.get("model_type"),
        "about": about or entry.about or f"Added from {address}",
        "source": {"what": f"{address} at {entry.revision}", "date": today},
        "files": {path: {"size": f.size, "sha256": f.sha256} for path, f in files.items()},
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    change(path, lambda text: with_model(text, kept))
    catalogue.cache_clear()
    added = read_catalogue(path).entry(entry.id)
    assert added is not None, "it was written"
    return added, path


def remove_model(
    model: str, *, to: Path | None = None
) -> tuple[Literal["removed", "hidden"], Path]:
    """Take an entry out of the team's catalogue, or hide one of hubtl's, and return which.

    Raises UnknownName for what neither has.
    """
    path = to or team_catalogue()
    known = _laid_over(path)
    entry = known.entry(model)
    if entry is None:
        raise UnknownName(f"`{model}` is not in the catalogue", "see `hubtl catalog`")
    ours = known.origin(entry.id) == "hubtl"
    changed = with_hidden if ours else without_model
    change(path, lambda text: changed(text, entry.id))
    catalogue.cache_clear()
    return "hidden" if ours else "removed", path


def changes_online(
    known: Sequence[Entry], *, hub: str | None = None, progress: Progress = silent
) -> list[Change]:
    """Return what hubs tell otherwise of entries: gone, other files, another licence, moved on."""
    found: list[Change] = []
    for number, entry in enumerate(known):
        progress("asking hubs", number, len(known))
        found += _changes(entry, hub)
    progress("asking hubs", len(known), len(known))
    return found


def _laid_over(path: Path) -> Catalogue:
    return read_catalogue(path) if path.is_file() else built_in()


def _check_fit(entry: Entry, known: Catalogue, path: Path) -> None:
    """Raise unless a model can be in a catalogue: a base, pinned, with a licence that is known."""
    if entry.kind == "adapter":
        raise BadOption(f"`{entry.id}` is an adapter", "the catalogue is of bases: `hubtl search`")
    if entry.hub == "starter":
        raise BadOption(f"`{entry.id}` is in hubtl's own catalogue", "see `hubtl catalog`")
    if not SHA.fullmatch(entry.revision or ""):
        raise BadOption(f"`{entry.id}` has no commit to pin", "add another model")
    check_weights(entry.id, entry.files)
    if not entry.licence:
        raise Refused(f"`{entry.id}` states no licence", "ask its owner to state one in its card")
    if entry.licence not in known.licences:
        raise BadOption(
            f"nothing is known of the licence `{entry.licence}` of `{entry.id}`",
            f"say what it allows under `licences:` in {path}, as `hubtl catalog --licences` does",
        )


def _looked_into(
    source: Source, entry: Entry, progress: Progress
) -> tuple[dict[str, File], dict[str, Any], int | None]:
    """Return a model's files with their hashes, its configuration, and its parameters if told."""
    wanted = needed(entry.files)
    small = [path for path in wanted if not entry.files[path].sha256 or path == "config.json"]
    with temporary_room("hubtl-catalog-") as room:
        progress(f"reading {entry.id}", 0, len(small))
        folder = source.fetch(entry, small, room) if small else room
        files = {path: entry.files[path] for path in wanted}
        for path in small:
            check_file(entry, path, folder / path)
            files[path] = File((folder / path).stat().st_size, sha256(folder / path))
        at = folder / "config.json"
        try:
            config = json.loads(at.read_text("utf-8")) if "config.json" in small else {}
        except ValueError as error:
            raise BadData(
                f"`config.json` of `{entry.id}` can't be read: {error}", "tell its owner"
            ) from error
        weights = [folder / path for path in wanted if path.endswith(WEIGHTS)]
        there = all(path.is_file() for path in weights)
        params = sum(map(parameters, weights)) if there else None
    return files, config if isinstance(config, dict) else {}, params


def parameters(path: Path) -> int:
    """Return how many numbers a safetensors file's header tells of; raises BadOption for none."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST_HEADER:
                raise ValueError("its header is too long")
            head = json.loads(file.read(length))
        head.pop("__metadata__", None)
        return sum(prod(each["shape"]) for each in head.values())
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise BadOption(
            f"`{path.name}` is no safetensors file: {error}", "tell its owner"
        ) from error


def _changes(entry: Entry, hub: str | None) -> list[Change]:
    """Return what the hub of an entry tells otherwise."""
    found: list[Change] = []
    try:
        source = open_hub(hub or entry.hub)
        if not isinstance(source, Source):
            raise BadOption(f"the hub `{source.name}` gives no files", "--hub hf")
        there = source.entry(entry.id, entry.revision)
        now = there if entry.hub == "starter" else source.entry(entry.id)
        found += [Change(entry.id, what) for what in _other_files(source, entry, there)]
    except UnknownName as error:
        return [Change(entry.id, f"gone: {error.message}")]
    except HubtlError as error:
        return [Change(entry.id, f"not checked: {error.message}", grave=False)]
    if now.licence != entry.licence:
        what = f"licence {now.licence or 'not stated'} now, and {entry.licence} here"
        found.append(Change(entry.id, what, grave=bool(now.licence)))
    if entry.revision and now.revision != entry.revision:
        found.append(Change(entry.id, f"moved on to {str(now.revision)[:7]}", grave=False))
    return found


def _other_files(source: Source, entry: Entry, there: Entry) -> list[str]:
    """Return what is wrong with the files that an entry pins, as its hub has them."""
    gone = [f"`{path}` is gone" for path in entry.files if path not in there.files]
    hashes = {path: there.files[path].sha256 for path in entry.files if path in there.files}
    unknown = [path for path, told in hashes.items() if not told]
    if unknown:
        with temporary_room("hubtl-catalog-") as room:
            folder = source.fetch(there, unknown, room)
            hashes |= {path: sha256(folder / path) for path in unknown}
    wrong = [path for path, told in hashes.items() if told != entry.files[path].sha256]
    return [*gone, *(f"`{path}` has other bytes" for path in wrong)]
