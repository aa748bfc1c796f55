"""`hubtl hub`: looking after a team hub's store, a file a noun, also while the hub serves."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from .command import Command

ABOUT: Mapping[str, str] = {
    "hub": "Look after a team hub: who is on it, what is in it, and whether all is well.",
    "hub user": "People who use the hub.",
    "hub org": "Organisations and who is in them.",
    "hub token": "Tokens that people log in with.",
}
NOUNS = ("user", "org", "token")
VERBS = ("repository", "importing", "store")


def commands() -> dict[str, Command]:
    """Return the commands by what is typed, such as `hub user add`, in the order of help."""
    files = {name: importlib.import_module(f"{__name__}.{name}") for name in (*NOUNS, *VERBS)}
    return {
        f"hub {name} {verb}" if name in NOUNS else f"hub {verb}": command
        for name, module in files.items()
        for verb, command in module.COMMANDS.items()
    }
