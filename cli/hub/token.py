"""`hubtl hub token`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from hubtl.registry.errors import BadOption

from .. import screen
from ..options import Json
from .command import Command
from .opening import Store, opened

User = Annotated[str, typer.Argument(metavar="USER", help="Whose token.")]


def add(
    user: User,
    name: Annotated[str, typer.Option(metavar="NAME", help="What to know it by.")] = "",
    value: Annotated[
        str, typer.Option(metavar="V", help="The token itself, where it is made elsewhere.")
    ] = "",
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="read or write; without this, write.")
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="OWNER[/NAME]:RIGHTS",
            help="Reach no further: read, write, discuss, joined by `+`. Repeatable.",
        ),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Print a new token of a user, this once: the hub keeps only a hash of it."""
    if role and scopes:
        raise BadOption("a token with --scope has no --role", "leave --role out")
    with opened(store) as hub:
        from hubtl.server.accounts import add_token, parse_scope

        reach = [parse_scope(each) for each in scopes or ()]
        chosen = "fineGrained" if reach else role or "write"
        if chosen not in ("read", "write", "fineGrained"):
            raise BadOption(f"`{role}` is no role of a token", "one of: read, write")
        name = name or f"token-{time.strftime('%Y-%m-%d-%H%M%S')}"
        with hub.database.writing() as db:
            options = {"name": name, "value": value, "role": chosen}
            token = add_token(db, hub.secret, user, scopes=reach, **options)
    if as_json:
        shown = {"user": user, "name": name, "role": chosen, "scopes": reach, "token": token}
        screen.say_json(shown)
        return
    screen.say(token)
    screen.note(f"`{name}` of {user}: this is shown once")


def list_tokens(user: User, store: Store = None, as_json: Json = False) -> None:
    """List a user's tokens, without their values, which nobody has."""
    with opened(store) as hub:
        from hubtl.server.accounts import the_account, tokens_of

        with hub.database.reading() as db:
            listed = [dict(row) for row in tokens_of(db, the_account(db, user, "user").id)]
    if as_json:
        screen.say_json({"user": user, "tokens": listed})
        return
    rows = [
        (
            each["name"],
            each["role"],
            ", ".join(f"{s['entity']}:{'+'.join(s['permissions'])}" for s in each["scopes"]),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(each["created"])),
        )
        for each in listed
    ]
    screen.table(("NAME", "ROLE", "SCOPES", "MADE"), rows)


def revoke(
    user: User,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which, from `token list`.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Revoke a token at once, also on a hub that serves."""
    with opened(store) as hub:
        from hubtl.server.accounts import revoke_token

        with hub.database.writing() as db:
            revoke_token(db, user, name)
    if as_json:
        screen.say_json({"user": user, "revoked": name})
    else:
        screen.say(f"revoked {name} of {user}")


COMMANDS = {
    "add": Command(
        add,
        (
            "hubtl hub token add ana --name laptop",
            "hubtl hub token add ana --role read",
            "hubtl hub token add ana --scope acme/moods:read+discuss",
        ),
    ),
    "list": Command(list_tokens, ("hubtl hub token list ana",)),
    "revoke": Command(revoke, ("hubtl hub token revoke ana laptop",)),
}
