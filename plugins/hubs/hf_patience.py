"""Patience with a hub that is busy, or away for a moment.

huggingface_hub tries again by itself where it uploads and downloads, and not where it makes a
repository, a branch, a commit or a tag: that could be done twice if only the answer was lost. Each
step here looks first at what is there, so a step as a whole can be done again.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecodeError
from typing import TypeVar

from ...registry.errors import HubtlError

WAITS = (1.0, 2.0, 4.0, 8.0)
LONGEST = 120.0
LEFT = re.compile(r";\s*r=(\d+)\s*;\s*t=(\d+)")
BUSY = (408, 429, 500, 502, 503, 504)
Result = TypeVar("Result")


def patiently(step: Callable[[], Result]) -> Result:
    """Return what a step gives, done again while the hub is away, busy, or was changed just then.

    The hub says how long to wait (`Retry-After`); raises what the step raised last, and at once
    what waiting does not help against.
    """
    for wait in WAITS:
        try:
            return step()
        except HubtlError as error:
            asked = _asked_wait(error)
            if asked is None or asked > LONGEST:
                raise
            time.sleep(max(wait, asked))
    return step()


def _asked_wait(error: HubtlError) -> float | None:
    """Return the seconds that a hub asks to wait, 0 where it does not say; None: no use to wait."""
    cause = error.__cause__
    response = getattr(cause, "response", None)
    if response is None:
        # Of the network, or a gateway's page, for a request that the client sends once. It tries
        # again by itself with files.
        once = type(cause).__module__.startswith("http") or isinstance(cause, JSONDecodeError)
        return 0.0 if once else None
    if response.status_code == 412:  # main has moved: the step looks again at what is there
        return 0.0
    if response.status_code not in BUSY:
        return None
    return float(wait_asked_by(response.headers))


def wait_asked_by(headers: Mapping[str, str]) -> int:
    """Return the seconds that a refusal's headers say to wait, 0 where they say none.

    huggingface.co has them in `RateLimit: "api";r=0;t=55`, most others in `Retry-After: 55`.
    """
    said = re.search(r"^\s*(\d+)\s*$|;\s*r=0\s*;\s*t=(\d+)", _either(headers))
    return int(said[1] or said[2]) if said else 0


class Gate:
    """The way to one server: who asks it at the same time waits there, for as long as it says.

    `answered` is whether it ever did.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opens = 0.0
        self._within = 0
        self.answered = False

    @contextlib.contextmanager
    def passed(self) -> Iterator[None]:
        """Wait until the server may be asked, and be one of those who ask it."""
        while (left := self._opens - time.monotonic()) > 0:
            time.sleep(left)
        with self._lock:
            self._within += 1
        try:
            yield
        finally:
            with self._lock:
                self._within -= 1

    def close(self, seconds: float) -> None:
        """Let nobody pass for so long."""
        with self._lock:
            self._opens = max(self._opens, time.monotonic() + seconds)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Close it where an answer says that those who ask now use up what is allowed."""
        self.answered = True
        said = LEFT.search(headers.get("ratelimit") or "")
        if said and int(said[1]) <= self._within:
            self.close(float(said[2]))


_gates: dict[str, Gate] = {}


def gate(server: str) -> Gate:
    """Return the gate of a server, which is one for the whole process."""
    return _gates.setdefault(server, Gate())


def _either(headers: Mapping[str, str]) -> str:
    return headers.get("retry-after") or headers.get("ratelimit") or ""
