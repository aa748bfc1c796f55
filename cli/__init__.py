"""The command line: one file a command, each a thin layer over a verb of `import hubtl`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import typer

from hubtl.plugins.installed import any_installed

from . import hub
from .group import HubtlGroup, told
from .hub.command import Command

COMMANDS = (
    "search",
    "sync",
    "show",
    "pull",
    "check",
    "rank",
    "adapt",
    "evaluate",
    "predict",
    "report",
    "publish",
    "verify",
    "export",
    "serve",
    "hub",
    "catalog",
    "recipes",
    "plugins",
    "config",
    "doctor",
    "demo",
)


def commands(names: Sequence[str] = COMMANDS) -> dict[str, Command]:
    """Return commands by what is typed after `hubtl`, such as `hub user add`."""
    found: dict[str, Command] = {}
    for name in names:
        if name == "hub":
            found |= hub.commands()
        else:
            module = importlib.import_module(f"{__name__}.{name}")
            found[name] = Command(module.command, module.EXAMPLES)
            found |= {f"{name} {verb}": each for verb, each in getattr(module, "VERBS", {}).items()}
    return found


def app(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """Return the command line with hubtl's commands, or these of them, and those of plugins."""
    built = typer.Typer(
        name="hubtl",
        cls=HubtlGroup,
        help="Find a base model, adapt it to your data, prove what it learned, publish it.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    built.callback()(_version)
    groups, known = {"": built}, commands(names)
    for typed, command in known.items():
        words = typed.split()
        for name in (" ".join(words[:depth]) for depth in range(1, len(words))):
            if name not in groups:
                within = [each.examples[0] for key, each in known.items() if f"{name} " in key]
                groups[name] = _group(name, within)
                above, _, last = name.rpartition(" ")
                groups[above].add_typer(groups[name], name=last)
        if any(name.startswith(f"{typed} ") for name in known):
            groups[typed] = _listing(command)
            built.add_typer(groups[typed], name=typed)
            continue
        add = groups[" ".join(words[:-1])].command(words[-1], epilog=_examples(command.examples))
        add(command.function)
    if any_installed():
        from hubtl.plugins import manager

        manager.plugins().add_commands(built, COMMANDS)
    return built


def _group(name: str, examples: Sequence[str]) -> typer.Typer:
    """Return a group of commands such as `hub user`, empty yet."""
    return typer.Typer(help=hub.ABOUT[name], epilog=_examples(examples), no_args_is_help=True)


def _listing(command: Command) -> typer.Typer:
    """Return a group of commands that does something by itself too, such as `catalog`."""
    return typer.Typer(
        callback=command.function, epilog=_examples(command.examples), invoke_without_command=True
    )


def _examples(lines: Sequence[str]) -> str:
    escaped = (line.replace("[", chr(92) + "[") for line in lines)
    return "\n\n".join(["Examples:", *(f"[dim]$ {line}[/dim]" for line in escaped)])


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as installed

        typer.echo(f"hubtl {installed('hubtl')}")
        raise typer.Exit


def _version(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_say_version
    ),
) -> None:
    """Take the options that come before a command."""


def main() -> None:
    """Run `hubtl`; being told to end is heard as Ctrl-C is, so that nothing is left behind."""
    import signal
    import sys

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from hubtl.registry.errors import HubtlError

    typed = sys.argv[1:2]
    try:
        # To make them all takes as long as a search; who types one waits for that one.
        built = app(typed if typed and typed[0] in COMMANDS else COMMANDS)
    except HubtlError as error:
        told(error)
    built()
