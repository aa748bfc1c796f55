"""`hubtl plugins`."""

from __future__ import annotations

from . import screen
from .options import Json

EXAMPLES = ("hubtl plugins", "HUBTL_PLUGINS= hubtl plugins")


def command(as_json: Json = False) -> None:
    """List the plugins that were loaded, and what they offer.

    HUBTL_PLUGINS=NAME,NAME limits them, and HUBTL_PLUGINS=FILE.py tries one that isn't installed.
    """
    from hubtl.plugins.manager import plugins

    offered = plugins()
    nouns = {
        "hubs": list(offered.hubs),
        "tasks": list(offered.tasks),
        "methods": list(offered.methods),
        "recipes": list(offered.recipes),
        "scorers": list(offered.scorers),
        "demos": list(offered.demos),
        "exports": list(offered.exports),
    }
    if as_json:
        keys = ("name", "version", "hooks", "broken")
        loaded = [{key: getattr(each, key) for key in keys} for each in offered.loaded]
        screen.say_json({"plugins": loaded, **nouns})
        return
    screen.table(
        ("PLUGIN", "VERSION", "HOOKS"),
        [
            (p.name, p.version, f"not loaded: {p.broken}" if p.broken else ", ".join(p.hooks))
            for p in offered.loaded
        ],
    )
    screen.say()
    screen.table(
        ("OFFERED", ""), [(noun, ", ".join(names) or "–") for noun, names in nouns.items()]
    )
