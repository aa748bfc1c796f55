"""`hubtl serve`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubtl.registry.errors import BadOption

from . import screen
from .hub.opening import Store, opened, server_needed
from .hub.upstream import Age, TokenFile, Url, upstream_at
from .options import Json, age_of

if TYPE_CHECKING:
    from hubtl.server.hub import Policy, TeamHub
    from hubtl.server.logs import Form

EXAMPLES = (
    "hubtl serve --demo",
    "hubtl serve --store /srv/team-hub --no-anonymous --pickles refuse",
    "hubtl serve --host 0.0.0.0 --port 8080 --store /srv/team-hub",
    "hubtl serve --store s3://team-hub/contents",
    "hubtl serve --store /srv/team-hub --upstream https://huggingface.co",
    "hubtl serve --store /srv/team-hub --database postgresql://team_hub@db.acme.org/team_hub",
)
TOKEN_FILE = "demo-token"


def command(
    store: Store = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A database of PostgreSQL, in place of the store's own; the store remembers it.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 opens it to other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    demo: Annotated[
        bool, typer.Option("--demo", help="A throw-away hub with models, a user and a token.")
    ] = False,
    pickles: Annotated[
        str, typer.Option(metavar="flag|refuse", help="What to do with files that can run code.")
    ] = "flag",
    no_anonymous: Annotated[
        bool, typer.Option("--no-anonymous", help="Show nothing to anybody without a token.")
    ] = False,
    webhook_host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host in your network to be called. Repeatable."),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A proxy on another machine. Repeatable."),
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Requests a minute that one may send.")] = 6000,
    finish: Annotated[
        str, typer.Option(metavar="AGE", help="Time for running requests once it is told to stop.")
    ] = "10s",
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="AGE", help="Remove what no commit refers to and nobody used for so long."
        ),
    ] = None,
    logs: Annotated[
        str, typer.Option(metavar="text|json", help="json: a line of JSON each, requests too.")
    ] = "text",
    upstream: Url = None,
    upstream_token_file: TokenFile = None,
    upstream_age: Age = "5m",
    as_json: Json = False,
) -> None:
    """Serve a team hub: the Hub's own clients use it by HF_ENDPOINT."""
    with server_needed():
        from hubtl.server.hub import Policy
        from hubtl.server.serving import LOOPBACK, serve
    if pickles not in ("flag", "refuse"):
        raise BadOption(f"--pickles can't be `{pickles}`", "flag or refuse")
    if logs not in ("text", "json"):
        raise BadOption(f"--logs can't be `{logs}`", "text or json")
    policy = Policy(
        anonymous=not no_anonymous,
        pickles="refuse" if pickles == "refuse" else "flag",
        requests_a_minute=rate,
        proxies=(*Policy().proxies, *(proxy or ())),
        webhook_hosts=tuple(webhook_host or ()),
        finish=age_of(finish, "--finish 30s"),
        retention=age_of(retention, "--retention 7d") if retention else None,
        upstream_age=age_of(upstream_age, "--upstream-age 5m"),
    )
    if host not in LOOPBACK:
        screen.note(
            f"warning: {host} is open to other machines, and tokens cross the network as they "
            "are: put a proxy with TLS in front"
        )
    other = upstream_at(upstream, upstream_token_file)
    with _hub(store, database, policy, demo) as (hub, token):
        hub.upstream = other
        form: Form = "json" if logs == "json" else "text"
        stopped_by = serve(hub, host, port, _ready(hub, token, as_json), form)
    if stopped_by == signal.SIGINT:
        raise KeyboardInterrupt


def _ready(hub: TeamHub, token: str | None, as_json: bool) -> Callable[[str], None]:
    def ready(address: str) -> None:
        if as_json:
            shown: dict[str, Any] = {"address": address, "store": str(hub.folder)}
            file = str(hub.folder / TOKEN_FILE) if token else None
            shown |= {"anonymous": hub.policy.anonymous, "demo_token": file}
            screen.say_json({**shown, "upstream": hub.upstream and hub.upstream.address})
        else:
            screen.say(f"serving {hub.folder} at {address}")
        sys.stdout.flush()
        if token:
            screen.note(f"export HF_ENDPOINT={address}\nexport HF_TOKEN={token}")

    return ready


@contextlib.contextmanager
def _hub(
    store: str | None, database: str | None, policy: Policy, demo: bool
) -> Iterator[tuple[TeamHub, str | None]]:
    """Give the hub to serve, and the demo's token; a demo without --store is gone at the end."""
    with contextlib.ExitStack() as held:
        if demo and store is None:
            room = held.enter_context(tempfile.TemporaryDirectory(prefix="hubtl-demo-"))
            store = str(Path(room, "team-hub"))
        hub = held.enter_context(opened(store, new=True, policy=policy, database=database))
        yield hub, _furnish(hub) if demo else None


def _furnish(hub: TeamHub) -> str:
    """Import the starter models, add the user `demo` of `acme`, and return their token."""
    from hubtl.server.accounts import add_account, add_token, find, set_member
    from hubtl.server.store_lock import working_on

    from .hub.importing import Bringing

    with screen.progress() as progress, working_on(hub):
        for _ in Bringing(hub, None, False, progress).starter():
            pass
    file = hub.folder / TOKEN_FILE
    with hub.database.writing() as db:
        for name, kind in (("demo", "user"), ("acme", "org")):
            if find(db, name) is None:
                add_account(db, name, kind)
        set_member(db, "acme", "demo", "admin")
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
        token = add_token(db, hub.secret, "demo")
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(f"{token}\n")
    return token
