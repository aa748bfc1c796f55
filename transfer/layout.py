"""Which files of a folder hold rows, of which part, and how their labels are told.

As the Hub has it: tables whose names or folders say train, validation or test; a `metadata.csv`
with a column of files; or one folder a class, below a folder a part where there are parts.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from ..registry.card import read_front_matter
from ..registry.errors import BadData
from .columns import PARTS
from .opening import ENDINGS, unreadable

METADATA = tuple(f"metadata{ending}" for ending in ENDINGS)


@dataclass(frozen=True, slots=True)
class Layout:
    """Files by their path in a folder, each with its part of the split or None.

    `tables` hold the rows themselves. Where there are none, `classes` tell each file's label.
    """

    tables: Mapping[str, str | None]
    classes: Mapping[str, tuple[str, str | None]]

    @property
    def has_metadata(self) -> bool:
        """Whether rows are in tables that name a file each."""
        return any(PurePosixPath(name).name in METADATA for name in self.tables)


def names_in(folder: Path) -> list[str]:
    """Return the files below a folder in order, hidden ones left out; raises where it is closed."""

    def refuse(error: OSError) -> None:
        raise unreadable(str(error.filename), error) from error

    found = []
    for at, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = Path(at).relative_to(folder)
        found += [(inner / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(found)


def layout(
    name: str,
    names: Sequence[str],
    endings: Sequence[str],
    card: Mapping[str, Any],
    *,
    own: bool,
    tables: Sequence[str] = (),
) -> Layout:
    """Return how the files of a folder or repository `name` are to be read.

    `endings` are those of files that hold an input, `tables` those of tables that only the task
    reads. A user's `own` folder is read whole or not at all; of a repository the Hub's convention
    leaves out what it doesn't know.
    """
    kinds = tuple(dict.fromkeys((*tables, *ENDINGS)))  # of as many files each, the last is taken
    found = [each for each in names if _is_input(each, kinds)]
    metadata = [each for each in found if PurePosixPath(each).name in METADATA]
    if metadata:
        return Layout({each: _part(each) for each in metadata}, {})
    if found:
        configured = _configured(name, found, card)
        return Layout(configured or _by_names(name, _one_kind(name, found, kinds, own), own), {})
    classes = _classes(name, names, endings)
    if not classes:
        holds = f"no file ending in {', '.join((*kinds, *endings))}"
        raise BadData(f"`{name}` holds {holds}", "give a table, or a folder with one a class")
    return Layout({}, classes)


def card_of(folder: Path) -> dict[str, Any]:
    """Return the metadata of a folder's README.md, empty where it has none."""
    return read_front_matter(folder / "README.md")


def _configured(name: str, tables: Sequence[str], card: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the tables that a data card's `configs` names; empty where it names none."""
    configs = card.get("configs")
    named = [c for c in configs if isinstance(c, dict)] if isinstance(configs, list) else []
    named = [each for each in named if each.get("data_files")]
    if not named:
        return {}
    default = [c for c in named if c.get("default") or c.get("config_name") == "default"]
    if not default and len(named) > 1:
        known = ", ".join(f"`{each.get('config_name')}`" for each in named)
        raise BadData(
            f"`{name}` has several configurations and no default: {known}",
            "download the files of one of them and give those",
        )
    found: dict[str, str | None] = {}
    for split, patterns in _patterns((default or named)[0]["data_files"]):
        part = PARTS.get(split.casefold())
        for pattern in patterns:
            matching = [t for t in tables if fnmatchcase(t, pattern.replace("**/", "*"))]
            found |= {table: part for table in matching if part or split == ""}
    return found


def _patterns(files: Any) -> list[tuple[str, list[str]]]:
    """Return (split, patterns) of a configuration's `data_files`, in any form the Hub knows."""
    if isinstance(files, str):
        return [("", [files])]
    if isinstance(files, dict):
        files = [{"split": split, "path": path} for split, path in files.items()]
    found = []
    for each in files if isinstance(files, list) else []:
        if isinstance(each, str):
            found.append(("", [each]))
        elif isinstance(each, dict):
            path = each.get("path", [])
            paths = [path] if isinstance(path, str) else path
            found.append((str(each.get("split", "")), [str(p) for p in paths or ()]))
    return found


def _one_kind(name: str, tables: Sequence[str], kinds: Sequence[str], own: bool) -> list[str]:
    """Return the tables of one format: the same rows may be there in two."""
    counts = Counter(PurePosixPath(each).suffix.lower() for each in tables)
    if len(counts) > 1 and own:
        raise BadData(
            f"`{name}` has tables of several kinds: {', '.join(sorted(counts))}",
            "leave one kind, or give one of the files",
        )
    chosen = max(kinds[::-1], key=lambda ending: counts[ending])
    return [each for each in tables if each.lower().endswith(chosen)]


def _by_names(name: str, tables: Sequence[str], own: bool) -> dict[str, str | None]:
    parts = {each: _part(each) for each in tables}
    lost = [each for each, part in parts.items() if part is None]
    if len(lost) in (0, len(parts)):
        return parts
    if own:
        raise BadData(
            f"`{name}`: `{lost[0]}` does not say in its name whether it is train, validation or "
            "test, as others do",
            "rename it, or move it out of the folder",
        )
    return {each: part for each, part in parts.items() if part}


def _part(name: str) -> str | None:
    """Return the part that a file's name says, or a folder it is in, the innermost first."""
    path = PurePosixPath(name)
    for each in (path.stem, *reversed(path.parts[:-1])):
        words = re.split(r"[^a-z0-9]+", each.casefold())
        found = next((PARTS[word] for word in words if word in PARTS), None)
        if found:
            return found
    return None


def _classes(
    name: str, names: Sequence[str], endings: Sequence[str]
) -> dict[str, tuple[str, str | None]]:
    """Return each file's label and part, where folders are classes."""
    inside = [PurePosixPath(each) for each in names if "/" in each]
    first = {path.parts[0].casefold() for path in inside}
    deep = all(len(path.parts) > 2 for path in inside)
    has_parts = bool(first) and first <= PARTS.keys() and deep
    found: dict[str, tuple[str, str | None]] = {}
    for path in inside:
        if path.suffix.lower() not in endings:
            raise BadData(
                f"`{name}/{path}` is no file that this task reads",
                f"it reads {', '.join(endings) or 'tables only'}: convert it, or move it out",
            )
        part = PARTS[path.parts[0].casefold()] if has_parts else None
        found[path.as_posix()] = (path.parts[1 if has_parts else 0], part)
    strays = [each for each in names if "/" not in each and _is_input(each, endings)]
    if found and strays:
        raise BadData(f"`{name}/{strays[0]}` is in no class's folder", "move it into one, or out")
    return found


def _is_input(name: str, endings: Iterable[str]) -> bool:
    # The card of a folder is no input, whatever the task reads.
    return PurePosixPath(name).suffix.lower() in endings and name.casefold() != "readme.md"
