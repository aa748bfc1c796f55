"""Which plugins and packages are installed: looked up without importing more than that takes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..registry.errors import BadOption

IN_A_FILE = "a file"  # stands where others have a version


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that can be loaded: its name, its version, and what loads it."""

    name: str
    version: str
    load: Callable[[], Any]


def any_installed() -> bool:
    """Return whether there are plugins: in some installed distribution, or in a file that is named.

    `hubtl --help` asks this of every start, and importlib.metadata alone would take a tenth of it.
    """
    if any(_files()):
        return True
    for folder in sys.path:
        for listed in Path(folder or ".").glob("*-info/entry_points.txt"):
            if "[hubtl]" in listed.read_text(encoding="utf-8", errors="replace"):
                return os.environ.get("HUBTL_PLUGINS") != ""
    return False


def installed() -> Iterable[Installed]:
    """Return installed plugins, or what HUBTL_PLUGINS=NAME,FILE.py asks for."""
    if not any_installed():
        return []
    import importlib.metadata

    found = [
        Installed(each.name, each.dist.version if each.dist else "unknown", each.load)
        for each in importlib.metadata.entry_points(group="hubtl")
    ]
    chosen = os.environ.get("HUBTL_PLUGINS")
    if chosen is None:
        return found
    return [*(each for each in found if each.name in _chosen()), *_files()]


def _chosen() -> list[str]:
    return [name.strip() for name in os.environ.get("HUBTL_PLUGINS", "").split(",")]


def _files() -> Iterator[Installed]:
    """Give the plugins that are in files, to be tried without being installed."""
    for name in _chosen():
        if name.endswith(".py"):
            path = Path(name).absolute()
            yield Installed(path.stem, IN_A_FILE, functools.partial(_from_file, path))


def _from_file(path: Path) -> ModuleType:
    """Return the module in a file. It finds others beside it, as it will when it is installed."""
    import importlib.util

    if not path.stem.isidentifier():
        raise BadOption(
            f"`{path.stem}` is no name that a module can have", "such as `my_plugin.py`"
        )
    there = importlib.util.find_spec(path.stem)
    if there and there.origin != str(path):
        told = f"Python has a module `{path.stem}` already, which others need"
        raise BadOption(told, "give the file another name")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader, "its name ends in .py"
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    sys.modules[path.stem] = module  # dataclasses and pickle look there
    spec.loader.exec_module(module)
    return module


def installed_version(package: str) -> str | None:
    """Return the version of a package by the name that pip knows, None where it is not there."""
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
