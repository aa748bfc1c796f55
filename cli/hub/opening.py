"""The option that names a store, and opening it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from hubtl.registry.errors import BadOption, UnknownName, Unreachable
from hubtl.registry.places import home

from .. import screen

if TYPE_CHECKING:
    from hubtl.server.hub import Policy, TeamHub

KINDS = {"user": "user", "org": "organisation"}
Store = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="DIR|s3://…", help="Where the hub is; `team-hub` in hubtl's home."
    ),
]


def store_folder(store: str | None) -> Path:
    """Return the folder that `--store` means: of a bucket, one for what else a hub has."""
    bucket = bucket_of(store)
    if bucket:
        name = quote(bucket.removeprefix("s3://").strip("/"), safe="").replace("%", "=")
        return home() / "team-hubs" / name
    return Path(store or home() / "team-hub").expanduser().absolute()


def bucket_of(store: str | None) -> str | None:
    """Return the bucket that `--store` means, None where it is a folder; raises BadOption."""
    if store and re.match(r"\w\w+:", store) and not store.startswith("s3://"):
        kind = store.partition(":")[0]
        raise BadOption(f"--store can't be a `{kind}:`", "--store DIR, or s3://BUCKET/PREFIX")
    return store if store and store.startswith("s3://") else None


@contextlib.contextmanager
def opened(
    store: str | None,
    *,
    new: bool = False,
    policy: Policy | None = None,
    database: str | None = None,
) -> Iterator[TeamHub]:
    """Give the hub in a folder; unless it may be `new`, raises UnknownName where there is none."""
    folder = store_folder(store)
    if not new and not (folder / "secret").is_file():
        raise UnknownName(
            f"there is no team hub in `{store or folder}`",
            "--store DIR, or `hubtl serve` makes one",
        )
    with server_needed():
        from hubtl.server.hub import open_hub
    hub = open_hub(folder, policy, database, bucket_of(store))
    try:
        with hub.database.telling():
            yield hub
    finally:
        hub.close()


def remove_account(store: str | None, name: str, kind: str, as_json: bool) -> None:
    """Remove a user or an organisation, and say so."""
    with opened(store) as hub:
        from hubtl.server import accounts

        with hub.database.writing() as db:
            removed = accounts.remove_account(db, name, kind)
    if as_json:
        screen.say_json({"removed": removed})
    else:
        screen.say(f"removed {KINDS[kind]} {removed}")


@contextlib.contextmanager
def server_needed() -> Iterator[None]:
    """Say what to install where a package of the server is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hubtl"):
            raise
        raise Unreachable(
            f"the team hub needs the package `{error.name}`, which is not installed",
            "pip install 'hubtl[server]'",
        ) from error
