"""`hubtl config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubtl.registry.errors import unknown

from . import screen
from .options import Json

EXAMPLES = (
    "hubtl config",
    "hubtl config hub folder:/mnt/models",
    "hubtl config organisation --unset",
)


def command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which setting.")] = None,
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="What to set it to.")
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take the setting away.")] = False,
    as_json: Json = False,
) -> None:
    """Show the settings, or change one. HUBTL_HUB and so on in the environment go before them."""
    from hubtl.registry.places import SETTINGS, change_setting, models, setting, settings_file

    if name and name not in SETTINGS:
        raise unknown("setting", name, SETTINGS, "see `hubtl config`")
    if name and (unset or value is not None):
        if value is not None and not unset:
            _check(name, value)
            if name == "catalog":
                value = str(Path(value).expanduser().absolute())
            if name == "hub" and value.startswith("folder:"):
                value = f"folder:{Path(value.removeprefix('folder:')).expanduser().absolute()}"
        change_setting(name, None if unset else value)
    shown = {each: setting(each) for each in ([name] if name else SETTINGS)}
    if as_json:
        screen.say_json({**shown, "file": str(settings_file()), "models": str(models())})
        return
    screen.table(
        ("SETTING", "VALUE", "ABOUT"),
        [(each, found or "–", SETTINGS[each]) for each, found in shown.items()],
    )
    screen.note(f"settings in {settings_file()}, models in {models()}")


def _check(name: str, value: str) -> None:
    """Raise for a value that no command could use."""
    if name == "hub":
        from hubtl.sources import open_hub

        open_hub(value)
    elif name == "domain":
        from hubtl.registry.catalog import catalogue

        catalogue().check_domain(value)
    elif name == "organisation":
        from hubtl.registry.cache import check_id

        check_id(f"{value}/name")
    elif name == "catalog":
        from hubtl.registry.catalog import read_catalogue

        read_catalogue(Path(value).expanduser())
