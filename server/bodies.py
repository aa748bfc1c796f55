"""What a request brings, read within limits: small things whole, large ones into a file."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request

from .contents import Received
from .hub import TeamHub
from .objects import Incoming
from .problem import Problem
from .routing import Call, Route

PART = 1 << 20
CLOSE = {"Connection": "close"}


class Body:
    """Read what a request brings, within its limits; a received file is gone at the end."""

    def __init__(self, hub: TeamHub, route: Route, request: Request, call: Call) -> None:
        self.hub, self.route, self.request, self.call = hub, route, request, call
        self.incoming: Incoming | None = None

    async def __aenter__(self) -> None:
        if self.route.takes == "nothing":
            return
        if self.route.admission:
            largest = await run_in_threadpool(self.route.admission, self.call)
            self.incoming = Incoming(self.hub.objects.incoming / secrets.token_hex(16))
            try:
                self.call.received = await self._received(self.incoming, largest)
            except BaseException:
                self.incoming.drop()
                raise
            return
        content = await self._whole()
        read = _json if self.route.takes == "json" else _form
        self.call.body = await run_in_threadpool(read, content)

    async def __aexit__(self, *_: object) -> None:
        if self.incoming:
            self.incoming.drop()

    def _told_size(self) -> int:
        """Return how long the body is said to be, 0 where it isn't."""
        told = self.request.headers.get("content-length", "0")
        return int(told) if told.isdecimal() else 0

    async def _parts(self, largest: int) -> AsyncIterator[bytes]:
        if self._told_size() > largest:
            raise _too_large(largest)
        got, stream = 0, self.request.stream()
        while True:
            try:
                async with asyncio.timeout(self.hub.policy.slow_body):
                    part = await anext(stream, None)
            except TimeoutError as error:
                raise Problem(408, "The request took too long", headers=CLOSE) from error
            except ClientDisconnect as error:
                raise Problem(400, "The request did not come whole") from error
            if part is None:
                break
            got += len(part)
            if got > largest:
                raise _too_large(largest)
            yield part

    async def _whole(self) -> bytes:
        found = bytearray()
        async for part in self._parts(self.hub.policy.largest_body):
            found += part
        return bytes(found)

    async def _received(self, incoming: Incoming, largest: int) -> Received:
        if self._told_size() <= largest:
            await run_in_threadpool(self.hub.objects.check_room, self._told_size())
        async with Behind(partial(self._write, incoming)) as writer:
            parts, size = list[bytes](), 0
            async for part in self._parts(largest):
                parts.append(part)
                size += len(part)
                if size >= PART:
                    await writer.write(parts)
                    parts, size = [], 0
            await writer.write(parts)
        return await run_in_threadpool(incoming.done)

    def _write(self, incoming: Incoming, parts: Sequence[bytes]) -> None:
        self.hub.objects.check_room(sum(map(len, parts)))  # others fill the disk meanwhile
        incoming.write(*parts)


class Behind:
    """Writes parts in a thread while the next come in; at the end all is written."""

    def __init__(self, write: Callable[[Sequence[bytes]], None]) -> None:
        self._write = write
        self._under_way: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Behind:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._finish()

    async def write(self, parts: Sequence[bytes]) -> None:
        """Write parts once those before are written; raises what went wrong with these."""
        await self._finish()
        self._under_way = asyncio.create_task(run_in_threadpool(self._write, parts))

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.shield(self._under_way)
            self._under_way = None  # not before: who is cancelled waits once more


def _too_large(largest: int) -> Problem:
    # The connection ends with it: what is still to come is not read.
    told = f"The request is larger than the {largest} bytes allowed here"
    return Problem(413, told, headers=CLOSE)


def _json(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode() or "{}"
        read = json.loads(text)
        if "\\u" in text:
            # Half a letter can be said so, and could not be written down or sent to anybody.
            json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not JSON") from error
    if not isinstance(read, dict):
        raise Problem(400, "The body must be a JSON object")
    return read


def _form(content: bytes) -> FormData:
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=5000)
    except ValueError as error:
        raise Problem(400, "The body is no form that can be read") from error
    return FormData([*pairs])
