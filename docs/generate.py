"""Write what docs/ has of the code: commands, and what plugins may have; or say what is stale.

python docs/generate.py           writes docs/commands/NAME.md, one page a command, and the index;
                                  in docs/plugins/, what stands behind `<!-- members of NAME -->`,
                                  and in docs/plugins.md which of its pages has what
python docs/generate.py --check   writes nothing; exits 1 and names the pages that are stale
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints

import typer
from typer.core import TyperGroup

import hubtl.cli
from hubtl.cli.hub.command import Command

DOCS = Path(__file__).parent
UNTOLD = ("@runtime_checkable", "@hookspec")
INDEX = re.compile(r"(<!-- pages: ([\w ]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
MEMBERS = re.compile(r"(<!-- members of ([\w.]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
KINDS = {str: "text", int: "whole number", float: "number", Path: "path"}
NOTE = "*Written by `make docs` from the code; change the code, not this page.*"


def pages() -> dict[Path, str]:
    """Return each page that has something of the code, with the text that it should have."""
    return {**_commands(), **_plugins()}


def _commands() -> dict[Path, str]:
    """Return the pages of docs/commands/."""
    folder = DOCS / "commands"
    group = typer.main.get_command(hubtl.cli.app())
    assert isinstance(group, TyperGroup), "hubtl has commands"
    shown = {name: group.commands[name] for name in hubtl.cli.COMMANDS}
    written = {folder / f"{name}.md": _page(name, each) for name, each in shown.items()}
    return {folder / "README.md": _index(str(group.help), shown), **written}


def _plugins() -> dict[Path, str]:
    """Return the pages for plugin authors: their index, and the members of what they name."""
    pages = sorted((DOCS / "plugins").glob("*.md"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in pages}
    index = DOCS / "plugins.md"

    def table(found: re.Match[str]) -> str:
        names = found[2].split()
        assert sorted(names) == sorted(texts), "the index names every page, in a reader's order"
        rows = [_has(name, texts[name]) for name in names]
        return f"{found[1]}\n{_table(('page', 'which is', 'has'), rows)}\n\n"

    def filled(found: re.Match[str]) -> str:
        return f"{found[1]}\n{members(found[2])}\n\n"

    written = {path: MEMBERS.sub(filled, texts[path.stem]) for path in pages}
    return {index: INDEX.sub(table, index.read_text(encoding="utf-8")), **written}


def _has(name: str, text: str) -> tuple[str, str, str]:
    """Return a page's link, its first sentence, and the hooks and classes that it has."""
    title, _, about = text.partition("\n\n")
    named = [name for _, name in MEMBERS.findall(text)]
    has = ", ".join(_code(each.rpartition(".")[2]) for each in named)
    return f"[{title[2:]}](plugins/{name}.md)", _line(about.partition("\n\n")[0]), has


def stale() -> list[Path]:
    """Return the pages that are not what the code says now: changed, missing, or one too many."""
    wanted = pages()
    changed = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    gone = [path for path in (DOCS / "commands").glob("*.md") if path not in wanted]
    return sorted(changed + gone)


def write() -> None:
    """Write all pages and take away those of commands that are gone."""
    (DOCS / "commands").mkdir(exist_ok=True)
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


def members(name: str) -> str:
    """Return the source of a class or a hook, by its whole name, without what methods do.

    What a Protocol's own do is what holds for whoever inherits it, so that is told.
    """
    module, _, last = name.rpartition(".")
    lines = inspect.getsource(getattr(importlib.import_module(module), last)).splitlines()
    (written,) = ast.parse("\n".join(lines)).body
    functions = [each for each in ast.walk(written) if isinstance(each, ast.FunctionDef)]
    inherited = "Protocol" in map(ast.unparse, getattr(written, "bases", ()))
    for each in reversed(functions):
        told, *done = each.body
        if inherited and [ast.unparse(line) for line in done] != ["..."]:
            continue
        assert each.end_lineno and told.end_lineno, "they come of lines"
        del lines[told.end_lineno : each.end_lineno]
    shown = "\n".join(line for line in lines if line not in UNTOLD)
    return f"`{name}`:\n\n```python\n{shown}\n```"


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
