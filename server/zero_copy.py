"""Files that go from the disk to the socket without passing through this process.

The extension `http.response.zerocopysend` of the ASGI specification, which uvicorn has not: an
application hands over an open file, and the kernel sends it, as it does for nginx. Where the system
or the loop can't do so, the extension is not offered, and whoever asks for it reads and sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Coroutine, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

EXTENSION = "http.response.zerocopysend"
HERE = hasattr(os, "sendfile") and sys.platform != "win32"


def offer_zero_copy(cycle: RequestResponseCycle) -> None:
    """Let the application that answers a request hand over open files, by `file` and `count`.

    `file` is one that the system knows by a number, and is sent from `offset` on.
    """
    if not HERE:
        return
    extensions: dict[str, Any] = cycle.scope.setdefault("extensions", {}) or {}
    cycle.scope["extensions"] = {**extensions, EXTENSION: {}}
    send = cycle.send

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == EXTENSION:
            await _hand_over(cycle, message["file"].fileno(), message["offset"], message["count"])
            more = message.get("more_body", False)
            message = {"type": "http.response.body", "body": b"", "more_body": more}
        await send(message)  # type: ignore[arg-type]

    cycle.send = sending  # type: ignore[method-assign,assignment]


async def _hand_over(cycle: RequestResponseCycle, file: int, offset: int, count: int) -> None:
    """Send bytes of a file once those before them are gone; returns early if the client does."""
    transport = cycle.transport
    transport.set_write_buffer_limits(high=0)
    await cycle.flow.drain()
    if cycle.disconnected:
        return
    transport.set_write_buffer_limits()
    # A number of its own: were the connection closed meanwhile, another might be given the old one.
    out = os.dup(transport.get_extra_info("socket").fileno())
    try:
        left = count
        while left and not cycle.disconnected:
            sent = await _to_its_end(
                run_in_threadpool(_send, out, file, offset + count - left, left)
            )
            left -= sent
            if left and not sent:
                await _writable(out)
        cycle.expected_content_length -= count
    except ConnectionError:
        transport.abort()  # as the loop does where it finds the client gone
        cycle.disconnected = True
    finally:
        os.close(out)


async def _to_its_end(sending: Coroutine[Any, Any, int]) -> int:
    """Return what is returned in a thread; where this is cancelled, not before that has ended.

    The thread has the numbers of open files: closed, they might be another's when it uses them.
    """
    task = asyncio.ensure_future(sending)
    try:
        return await asyncio.shield(task)
    finally:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])


def _send(out: int, file: int, offset: int, count: int) -> int:
    """Return how many bytes the socket took, 0 where it is full; raises EOFError at the end."""
    try:
        sent = os.sendfile(out, file, offset, count)
    except BlockingIOError:
        return 0
    if not sent:
        raise EOFError("the file is shorter than was told")
    return sent


async def _writable(out: int) -> None:
    """Return once a socket takes more."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(out, _tell, ready)
    try:
        await ready
    finally:
        loop.remove_writer(out)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():  # it may be told twice before anybody looks
        ready.set_result(None)
