"""`hubtl recipes`."""

from __future__ import annotations

from typing import Annotated

import typer

from . import screen
from .options import Json

EXAMPLES = ("hubtl recipes", "hubtl recipes lora")


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One, with its options.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the recipes, or show one with the options that `adapt --set KEY=VALUE` changes."""
    from hubtl.plugins.manager import plugins

    offered = plugins()
    shown = [offered.recipe(name)] if name else list(offered.recipes.values())
    shown = [each.over(offered.method(each.method).options) for each in shown]
    if as_json:
        keys = ("name", "method", "about", "options")
        screen.say_json({"recipes": [{key: getattr(each, key) for key in keys} for each in shown]})
        return
    if not name:
        screen.table(("RECIPE", "METHOD", "ABOUT"), [(r.name, r.method, r.about) for r in shown])
        return
    recipe = shown[0]
    screen.say(f"{recipe.name}: {recipe.about}\n")
    means = getattr(offered.method(recipe.method), "about", {})  # a plugin may be of before
    rows = [(key, str(value), means.get(key, "")) for key, value in recipe.options.items()]
    screen.table(("OPTION", "VALUE", "WHAT IT MEANS"), rows)
    screen.note(f"\nchange one: hubtl adapt TASK DATA --recipe {recipe.name} --set OPTION=VALUE")
