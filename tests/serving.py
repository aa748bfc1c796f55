"""A team hub that answers on a port of its own, in a thread, with some users who have tokens.

def test_it(team_hub): team_hub.api("ana").create_repo("acme/moods")

with running_hub(tmp_path, anonymous=False) as server: server.ask("GET", "/api/models")
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import HfApi
from sqlalchemy import Connection

from hubtl.server.accounts import add_account, add_token, find, set_member
from hubtl.server.hub import Policy, TeamHub, open_hub
from hubtl.server.serving import Server, address, listening
from hubtl.server.upstream import Upstream

# Who they are in acme; bob is in no organisation, zoe's is another one.
ROLES = {"ana": "write", "cleo": "admin", "dan": "read", "eve": "contribute", "bob": "", "zoe": ""}
TOKENS = {name: f"hf_{name}_0123456789" for name in ROLES}
ANA_READS = "hf_ana_reads_0123456789"


class TeamHubServer:
    """A hub with the organisations acme and zoo, and the users of ROLES, as `with` has it."""

    def __init__(
        self,
        folder: Path,
        upstream: Upstream | None = None,
        database: str | None = None,
        **policy: Any,
    ) -> None:
        self._use(open_hub(folder, Policy(**policy), database))
        self.hub.upstream = upstream

    @classmethod
    def around(cls, hub: TeamHub) -> TeamHubServer:
        """Return a server for a store that is there, with these users too."""
        made = cls.__new__(cls)
        made._use(hub)
        return made

    def _use(self, hub: TeamHub) -> None:
        self.hub = hub
        self.tokens = TOKENS
        self.url = ""
        with hub.database.writing() as db:
            _add_people(db, hub)

    def __enter__(self) -> TeamHubServer:
        """Start to answer."""
        ready = threading.Event()
        self._socket = listening("127.0.0.1", 0)
        self.url = address(self._socket)
        self._server = Server(self.hub, ready.set)
        run = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, daemon=True)
        self._thread.start()
        if not ready.wait(20):
            raise TimeoutError("the hub did not start")
        self._client = httpx2.Client(base_url=self.url, timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let go of everything."""
        self._client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        self.hub.close()

    def ask(self, method: str, path: str, user: str | None = None, **more: Any) -> httpx2.Response:
        """Send one request as a user: `ask("GET", "/api/whoami-v2", "ana")`; None has no token."""
        headers = {"Authorization": f"Bearer {TOKENS.get(user, user)}"} if user else {}
        headers |= more.pop("headers", {})
        return self._client.request(method, path, headers=headers, **more)

    def api(self, user: str | None = None) -> HfApi:
        """Return the Hub's own client, logged in as a user or not at all."""
        return HfApi(endpoint=self.url, token=TOKENS.get(user, user) if user else False)


def _add_people(db: Connection, hub: TeamHub) -> None:
    for org in ("acme", "zoo"):
        if find(db, org) is None:
            add_account(db, org, "org")
    for name, role in ROLES.items():
        if find(db, name) is None:
            add_account(db, name, "user", name.title())
            add_token(db, hub.secret, name, name="laptop", value=TOKENS[name])
            if name == "ana":
                add_token(db, hub.secret, name, name="reader", value=ANA_READS, role="read")
        if role:
            set_member(db, "acme", name, role)
    set_member(db, "zoo", "zoe", "admin")


@contextlib.contextmanager
def running_hub(tmp_path: Path, **policy: Any) -> Iterator[TeamHubServer]:
    """Give a hub in a new folder `team-hub`, with a policy or a database of its own."""
    with TeamHubServer(tmp_path / "team-hub", **policy) as server:
        yield server


@pytest.fixture
def team_hub(tmp_path: Path, database: str | None) -> Iterator[TeamHubServer]:
    """A running hub; a test's file says `team_hub = serving.team_hub` to have it."""
    with running_hub(tmp_path, database=database) as server:
        yield server


def make(server: TeamHubServer, name: str, **more: Any) -> None:
    """Make a repository as ana."""
    owner, _, short = name.partition("/")
    body = {"name": short, "organization": owner, **more}
    assert server.ask("POST", "/api/repos/create", "ana", json=body).status_code == 200


def commit(
    server: TeamHubServer,
    files: Mapping[str, bytes],
    name: str,
    user: str = "ana",
    query: str = "",
    more: Sequence[Any] = (),
) -> httpx2.Response:
    """Commit small files, and other lines, in one raw request; returns the answer."""
    lines = [{"key": "header", "value": {"summary": "try"}}, *more]
    for path, content in files.items():
        said = base64.b64encode(content).decode()
        value = {"path": path, "encoding": "base64", "content": said}
        lines.append({"key": "file", "value": value})
    body = "\n".join(json.dumps(line) for line in lines)
    return server.ask("POST", f"/api/models/{name}/commit/main{query}", user, content=body)
