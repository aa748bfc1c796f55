"""Contents on their way out, whole or by a range: from this disk, or as they come from a bucket."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .contents import Readable
from .objects import PART, Objects
from .problem import Problem
from .zero_copy import EXTENSION

RANGE = re.compile(r"bytes=(?:(\d{1,40})-(\d{0,40})|-(\d{1,40}))", re.IGNORECASE)


class FromDisk(Response):
    """A part of a file, handed to the system to send where that can be, or else read and sent."""

    def __init__(
        self, path: Path, start: int, end: int, status: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(status_code=status, headers=headers)
        self._path, self._start, self._end = path, start, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; a client that goes ends it."""
        with await run_in_threadpool(self._path.open, "rb") as file:
            if EXTENSION not in (scope.get("extensions") or {}):
                file.seek(self._start)
                parts = _parts(file, self._end - self._start)
                passing = Passing(parts, file.close, self.status_code, self.headers)
                await passing(scope, receive, send)
                return
            start = {"type": "http.response.start", "status": self.status_code}
            await send({**start, "headers": self.raw_headers})
            with contextlib.suppress(ConnectionResetError):
                for place in range(self._start, self._end, PART):
                    count = min(PART, self._end - place)
                    more = place + count < self._end
                    told = {"file": file, "offset": place, "count": count, "more_body": more}
                    await send({"type": EXTENSION, **told})


class Passing(StreamingResponse):
    """A content as it comes from where it lies; closed at its end or the client's."""

    def __init__(
        self,
        parts: Iterator[bytes],
        close: Callable[[], None],
        status: int,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(parts, status, headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


def download(
    store: Objects,
    sha256: str,
    name: str,
    headers: Mapping[str, str],
    asked: Headers,
    bodiless: bool = False,
) -> Response:
    """Return a content of the store as a file to keep, or the range of it that is `asked` for.

    `headers` have the ETag. Raises FileNotFoundError, and Problem 416 for bytes that it has not.
    """
    size = store.contents.size(sha256)
    status, start, end = _part(asked, size, headers["ETag"])
    told = {"X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes", **headers}
    told |= {"Content-Disposition": f"attachment; {_named(name)}"}
    told |= {"Content-Length": str(end - start), "Content-Type": "application/octet-stream"}
    if status == 206:
        told["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if bodiless or start == end:
        return Response(status_code=status, headers=told)
    path = store.contents.local(sha256)
    if path:
        return FromDisk(path, start, end, status, told)
    held = contextlib.ExitStack()
    file = held.enter_context(store.open(sha256, start, end))
    return Passing(_parts(file, end - start), held.close, status, told)


def _named(name: str) -> str:
    """Return what a file is to be called, by RFC 6266."""
    quoted = quote(name)
    return f'filename="{name}"' if quoted == name else f"filename*=utf-8''{quoted}"


def _part(asked: Headers, size: int, etag: str) -> tuple[int, int, int]:
    """Return a status, the first byte that is asked for, and the one after the last.

    One range is answered, by RFC 9110; what is none, or several, is answered by the whole.
    """
    found = RANGE.fullmatch(asked.get("range", ""))
    if not found or asked.get("if-range", etag) != etag:
        return 200, 0, size
    if found[3]:
        start, end = max(0, size - int(found[3])), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < int(found[1]):
        return 200, 0, size
    if start >= size:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "There are no such bytes", headers=headers)
    return 206, start, end


def _parts(file: Readable, left: int) -> Iterator[bytes]:
    while left and (part := file.read(min(PART, left))):
        left -= len(part)
        yield part
