"""Change a catalogue's text by lines: what is not changed stays as somebody wrote it.

A file that a team looks after has comments, an order and a way of writing. Entries are put in and
taken out at the lines where YAML's own parser says that they are, and the whole is checked before
it is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .catalog import below_of, load, mistakes_in
from .errors import BadOption, Refused
from .places import home

BEGIN = "# What your team knows of models, laid over hubtl's catalogue: `hubtl catalog --help`.\n"
Change = Callable[[str], str]


def with_model(text: str, fields: Mapping[str, Any]) -> str:
    """Return a catalogue's text with an entry at the end of its models, in place of one of its id.

    Raises BadOption where models are written on one line.
    """
    dumped = yaml.safe_dump(
        [dict(fields)], sort_keys=False, allow_unicode=True, width=160, default_flow_style=None
    )
    return _appended(without_model(text, str(fields["id"])), "models", dumped)


def without_model(text: str, model: str) -> str:
    """Return a catalogue's text without the entry of an id, if it has one; raises BadOption."""
    return _without(text, "models", lambda node: _id_of(node) == model.casefold())


def with_hidden(text: str, model: str) -> str:
    """Return a catalogue's text in which an entry below it is hidden; raises BadOption."""
    return _appended(text, "hidden", f"- {model}\n")


def change(path: Path, changed: Change) -> None:
    """Change a catalogue's file, begun if there is none: whole or not at all, one at a time.

    Raises BadOption where it has mistakes, before or after, and Refused where another process is
    long at it, or somebody changed it meanwhile.
    """
    import filelock

    path = path.resolve()  # of a link, what it leads to
    path.parent.mkdir(parents=True, exist_ok=True)
    home().mkdir(parents=True, exist_ok=True)
    try:
        # Beside settings and not beside the file, which may lie in a team's repository.
        with filelock.FileLock(home() / "catalog.lock", timeout=60):
            old = path.read_text("utf-8") if path.is_file() else f"{BEGIN}version: 1\n"
            _check(path, old, "has")
            new = changed(old)
            _check(path, new, "would have")
            beside = path.with_name(f".{path.name}.new")
            with beside.open("w", encoding="utf-8") as file:
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
            if path.is_file():
                beside.chmod(path.stat().st_mode)
            if path.is_file() and path.read_text("utf-8") != old:
                beside.unlink()
                raise Refused(f"somebody changed `{path}` in the meantime", "try again")
            beside.replace(path)
    except filelock.Timeout:
        raise Refused(f"another process is changing `{path}`", "try again") from None


def _check(path: Path, text: str, has: str) -> None:
    for mistake in mistakes_in(text, below_of(text)):
        raise BadOption(f"`{path}` {has} a mistake: {mistake}", f"hubtl catalog check {path}")
    load(text)


def _section(text: str, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key and the value of a section, or None where the text has none."""
    tree = yaml.compose(text, yaml.SafeLoader)
    pairs = tree.value if isinstance(tree, yaml.MappingNode) else ()
    return next(((key, value) for key, value in pairs if key.value == name), None)


def _appended(text: str, name: str, item: str) -> str:
    """Return a text with an item, itself whole lines, at the end of a section's list."""
    found = _section(text, name)
    if found is None:
        end = "" if text.endswith("\n") or not text else "\n"
        return f"{text}{end}{name}:\n{_indented(item, 2)}"
    key, value = found
    if not value.value or value.value == "null":  # `models: []` or nothing after the colon
        text = f"{text[: key.start_mark.index]}{name}:{text[value.end_mark.index :]}"
        return _inserted(text, key.start_mark.line + 1, _indented(item, 2))
    at = _last_line(value)
    return _inserted(text, at, _indented(item, _listed(value, name).start_mark.column))


def _without(text: str, name: str, wanted: Callable[[yaml.Node], bool]) -> str:
    found = _section(text, name)
    nodes = found[1].value if found and isinstance(found[1], yaml.SequenceNode) else []
    for node in filter(wanted, nodes):
        assert found is not None, "it has nodes"
        _listed(found[1], name)
        lines = text.splitlines(keepends=True)
        dash = text.rfind("-", 0, node.start_mark.index)
        first = text.count("\n", 0, dash)
        del lines[first : _last_line(node)]
        if len(nodes) == 1:
            del lines[found[0].start_mark.line]
        return "".join(lines)
    return text


def _listed(value: yaml.Node, name: str) -> yaml.Node:
    """Return a list that has an item a line; raises BadOption for another."""
    if not isinstance(value, yaml.SequenceNode) or value.flow_style:
        raise BadOption(
            f"line {value.start_mark.line + 1}: `{name}` is written on one line",
            "write each on a line of its own, after `- `",
        )
    return value


def _id_of(node: yaml.Node) -> str | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((str(value.value).casefold() for key, value in pairs if key.value == "id"), None)


def _last_line(node: yaml.Node) -> int:
    """Return the number of the line after the last one of what a node holds, comments apart."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.line + (node.end_mark.column > 0))


def _inserted(text: str, at: int, lines: str) -> str:
    kept = text.splitlines(keepends=True)
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return "".join([*kept[:at], lines, *kept[at:]])


def _indented(lines: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" for line in lines.splitlines(keepends=True))
