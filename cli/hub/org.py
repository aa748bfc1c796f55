"""`hubtl hub org`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubtl.registry.errors import BadOption

from .. import screen
from ..options import Json, bytes_of
from .command import Command
from .opening import Store, opened, remove_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the organisation is called.")]
Member = Annotated[
    list[str] | None,
    typer.Option(
        "--member",
        metavar="USER:ROLE",
        help="A member; the role is read, contribute, write or admin. Repeatable.",
    ),
]


def add(
    name: Name,
    fullname: Annotated[str, typer.Option(metavar="TEXT", help="What people read.")] = "",
    members: Member = None,
    private: Annotated[
        bool, typer.Option("--private", help="Its new repositories are private by default.")
    ] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Add an organisation, or more members to one that is there."""
    with opened(store, new=True) as hub:
        from hubtl.server.accounts import add_account, find

        with hub.database.writing() as db:
            there = find(db, name)
            if there is None or there.kind != "org" or not members:
                add_account(db, name, "org", fullname, private=private)
            shown = _join(db, name, members or [])
    _say(shown, as_json)


def member(
    org: Annotated[str, typer.Argument(metavar="ORG", help="An organisation.")],
    members: Annotated[
        list[str], typer.Argument(metavar="USER:ROLE...", help="read, contribute, write, admin.")
    ],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Give users a role in an organisation, in place of one they had; `USER:none` takes it away."""
    with opened(store) as hub, hub.database.writing() as db:
        shown = _join(db, org, members)
    _say(shown, as_json)


def quota(
    name: Name,
    most: Annotated[
        str | None,
        typer.Argument(metavar="[SIZE|none]", help="Such as 50GB; `none` takes a limit away."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Limit what an organisation may keep, and say what it keeps; without a size only say it."""
    limit = None if most in (None, "none") else bytes_of(str(most), "hubtl hub org quota acme 50GB")
    with opened(store) as hub, hub.database.writing() as db:
        from hubtl.server.accounts import the_account
        from hubtl.server.quotas import quota_of, set_quota, used

        account = the_account(db, name, "org")
        if most is not None:
            set_quota(db, account.id, limit)
        now, kept = quota_of(db, account.id), used(db, account.id)
    if as_json:
        screen.say_json({"name": account.name, "quota": now, "bytes": kept})
        return
    of = "no limit" if now is None else f"at most {screen.size(now)}"
    screen.say(f"{account.name} keeps {screen.size(kept)}, {of}")


def remove(name: Name, store: Store = None, as_json: Json = False) -> None:
    """Remove an organisation, once it owns no repositories."""
    remove_account(store, name, "org", as_json)


def _join(db: Connection, org: str, named: list[str]) -> dict[str, Any]:
    from hubtl.server.accounts import members_of, remove_member, set_member, the_account

    account = the_account(db, org, "org")
    for each in named:
        user, colon, role = each.partition(":")
        if not colon:
            raise BadOption(f"`{each}` is not USER:ROLE", f"such as {each or 'ana'}:write")
        if role == "none":
            remove_member(db, account.id, the_account(db, user, "user").id)
        else:
            set_member(db, account.name, user, role)
    listed = [{"name": row["name"], "role": row["role"]} for row in members_of(db, account.id)]
    return {"name": account.name, "fullname": account.fullname, "kind": "org", "members": listed}


def _say(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        screen.say_json(shown)
        return
    people = ", ".join(f"{each['name']} ({each['role']})" for each in shown["members"])
    screen.say(f"{shown['name']}: {people or 'nobody yet'}")


COMMANDS = {
    "add": Command(
        add,
        (
            "hubtl hub org add acme --fullname 'Acme Ltd' --member ana:admin",
            "hubtl hub org add acme --member ben:write",
        ),
    ),
    "member": Command(
        member, ("hubtl hub org member acme ben:admin", "hubtl hub org member acme ben:none")
    ),
    "quota": Command(quota, ("hubtl hub org quota acme 50GB", "hubtl hub org quota acme")),
    "remove": Command(remove, ("hubtl hub org remove acme",)),
}
