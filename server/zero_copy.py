"""Files that go from the disk to the socket without passing through this process.

The extension `http.response.zerocopysend` of the ASGI specification, which uvicorn has not: an
application hands over an open file, and the kernel sends it, as it does for nginx. Where the system
or the loop can't do so the extension is not offered, and whoever asks for it reads and sends; where
a file system can't, what it has is read here.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from collections.abc import MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

EXTENSION = "http.response.zerocopysend"
HERE = hasattr(os, "sendfile") and sys.platform != "win32"
REFUSED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # by the file system
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)
BODY = "http.response.body"


def offer_zero_copy(cycle: RequestResponseCycle, patience: float) -> None:
    """Let the application that answers a request hand over open files, by `file` and `count`.

    `file` is one that the system knows by a number, and is sent from `offset` on. A client that
    takes nothing for `patience` seconds is left: sending raises ConnectionAbortedError, and
    ConnectionResetError where the client has gone.
    """
    if not HERE:
        return
    extensions: dict[str, Any] = cycle.scope.get("extensions") or {}
    cycle.scope["extensions"] = {**extensions, EXTENSION: {}}
    cycle.__class__ = ZeroCopyCycle
    assert isinstance(cycle, ZeroCopyCycle)
    cycle.patience = patience


class ZeroCopyCycle(RequestResponseCycle):
    """Uvicorn's answer to a request, which may be a part of a file."""

    patience: float

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Send one message."""
        if message["type"] == EXTENSION:
            await self._hand_over(message["file"].fileno(), message["offset"], message["count"])
            message = {"type": BODY, "body": b"", "more_body": message.get("more_body", False)}
        await super().send(message)  # type: ignore[arg-type]

    async def _hand_over(self, file: int, offset: int, count: int) -> None:
        """Send bytes of a file once those before them are gone."""
        await self._drained()
        held = _Held(self.transport.get_extra_info("socket").fileno(), file)
        try:
            end = offset + count
            while offset < end:
                self._check_there()
                sent = await run_in_threadpool(held.send, offset, end - offset)
                if sent is None:
                    sent = await self._read(file, offset, end - offset)
                elif sent:
                    self.expected_content_length -= sent
                else:
                    await self._patiently(_writable(held.out))
                offset += sent
        except ConnectionError as error:
            self.transport.abort()  # or what is written would wait for who reads no more
            self.disconnected = not isinstance(error, ConnectionAbortedError)
            raise
        finally:
            held.close()

    async def _drained(self) -> None:
        """Return once the socket has taken all that was written before."""
        self._check_there()
        self.transport.set_write_buffer_limits(high=0)
        await self._patiently(self.flow.drain())
        self._check_there()
        self.transport.set_write_buffer_limits()

    async def _read(self, file: int, offset: int, count: int) -> int:
        """Send bytes of a file by way of this process, and return how many."""
        part = await run_in_threadpool(os.pread, file, count, offset)
        if not part:
            raise EOFError("the file is shorter than was told")
        message: Any = {"type": BODY, "body": part, "more_body": True}
        await super().send(message)
        await self._drained()
        return len(part)

    async def _patiently(self, waiting: Any) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await waiting
        except TimeoutError as error:
            raise ConnectionAbortedError("the client reads too slowly") from error

    def _check_there(self) -> None:
        self.disconnected = self.disconnected or self.transport.is_closing()
        if self.disconnected:
            raise ConnectionResetError("the client has gone")


class _Held:
    """A socket and a file under numbers of their own, closed once no thread uses them.

    Were a number closed while a thread is about to use it, another connection or file might be
    given it meanwhile, and get what is not for it. A task can be cancelled, and a thread can't.
    """

    def __init__(self, out: int, file: int) -> None:
        self.out = os.dup(out)
        try:
            self._file = os.dup(file)
        except OSError:
            os.close(self.out)
            raise
        self._users = 1
        self._turn = threading.Lock()

    def send(self, offset: int, count: int) -> int | None:
        """Return how many bytes the socket took, None where the file can't be sent so.

        Raises EOFError at the end of the file, ConnectionResetError where the client has gone.
        """
        with self._turn:
            if not self._users:
                return 0
            self._users += 1
        try:
            sent = os.sendfile(self.out, self._file, offset, count)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in REFUSED:
                return None
            if error.errno in GONE:
                raise ConnectionResetError("the client has gone") from error
            raise
        finally:
            self.close()
        if not sent:
            raise EOFError("the file is shorter than was told")
        return sent

    def close(self) -> None:
        """Use the numbers no longer."""
        with self._turn:
            self._users -= 1
            if not self._users:
                os.close(self.out)
                os.close(self._file)


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
