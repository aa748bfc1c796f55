"""The hub's own work while it serves: counting downloads, calling webhooks, removing left-overs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import update
from starlette.concurrency import run_in_threadpool

from ..registry.errors import HubtlError
from .calling import Calling
from .dialects import is_away, said_by
from .hub import TeamHub
from .schema import repos

EVERY = 5.0
XORB_AGE = 26 * 3600.0  # a day's address, and the hour for which a token of its last minute holds
UPLOAD_AGE = 3 * 24 * 3600.0


class Upkeep:
    """The background of one hub."""

    def __init__(self, hub: TeamHub) -> None:
        self.hub = hub
        self.calling = Calling(hub)
        self._downloads: Counter[int] = Counter()
        self._turn = threading.Lock()
        hub.told.append(self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["kind"] == "download":
            with self._turn:
                self._downloads[event["repo_id"]] += 1
        else:
            self.calling.hear(event)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until the hub stops; what was counted is written then, too."""
        job = asyncio.create_task(self._work())
        try:
            yield
        finally:
            job.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job
            await run_in_threadpool(self.calling.close)
            await run_in_threadpool(self.write_downloads)

    async def _work(self) -> None:
        tidied = 0.0
        while True:
            await asyncio.sleep(EVERY)
            try:
                await run_in_threadpool(self.write_downloads)
                if time.time() - tidied > 600:
                    tidied = time.time()  # what fails is not tried again at once
                    await run_in_threadpool(self.remove_left_overs)
                    await run_in_threadpool(self.collect)
            except Exception as error:  # a full disk now must not end it for ever
                foreseen = is_away(error) or isinstance(error, HubtlError)
                trace = None if foreseen else error
                told = ("upkeep failed: %s", said_by(error))
                logging.getLogger("hubtl.server").error(*told, exc_info=trace)

    def write_downloads(self) -> None:
        """Add the downloads since last time to the repositories."""
        with self._turn:
            counted, self._downloads = self._downloads, Counter()
        if not counted:
            return
        try:
            with self.hub.database.writing() as db:
                for repo_id, number in counted.items():
                    more = {"downloads": repos.c.downloads + number}
                    db.execute(update(repos).where(repos.c.id == repo_id).values(**more))
        except BaseException:
            with self._turn:
                self._downloads += counted  # for the next time
            raise

    def collect(self) -> None:
        """Remove what nothing refers to, where the hub says after how long."""
        age = self.hub.policy.retention
        if age is None:
            return
        count, size = self.hub.objects.collect(self.hub.database, time.time() - age)
        if count:
            told = "removed %d contents of %d bytes that nothing refers to"
            logging.getLogger("hubtl.server").warning(told, count, size)

    def remove_left_overs(self) -> None:
        """Remove what unfinished uploads left, and what Xet clients can't refer to any more."""
        for folder, age in ((self.hub.xorbs, XORB_AGE), (self.hub.objects.incoming, UPLOAD_AGE)):
            for path in folder.rglob("*"):
                with contextlib.suppress(FileNotFoundError):
                    if path.is_file() and time.time() - path.stat().st_mtime > age:
                        path.unlink()
