"""Pull a model by name, into the cache or into a folder of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from .registry.fingerprint import files_in
from .sources import find_model, pull
from .transfer.progress import Progress
from .workspace import check_out, disk_told, staged


def pull_model(name: str, to: Path | None, hub: str | None, progress: Progress) -> Path:
    """Return the folder with the model's files; `to` must be new or empty."""
    if to:
        check_out(to, "--to")
    source, entry = find_model(name, hub)
    folder = pull(source, entry, progress=progress)
    if to is None:
        return folder
    with disk_told(to), staged(to) as room:
        for path, file in files_in(folder).items():
            (room / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, room / path)
    return to
