"""What is under way from another hub: once for all who wait for it, whoever of them stays."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from .problem import Problem

HOLD = 7.0  # seconds that a request waits; clients give up on an answer after 10
LONGEST = 600  # seconds after which a client is to ask again
UNKNOWN = 30  # seconds after which it is where nothing tells how long it will take
AT_ONCE = 16
MOST = 256  # that are under way or wait for their turn
LATER = {"Retry-After": str(UNKNOWN)}

Key = tuple[str, ...]


@dataclass(slots=True)
class Flight:
    """One thing that is being fetched; sizes in bytes."""

    size: int = 0
    got: int = 0
    began: float = field(default_factory=time.monotonic)
    done: Future[None] = field(default_factory=Future)

    @property
    def left(self) -> int:
        """The seconds that the rest will take, as far as can be told."""
        if not self.got:
            return UNKNOWN
        took = time.monotonic() - self.began
        return max(1, min(LONGEST, math.ceil((self.size - self.got) * took / self.got)))


Work = Callable[[Flight], None]


class Flights:
    """All that is under way, each in a thread of its own."""

    def __init__(self, landed: Callable[[Exception | None], None]) -> None:
        self._turn = threading.Lock()
        self._places = threading.Semaphore(AT_ONCE)
        self._under_way: dict[Key, Flight] = {}
        self._landed = landed

    async def of(self, key: Key, work: Work, what: str, size: int = 0) -> None:
        """Wait until work is done that may be under way already; raises what it raises.

        Raises Problem 429, the status on which clients wait for as long as they are told and then
        ask again, where that takes long.
        """
        flight = self._join(key, work, size)
        waiting = asyncio.shield(asyncio.wrap_future(flight.done))
        try:
            await asyncio.wait_for(waiting, HOLD)
        except TimeoutError as error:
            told = f"{what} is on its way: {flight.got} of {flight.size or 'unknown'} bytes"
            headers = {"Retry-After": str(flight.left)}
            raise Problem(429, f"{told}, {flight.left} s to go", headers=headers) from error

    def _join(self, key: Key, work: Work, size: int) -> Flight:
        with self._turn:
            if key not in self._under_way:
                if len(self._under_way) >= MOST:
                    raise Problem(429, "Too much is on its way", headers=LATER)
                self._under_way[key] = Flight(size)
                run = (key, self._under_way[key], work)
                try:
                    threading.Thread(target=self._run, args=run, daemon=True).start()
                except RuntimeError as error:  # there are as many threads as there may be
                    del self._under_way[key]
                    raise Problem(429, "Too much is on its way", headers=LATER) from error
            return self._under_way[key]

    def _run(self, key: Key, flight: Flight, work: Work) -> None:
        failed: Exception | None = None
        try:
            with self._places:
                flight.began = time.monotonic()
                work(flight)
        except Exception as error:  # it is told to all who wait
            failed = error
        with self._turn:
            del self._under_way[key]
        self._landed(failed)
        if failed:
            flight.done.set_exception(failed)
        else:
            flight.done.set_result(None)
