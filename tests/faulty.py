"""A hub that fails when it is told to: a real server, and a forwarder before it.

with faulty_hub(tmp_path) as hub:
    hub.fault = at(7, LOSE)     what becomes of the seventh request
    hub.url, hub.requests       where it answers, and all that it was sent
"""

from __future__ import annotations

import contextlib
import random
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import HfApi

from .faults import serving
from .serving import TOKENS, TeamHubServer

# What may become of a request: it never gets there; it is done and its answer is lost; it gets
# there and the server is killed (kill -9) over it, and started again at once.
Fate = Literal["cut", "lose", "kill"]
CUT: Fate = "cut"
LOSE: Fate = "lose"
KILL: Fate = "kill"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: its number, what it asks, and its bytes on the wire."""

    number: int
    line: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that a hub gives where it does not do what it is asked."""

    status: int
    headers: tuple[str, ...] = ()


Fault = Callable[[Request], Fate | Refusal | None]


def at(number: int, fate: Fate | Refusal) -> Fault:
    """Return the fault of one request."""
    return lambda request: fate if request.number == number else None


def since(number: int, fate: Fate | Refusal) -> Fault:
    """Return the fault of a request and all after it."""
    return lambda request: fate if request.number >= number else None


def never(request: Request) -> None:
    """Let everything through."""


class FaultyHub(socketserver.ThreadingTCPServer):
    """Forwards each request to a `hubtl serve` of its own, but for those that a fault befalls."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, store: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.fault: Fault = never
        self.requests: list[Request] = []
        self.dice = random.Random(0)
        self._store = store
        self._turn = threading.RLock()
        self._life = contextlib.ExitStack()
        self._start()

    def _start(self) -> None:
        self._process, self.behind = self._life.enter_context(serving(self._store))

    def kill(self, after: float) -> None:
        """Kill the server in so many seconds, and start it again."""
        with self._turn:
            threading.Event().wait(after)
            self._process.kill()
            self._process.wait()
            self._start()

    def listen(self) -> None:
        """Forget what was asked so far, and let everything through."""
        self.fault, self.requests = never, []

    def api(self, user: str) -> HfApi:
        """Return the Hub's own client, past the forwarder."""
        return HfApi(endpoint=self.behind, token=TOKENS[user])

    @property
    def sent(self) -> int:
        """The bytes of all requests, as they were on the wire."""
        return sum(each.size for each in self.requests)

    def note(self, head: bytes, body: bytes) -> Request:
        """Keep a request, and return it with its number; the first is 1."""
        line = head.partition(b"\r\n")[0].decode("latin-1").removesuffix(" HTTP/1.1")
        with self._turn:
            request = Request(len(self.requests) + 1, line, len(head) + len(body), body)
            self.requests.append(request)
        return request

    def upstream(self) -> socket.socket:
        """Return a connection to the server, once it is there."""
        with self._turn:
            host, port = self.behind.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def close(self) -> None:
        """Stop both."""
        self.shutdown()
        self.server_close()
        self._life.close()


class _Connection(socketserver.StreamRequestHandler):
    """One request a connection, so that each can meet a fate of its own."""

    server: FaultyHub

    def handle(self) -> None:
        """Read a request whole, then let happen to it what is to happen."""
        head = b"".join(iter(self.rfile.readline, b"\r\n")) + b"\r\n"
        if head == b"\r\n":
            return
        body = b"".join(_body(self.rfile, head))
        request = self.server.note(head, body)
        fate = self.server.fault(request)
        if fate == CUT:
            return
        if isinstance(fate, Refusal):
            self.refuse(fate)
            return
        # Of a server that is killed over another's request, this one sees an end too.
        with contextlib.suppress(ConnectionError), self.server.upstream() as upstream:
            upstream.sendall(_closing(head) + body)
            if fate == KILL:
                self.server.kill(after=self.server.dice.uniform(0, 0.03))
            while fate != KILL and (part := upstream.recv(1 << 16)):
                if fate is None:
                    self.wfile.write(part)

    def refuse(self, refusal: Refusal) -> None:
        """Answer in the server's place."""
        status = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"
        lines = (status, *refusal.headers, "Content-Length: 0", "Connection: close", "", "")
        self.wfile.write("\r\n".join(lines).encode())


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def _body(file: Any, head: bytes) -> Iterator[bytes]:
    """Give a request's body as it is on the wire."""
    fields = _fields(head)
    if "chunked" in fields.get("transfer-encoding", ""):
        size = 1
        while size:
            line = file.readline()
            size = int(line.split(b";")[0], 16)
            yield line + file.read(size + 2)
    yield file.read(int(fields.get("content-length", 0)))


def _closing(head: bytes) -> bytes:
    """Return a request's head that asks the server to close the connection after it."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])


@contextlib.contextmanager
def faulty_hub(tmp_path: Path) -> Iterator[FaultyHub]:
    """Give a hub with the users of tests/serving.py, behind a forwarder that lets all through."""
    store = tmp_path / "faulty-hub"
    TeamHubServer(store).hub.close()
    hub = FaultyHub(store)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.close()
