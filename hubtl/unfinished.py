"""Work that is not done yet: its plan and how far it came, kept until the folder is whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .registry.errors import BadOption
from .registry.places import home
from .registry.rooms import held
from .transfer.checkpoint import Checkpoint

PLAN = "plan.json"
OLD = 14 * 24 * 3600.0  # seconds after which nobody comes back for it


@contextlib.contextmanager
def unfinished(plan: Mapping[str, Any], *, resume: bool) -> Iterator[Checkpoint]:
    """Give the checkpoint of a plan, which is gone once all is done, and stays on any failure.

    With `resume`, raises BadOption where no work with this very plan was begun; without, what was
    begun is begun anew.
    """
    text = json.dumps(plan, sort_keys=True, indent=1, default=str)
    folder = home() / "unfinished" / hashlib.sha256(text.encode()).hexdigest()[:32]
    if resume and not (folder / PLAN).is_file():
        raise BadOption(
            "there is nothing to resume: no work with the same data, base, recipe, seed and --out "
            "was begun here",
            "leave --resume out",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder.with_suffix(".lock")) as ours:
        if not ours:
            raise BadOption(
                "another process is at this very work: the same data, base, recipe, seed and --out",
                "wait for it, or choose another place: --out NAME",
            )
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        _forget_old(folder.parent)
        folder.mkdir(exist_ok=True)
        (folder / PLAN).write_text(text + "\n", "utf-8")
        yield Checkpoint(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _forget_old(parent: Path) -> None:
    """Remove what nobody came back for, whether or not a kill left its plan."""
    for begun in parent.glob("[0-9a-f]*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - begun.stat().st_mtime > OLD:
                with held(begun.with_suffix(".lock")) as abandoned:
                    if abandoned:
                        shutil.rmtree(begun, ignore_errors=True)
