"""Large files that come in parts: each kept until all are there, then put together once."""

from __future__ import annotations

import shutil
from pathlib import Path

from .contents import Received
from .hub import TeamHub
from .objects import PART
from .problem import Problem


def folder_of(hub: TeamHub, user_id: int, sha256: str) -> Path:
    """Return where one user's parts of a file wait."""
    return hub.objects.incoming / f"parts-{user_id}-{sha256}"


def keep_part(hub: TeamHub, user_id: int, sha256: str, number: int, received: Received) -> None:
    """Keep a part until all are there; one that is sent again takes its place."""
    folder = folder_of(hub, user_id, sha256)
    folder.mkdir(exist_ok=True)
    received.path.replace(folder / str(number))


def join_parts(hub: TeamHub, user_id: int, sha256: str, size: int, count: int) -> Received:
    """Return the file that the parts make; raises Problem where one is missing or all is wrong.

    They stay until `drop_parts`: a client whose file the store did not take just now asks again.
    """
    folder = folder_of(hub, user_id, sha256)
    missing = [number for number in range(1, count + 1) if not (folder / str(number)).is_file()]
    if missing:
        raise Problem(400, f"Part {missing[0]} of {count} has not been uploaded")
    hub.objects.check_room(size)
    with hub.objects.receive() as incoming:
        for number in range(1, count + 1):
            with (folder / str(number)).open("rb") as file:
                while part := file.read(PART):
                    incoming.write(part)
        whole = incoming.done()
        if (whole.sha256, whole.size) != (sha256, size):
            drop_parts(hub, user_id, sha256)
            raise Problem(400, f"The parts make {whole.sha256}, not {sha256}")
        kept = hub.objects.incoming / f"whole-{incoming.path.name}"
        whole.path.replace(kept)
    return Received(kept, sha256, size)


def drop_parts(hub: TeamHub, user_id: int, sha256: str) -> None:
    """Remove the parts of a file."""
    shutil.rmtree(folder_of(hub, user_id, sha256), ignore_errors=True)
