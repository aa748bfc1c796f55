"""The files of the team hub know only those that its docstring lists before them."""

from __future__ import annotations

import ast
from pathlib import Path

import hubtl.server

FOLDER = Path(hubtl.server.__file__).parent


def listed() -> list[str]:
    lines = (hubtl.server.__doc__ or "").splitlines()
    columns = [line.split("  ")[2] for line in lines if line.startswith("    ")]
    return [name for column in columns for name in column.split(", ")]


def files_of(name: str) -> list[Path]:
    folder = FOLDER / name
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [FOLDER / f"{name}.py"]


def imported(path: Path) -> set[str]:
    """Return the files and folders of the hub that a file imports from."""
    below = len(path.relative_to(FOLDER).parts)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "level")]
    own = [node for node in nodes if node.level == below]
    return {
        name
        for node in own
        for name in ([node.module.split(".")[0]] if node.module else [n.name for n in node.names])
    }


def test_every_file_is_listed_once():
    found = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} | {"pages", "routes"}
    assert sorted(listed()) == sorted(found)


def test_a_file_imports_only_those_before_it():
    before: set[str] = set()
    for name in listed():
        upwards = {str(path): imported(path) - before for path in files_of(name)}
        assert {path: names for path, names in upwards.items() if names} == {}
        before.add(name)
