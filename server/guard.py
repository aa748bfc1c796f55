"""What stands around every request: rates, slow readers, counts, and who changed what."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from functools import partial
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from prometheus_client import Counter, Histogram
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import Caller
from .fetching import Fetching
from .hub import TeamHub
from .logs import REQUEST, Audit, access, address_of
from .problem import Problem, WrongToken
from .upkeep import Upkeep
from .zero_copy import EXTENSION

REQUEST_IDS = (b"x-request-id", b"x-amzn-trace-id")
DECENT = re.compile(r"[\w=;:.-]{1,100}", re.ASCII)


class Guard:
    """The limits, counts and logs of one hub."""

    def __init__(self, hub: TeamHub, fetching: Fetching | None = None) -> None:
        self.hub = hub
        self._fetching = fetching
        self.upkeep = Upkeep(hub)
        labels = ("method", "status")
        self._requests = Counter("hubtl_requests", "Answers.", labels, registry=hub.registry)
        self._seconds = Histogram(
            "hubtl_request_seconds", "From request to last byte.", registry=hub.registry
        )
        self._sent = Counter("hubtl_sent_bytes", "Bytes sent.", registry=hub.registry)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerMinute(hub.policy.requests_a_minute)
        self._failures = RateLimitItemPerMinute(hub.policy.failures_a_minute)
        self._audit = Audit(hub)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Do the hub's own work in the background while it serves."""
        async with self.upkeep.running():
            try:
                yield
            finally:
                if self._fetching:
                    self._fetching.close()

    def counted(self, error: Exception, request: Request) -> Exception:
        """Return what to answer to an error: after too many wrong tokens, that it is too many."""
        wrong = isinstance(error, WrongToken)
        if wrong and not self._limiter.hit(self._failures, "failures", address_of(request.scope)):
            return Problem(429, "Too many wrong tokens", headers={"Retry-After": "60"})
        return error

    def admit(self, caller: Caller, request: Request) -> None:
        """Raise Problem 429 where a caller asks more often than the hub allows."""
        if request.scope["path"].startswith("/cas/") and request.method == "GET":
            return  # one for each small file, which is all of one upload
        who = caller.name or address_of(request.scope)
        if not self._limiter.hit(self._rate, "requests", who):
            left = self._limiter.get_window_stats(self._rate, "requests", who)
            wait = max(1, round(left.reset_time - time.time()))
            headers = {"Retry-After": str(wait), "ratelimit": f'"api";r=0;t={wait}'}
            raise Problem(429, "We had to rate limit you", headers=headers)

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Return the application with this guard around it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await inner(scope, receive, send)
                return
            patience, audited = self.hub.policy.slow_body, partial(self._audited, scope)
            watched = Watched(patience, send, _request_id(scope), at_end=audited)
            REQUEST.set(watched.request_id)
            try:
                await inner(scope, receive, watched)
            finally:
                watched.end()
                self._count(scope, watched)

        return guarded

    def _count(self, scope: Scope, watched: Watched) -> None:
        took = time.perf_counter() - watched.began
        self._requests.labels(scope["method"], str(watched.status)).inc()
        self._seconds.observe(took)
        self._sent.inc(watched.sent)
        access(scope, watched.status, took, watched.sent)

    def _audited(self, scope: Scope, watched: Watched) -> None:
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") or watched.status in (401, 403, 429):
            took = time.perf_counter() - watched.began
            self._audit.write(scope, watched.status, took)


class Watched:
    """Sends a response on; a reader that takes nothing for too long is left.

    `at_end` is called once, before a response's last byte is sent: what a client has been told
    that it did is in the audit log.
    """

    def __init__(
        self, patience: float, send: Send, request_id: str, at_end: Callable[[Watched], None]
    ) -> None:
        self.began = time.perf_counter()
        self.status = 499  # where nothing was ever sent: the client had gone
        self.sent = 0
        self.request_id = request_id
        self._patience, self._send = patience, send
        self._at_end, self._ended = at_end, False

    def end(self) -> None:
        """Do what is to be done at the end, if it is not yet done."""
        if not self._ended:
            self._ended = True
            self._at_end(self)

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif not message.get("more_body", False):
            self.end()
        if message["type"] == EXTENSION:  # whoever sends it has the same patience with each byte
            await self._send(message)
            self.sent += message["count"]
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except TimeoutError as error:
            raise ConnectionAbortedError("the client reads too slowly") from error
        self.sent += len(message.get("body", b""))

    def _start(self, message: MutableMapping[str, Any]) -> None:
        self.status = message["status"]
        headers = message["headers"]
        told = any(name == b"cache-control" for name, _ in headers)
        message["headers"] = [
            *headers,
            # What one may see, another may not: a proxy between must not keep it for all.
            *([] if told else [(b"cache-control", b"private")]),
            (b"x-request-id", self.request_id.encode()),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]


def _request_id(scope: Scope) -> str:
    """Return the name a client gave its request, if it is a decent one, else a new one."""
    headers = {name: value for name, value in scope["headers"] if name in REQUEST_IDS}
    for name in REQUEST_IDS:
        text = str(headers.get(name, b""), "latin-1")
        if DECENT.fullmatch(text):
            return text
    return secrets.token_hex(8)
