"""Who works on a store: the first to come removes what a killed hub left, and nobody else."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from .hub import TeamHub


@contextlib.contextmanager
def working_on(hub: TeamHub) -> Iterator[None]:
    """Hold the store while files are received into it; tidy it first where nobody else does so.

    Whoever comes while another holds it works beside it, and leaves the left-overs alone: they may
    be what the other is receiving just now.
    """
    folder = hub.folder / "working"
    folder.mkdir(exist_ok=True)
    mine = FileLock(folder / f"{secrets.token_hex(8)}.lock")
    with contextlib.ExitStack() as held:
        with FileLock(hub.folder / "working.lock"):  # one comes at a time
            if all([_is_left(path) for path in folder.glob("*.lock")]):
                with hub.database.writing() as db:
                    hub.objects.tidy(db)
            held.callback(Path(mine.lock_file).unlink, missing_ok=True)
            held.enter_context(mine)
        yield


def _is_left(path: Path) -> bool:
    """Return whether the process is gone that held a lock, and remove it then."""
    try:
        with FileLock(path, timeout=0):
            pass
    except Timeout:
        return False
    path.unlink(missing_ok=True)
    return True
