"""Who works on a store: the first to come removes what a killed hub left, and nobody else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout

from .hub import TeamHub


@contextlib.contextmanager
def working_on(hub: TeamHub) -> Iterator[None]:
    """Hold the store while files are received into it; tidy it first where nobody else does so.

    Whoever comes while another holds it works beside it, and leaves the left-overs alone: they may
    be what the other is receiving just now.
    """
    lock = FileLock(hub.folder / "working.lock")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock.acquire(timeout=0))
        except Timeout:
            pass
        else:
            with hub.database.writing() as db:
                hub.objects.tidy(db)
        yield
