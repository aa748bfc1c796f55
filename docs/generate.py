"""Write docs/commands/ from the command line's own code, or say which of its pages are stale.

python docs/generate.py           writes docs/commands/NAME.md, one page a command, and the index
python docs/generate.py --check   writes nothing; exits 1 and names the pages that are stale
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints

import typer
from typer.core import TyperGroup

import hubtl.cli
from hubtl.cli.hub.command import Command

DOCS = Path(__file__).parent
FOLDER = DOCS / "commands"
KINDS = {str: "text", int: "whole number", float: "number", Path: "path"}
NOTE = "*Written by `make docs` from the code; change the code, not this page.*"


def pages() -> dict[Path, str]:
    """Return each page of docs/commands/ with the text that it should have."""
    group = typer.main.get_command(hubtl.cli.app())
    assert isinstance(group, TyperGroup), "hubtl has commands"
    shown = {name: group.commands[name] for name in hubtl.cli.COMMANDS}
    written = {FOLDER / f"{name}.md": _page(name, each) for name, each in shown.items()}
    return {FOLDER / "README.md": _index(str(group.help), shown), **written}


def stale() -> list[Path]:
    """Return the pages that are not what the code says now: changed, missing, or one too many."""
    wanted = pages()
    changed = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    return sorted(changed + [path for path in FOLDER.glob("*.md") if path not in wanted])


def write() -> None:
    """Write all pages and take away those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    for path in stale():
        path.unlink()


def _index(about: str, commands: dict[str, Any]) -> str:
    rows = [(f"[`hubtl {name}`]({name}.md)", _line(each.help)) for name, each in commands.items()]
    return "\n\n".join(["# Commands", about, _table(("command", "does"), rows), NOTE]) + "\n"


def _page(name: str, command: Any) -> str:
    """Return the page of a command, or of a group with a section for each command in it."""
    parts = [f"# hubtl {name}", _line(command.help)]
    known = hubtl.cli.commands()
    if name in known:
        parts += _told(name, command, known[name], "##")
    within = {typed: _found(command, typed) for typed in known if typed.startswith(f"{name} ")}
    rows = [(_code(f"hubtl {typed}"), _line(each.help)) for typed, each in within.items()]
    parts += [_table(("command", "does"), rows)] if rows else []
    for typed, each in within.items():
        parts += [f"## hubtl {typed}", _line(each.help), *_told(typed, each, known[typed], "###")]
    return "\n\n".join([*parts, NOTE]) + "\n"


def _found(group: Any, typed: str) -> Any:
    """Return the command in a group, whose own name is the first word of what is typed."""
    for word in typed.split()[1:]:
        group = group.commands[word]
    return group


def _told(name: str, command: Any, written: Command, heading: str) -> list[str]:
    """Return what a page says of one command: usage, arguments, options, examples."""
    hints = get_type_hints(written.function)
    arguments = [
        each
        for each in command.params
        if each.param_type_name == "argument" and not getattr(each, "hidden", False)
    ]
    options = [each for each in command.params if each.param_type_name == "option"]
    needed = [f"{each.opts[0]} {_takes(each, hints)}" for each in options if each.required]
    usage = " ".join([f"hubtl {name}", *map(_named, arguments), *needed, "[OPTIONS]"])
    parts = [f"```\n{usage}\n```"]
    if arguments:
        rows = [
            (_code(_named(each)), ("no", "yes")[each.required], _line(each.help))
            for each in arguments
        ]
        parts += [f"{heading} Arguments", _table(("name", "needed", "what it is"), rows)]
    taken = [(_code(each.opts[0]), _code(_takes(each, hints)), each) for each in options]
    told = [(name, takes, _default(each), _line(each.help)) for name, takes, each in taken]
    titles = ("name", "takes", "default", "what it does")
    parts += [f"{heading} Options", _table(titles, told)]
    examples = "\n".join(f"$ {line}" for line in written.examples)
    return [*parts, f"{heading} Examples", f"```console\n{examples}\n```"]


def _named(argument: Any) -> str:
    return argument.metavar or str(argument.name).upper()


def _takes(option: Any, hints: dict[str, Any]) -> str:
    """Return what stands behind an option: its metavar, else what its type is called."""
    if option.is_flag:
        return ""
    kinds = [word for kind, word in KINDS.items() if kind.__name__ in str(hints[option.name])]
    return option.metavar or next(iter(kinds), "text")


def _default(option: Any) -> str:
    if option.required:
        return "needed"
    return "" if option.is_flag or option.default is None else _code(str(option.default))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in r)} |" for r in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 if stale.")
    if parser.parse_args().check:
        sys.exit("\n".join(f"stale: {p.relative_to(DOCS.parent)}" for p in stale()) or 0)
    write()
