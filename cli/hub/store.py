"""`hubtl hub check`, `collect`, `backup`, `restore`: the store as a whole."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from hubtl.registry.errors import BadOption

from .. import screen
from ..options import Json, age_of
from .command import Command
from .opening import Store, bucket_of, opened, server_needed, store_folder


def check(store: Store = None, as_json: Json = False) -> None:
    """Check every byte, tree and reference of a hub; exit 1 where anything is wrong."""
    with opened(store) as hub, screen.progress() as progress:
        from hubtl.server import checking

        report = checking.check(hub, progress)
    if as_json:
        screen.say_json(report.as_json())
    else:
        for problem in report.problems:
            screen.say(problem)
        screen.say(
            f"{len(report.problems) or 'no'} problems; {report.commits} commits and "
            f"{report.objects} contents of {screen.size(report.bytes)} checked"
        )
    if report.problems:
        raise typer.Exit(1)


def collect(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Leave alone what is younger: 30m, 12h, 1d.")
    ] = "1d",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Remove contents that no repository refers to any more."""
    age = age_of(older_than, "--older-than 12h")
    with opened(store) as hub:
        count, size = hub.objects.collect(hub.database, time.time() - age)
    if as_json:
        screen.say_json({"objects": count, "bytes": size})
    else:
        screen.say(f"collected {count} contents of {screen.size(size)}")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="A new file.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write the whole hub into one tar, also while it serves; it holds the hub's secret."""
    with opened(store) as hub, screen.progress() as progress:
        from hubtl.server.backup import back_up

        kept = back_up(hub, file, progress)
    if as_json:
        screen.say_json({"file": str(file), "objects": kept.objects, "bytes": kept.bytes})
    else:
        screen.say(f"backed up {kept.objects} contents of {screen.size(kept.bytes)} to {file}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="What `backup` wrote.")],
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="A new one of PostgreSQL, to be its own.")
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Make a hub of a backup in a new folder; every byte is checked before it is there."""
    if bucket_of(store):
        raise BadOption("a backup is restored to a folder, not to a bucket", "--store DIR")
    folder = store_folder(store)
    with server_needed():
        from hubtl.server import backup as backups
    with screen.progress() as progress:
        kept = backups.restore(file, folder, progress, database)
    if as_json:
        screen.say_json({"store": str(folder), "objects": kept.objects, "bytes": kept.bytes})
    else:
        screen.say(f"restored {kept.objects} contents of {screen.size(kept.bytes)} to {folder}")


COMMANDS = {
    "check": Command(check, ("hubtl hub check", "hubtl hub check --store /srv/team-hub --json")),
    "collect": Command(collect, ("hubtl hub collect", "hubtl hub collect --older-than 12h")),
    "backup": Command(backup, ("hubtl hub backup monday.tar",)),
    "restore": Command(
        restore,
        (
            "hubtl hub restore monday.tar --store /srv/team-hub-2",
            "hubtl hub restore monday.tar --store /srv/new --database postgresql://hub@/team_hub",
        ),
    ),
}
