"""The command line: one file a command, each a thin layer over a verb of `import hubtl`."""

from __future__ import annotations

import importlib

import typer

from hubtl.plugins.installed import any_installed

from .group import HubtlGroup, told

COMMANDS = (
    "search",
    "show",
    "pull",
    "adapt",
    "evaluate",
    "predict",
    "publish",
    "verify",
    "catalog",
    "recipes",
    "plugins",
    "config",
    "doctor",
    "demo",
)


def app() -> typer.Typer:
    """Return the command line with hubtl's commands and those of plugins."""
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
    for name in COMMANDS:
        module = importlib.import_module(f"{__name__}.{name}")
        lines = (f"[dim]$ {line.replace('[', chr(92) + '[')}[/dim]" for line in module.EXAMPLES)
        built.command(name, epilog="\n\n".join(["Examples:", *lines]))(module.command)
    if any_installed():
        from hubtl.plugins import manager

        manager.plugins().add_commands(built)
    return built


def _version(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"hubtl {installed('hubtl')}")
        raise typer.Exit


def main() -> None:
    """Run `hubtl`; being told to end is heard as Ctrl-C is, so that nothing is left behind."""
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from hubtl.registry.errors import HubtlError

    try:
        built = app()
    except HubtlError as error:
        told(error)
    built()
