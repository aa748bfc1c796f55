"""The process: a socket, a server around the application, and a stop that lets requests end."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.responses import JSONResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..registry.errors import BadOption, Unwritable
from .application import application
from .hub import Policy, TeamHub
from .logs import Form, write_logs
from .store_lock import working_on
from .zero_copy import offer_zero_copy

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LARGEST_HEADERS = 64 << 10  # the client sends some hundred bytes; a signed address has 1 or 2 kB
CONNECTIONS = 1000
KEEP_ALIVE = 15  # seconds; a client that uploads many files thinks between two of them
OPEN_FILES = 6 * CONNECTIONS  # a download has four


def serve(
    hub: TeamHub, host: str, port: int, ready: Callable[[str], None], logs: Form = "text"
) -> int | None:
    """Serve a hub until a signal says stop, and return that signal.

    `ready` is given the address once requests are answered; port 0 takes any that is free.
    Raises Unwritable or BadOption where the address can't be had.
    """
    write_logs(logs)
    _allow_many_files()
    with listening(host, port) as opened, working_on(hub):
        server = Server(hub, lambda: ready(address(opened)))
        server.run(sockets=[opened])
    return server.stopped_by


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; raises Unwritable or BadOption."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        return socket.create_server(place, family=family)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise BadOption(
                f"`{host}` is no address of this machine", "such as --host 0.0.0.0"
            ) from error
        taken = error.errno == errno.EADDRINUSE
        raise Unwritable(
            f"{host} port {port} can't be used: {os.strerror(error.errno or 0)}",
            "is a hub running there? --port 0 takes any port that is free"
            if taken
            else "choose another: --port 8000",
        ) from error


def address(opened: socket.socket) -> str:
    """Return the URL of a socket as a client on this machine reaches it."""
    host, port = opened.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


class Server(uvicorn.Server):
    """Uvicorn around one hub; a signal stops it, a second one without waiting."""

    def __init__(self, hub: TeamHub, ready: Callable[[], None] | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                application(hub),
                loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
                http=_protocol(hub.policy),
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",  # what strangers send amiss is not worth a line each
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=list(hub.policy.proxies),
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=hub.policy.finish,
            )
        )
        self.stopped_by: int | None = None
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started and self._ready:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop as soon as what runs is done; told twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self.stopped_by = sig


def _protocol(policy: Policy) -> type[asyncio.Protocol]:
    return type("Protocol", (PatientProtocol,), {"policy": policy})


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with an end to the time and the bytes that headers may take."""

    policy: Policy

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._between = True  # requests: the headers of the next are not all in
        self._unused = 0  # bytes that have made neither a request's headers nor a part of its body
        self._due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection its time."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was expected."""
        self._expect_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; too many that lead to nothing end the connection."""
        self._unused += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unused > LARGEST_HEADERS:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        elif self._between and self._unused and self._due is None:
            self._expect()

    def on_message_begin(self) -> None:
        """Note that a request begins, also where it came together with the one before."""
        self._unused = max(self._unused, 1)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after a body is nothing that anybody here reads."""
        if self._between:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start a request, or refuse it where its headers are too large."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._between = False
        self._unused = 0
        self._expect_no_more()
        self.app = self.config.loaded_app if size <= LARGEST_HEADERS else _too_large
        super().on_headers_complete()
        offer_zero_copy(self.cycle, self.policy.slow_body)  # its task has not begun yet

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request is in."""
        self._between = True
        self._unused = 0
        self._expect_no_more()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give a client that was refused while it sent a body the time to end it, and no more."""
        super().on_response_complete()
        if not self._between and not self.transport.is_closing():
            self._expect()

    def _expect(self) -> None:
        self._expect_no_more()
        self._due = self.loop.call_later(self.policy.slow_headers, self._too_slow)

    def _expect_no_more(self) -> None:
        if self._due:
            self._due.cancel()
        self._due = None

    def _too_slow(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self._expect()  # an answer is under way that began before these headers did
        else:
            self.transport.close()


_too_large = JSONResponse(
    {"error": f"The headers are larger than the {LARGEST_HEADERS} bytes allowed here"},
    431,
    {"Connection": "close"},
)
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


def _allow_many_files() -> None:
    """Raise this process's limit of open files where the system lets it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
