"""A server that takes the calls of webhooks, and keeps them to be looked at."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest


class Told(NamedTuple):
    """One call of a webhook."""

    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def gist(self) -> tuple[str, str]:
        return self.said["event"]["scope"], self.said["event"]["action"]


class Receiver:
    """A server that takes calls; `answers` are the statuses it gives first, then always 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.told: queue.Queue[Told] = queue.Queue()
        handler = type("BoundHandler", (Handler,), {"receiver": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=k"

    def next(self) -> Told:
        return self.told.get(timeout=10)

    def gists(self, number: int) -> list[tuple[str, str]]:
        return [self.next().gist for _ in range(number)]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.receiver.told.put(Told({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.receiver.answers.pop(0) if self.receiver.answers else 200)
        self.send_header("Location", self.receiver.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
