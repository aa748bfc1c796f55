"""Which plugins and packages are installed: looked up without importing more than that takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def any_installed() -> bool:
    """Return whether some installed distribution has the entry-point group `hubtl`.

    `hubtl --help` asks this of every start, and importlib.metadata alone would take a tenth of it.
    """
    for folder in sys.path:
        for listed in Path(folder or ".").glob("*-info/entry_points.txt"):
            if "[hubtl]" in listed.read_text(encoding="utf-8", errors="replace"):
                return os.environ.get("HUBTL_PLUGINS") != ""
    return False


def installed() -> Iterable[EntryPoint]:
    """Return installed plugins, or those of them that HUBTL_PLUGINS=NAME,NAME asks for."""
    if not any_installed():
        return []
    import importlib.metadata

    found = importlib.metadata.entry_points(group="hubtl")
    chosen = os.environ.get("HUBTL_PLUGINS")
    if chosen is None:
        return found
    names = {name.strip() for name in chosen.split(",")}
    return [entry_point for entry_point in found if entry_point.name in names]


def installed_version(package: str) -> str | None:
    """Return the version of a package by the name that pip knows, None where it is not there."""
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
