"""`hubtl hub list` and `hubtl hub remove`: what is on a hub."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hubtl.registry.errors import BadOption, unknown

from .. import screen
from ..options import Json
from .command import Command
from .opening import Store, opened

KINDS = ("model", "dataset", "space", "kernel")


def list_all(store: Store = None, as_json: Json = False) -> None:
    """List the accounts and the repositories of a hub, with the bytes that each refers to."""
    with opened(store) as hub:
        from hubtl.server.inventory import accounts_listed, repositories_listed

        with hub.database.reading() as db:
            people, listed = accounts_listed(db), repositories_listed(db)
    if as_json:
        screen.say_json({"accounts": people, "repositories": listed})
        return
    screen.table(("ACCOUNT", "KIND", "NAME", "MEMBERS"), [_account(each) for each in people])
    screen.say()
    titles = ("REPOSITORY", "KIND", "SEEN BY", "FILES", "SIZE", "HEAD")
    screen.table(titles, [_repository(each) for each in listed], numbers=("FILES", "SIZE"))


def _account(each: dict[str, Any]) -> tuple[str, ...]:
    people = ", ".join(f"{one['name']} ({one['role']})" for one in each["members"])
    return each["name"], each["kind"], each["fullname"], people


def _repository(each: dict[str, Any]) -> tuple[str, ...]:
    mirror = bool(each["upstream"])
    seen = ("users" if mirror else "members") if each["private"] else "all"
    head, kind = (each["head"] or "–")[:10], f"{each['kind']}, mirrored" if mirror else each["kind"]
    return each["id"], kind, seen, str(each["files"]), screen.size(each["bytes"]), head


def remove(
    repository: Annotated[
        str, typer.Argument(metavar="ID", help="ORG/NAME of a model, or datasets/ORG/NAME.")
    ],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Remove a repository with its history; `collect` frees its bytes a day later."""
    kind, owner, name = _parts(repository)
    with opened(store) as hub:
        from hubtl.server.inventory import repositories_listed
        from hubtl.server.repos import delete_repo, find_repo

        with hub.database.writing() as db:
            found, moved = find_repo(db, kind, owner, name)
            if found is None or moved:
                ids = [each["id"] for each in repositories_listed(db) if each["kind"] == kind]
                raise unknown(f"{kind} on this hub", f"{owner}/{name}", ids, "see `hubtl hub list`")
            delete_repo(db, found)
    if as_json:
        screen.say_json({"removed": found.id_, "kind": kind})
    else:
        screen.say(f"removed {kind} {found.id_}")


def _parts(text: str) -> tuple[str, str, str]:
    """Return the kind, the owner and the name that an address stands for; raises BadOption."""
    parts = text.split("/")
    plurals = {f"{kind}s": kind for kind in KINDS}
    kind = plurals.get(parts[0]) if len(parts) == 3 else "model"
    if kind is None or len(parts) not in (2, 3) or not all(parts):
        raise BadOption(f"`{text}` is no repository", "such as acme/moods or datasets/acme/moods")
    return kind, parts[-2], parts[-1]


COMMANDS = {
    "list": Command(list_all, ("hubtl hub list", "hubtl hub list --store /srv/team-hub")),
    "remove": Command(
        remove, ("hubtl hub remove acme/moods", "hubtl hub remove datasets/acme/moods")
    ),
}
