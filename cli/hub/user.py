"""`hubtl hub user`."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import screen
from ..options import Json
from .command import Command
from .opening import Store, opened, remove_account

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the user is called.")]


def add(
    name: Name,
    fullname: Annotated[str, typer.Option(metavar="TEXT", help="What people read.")] = "",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Add a user, who then needs a token to log in."""
    with opened(store, new=True) as hub:
        from hubtl.server.accounts import add_account

        with hub.database.writing() as db:
            add_account(db, name, "user", fullname)
    if as_json:
        screen.say_json({"name": name, "fullname": fullname or name, "kind": "user"})
        return
    screen.say(f"added user {name}")
    screen.note(f"a token for them: hubtl hub token add {name}")


def remove(name: Name, store: Store = None, as_json: Json = False) -> None:
    """Remove a user with their tokens, once they own no repositories."""
    remove_account(store, name, "user", as_json)


COMMANDS = {
    "add": Command(add, ("hubtl hub user add ana --fullname 'Ana Novak'",)),
    "remove": Command(remove, ("hubtl hub user remove ana",)),
}
