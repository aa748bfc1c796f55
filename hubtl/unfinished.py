"""Work that is not done yet: its plan and how far it came, kept until the folder is whole.

    HUBTL_HOME/unfinished/KEY/plan.json   the job, and the choices that clock and memory made for it
    HUBTL_HOME/unfinished/KEY/seed-N/     how far training with a seed has come, and its result

KEY is a hash of the job, so that the same command finds it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .registry.errors import BadOption
from .registry.places import home
from .registry.rooms import held
from .transfer.checkpoint import Checkpoint
from .transfer.choices import Choices

PLAN = "plan.json"
OLD = 14 * 24 * 3600.0  # seconds after which nobody comes back for it


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A folder for what is under way, and the choices that were made for it."""

    folder: Path
    choices: Choices

    def within(self, name: str, choices: Mapping[str, Any]) -> Unfinished:
        """Return a folder for a part of the work, with choices of its own to begin with."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if (folder / PLAN).is_file():
            choices = read_choices(folder / PLAN)
        return Unfinished(folder, Choices(choices, lambda made: write_plan(folder, {}, made)))

    def checkpoint(self, seed: int) -> Checkpoint:
        """Return where training with a seed keeps how far it has come."""
        return Checkpoint(self.folder / f"seed-{seed}")

    def forget(self, seed: int) -> None:
        """Remove how far training with a seed has come."""
        shutil.rmtree(self.folder / f"seed-{seed}", ignore_errors=True)


@contextlib.contextmanager
def unfinished(
    job: Mapping[str, Any], choices: Mapping[str, Any], *, resume: bool
) -> Iterator[Unfinished]:
    """Give what was begun of a job; it is gone once all is done, and stays on any failure.

    With `resume`, raises BadOption where no work on this very job was begun; without, what was
    begun is begun anew. `choices` are those to begin with.
    """
    text = json.dumps(job, sort_keys=True, default=str)
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
        if resume:
            choices = read_choices(folder / PLAN)

        def keep(made: Mapping[str, Any]) -> None:
            write_plan(folder, job, made)

        keep(choices)
        yield Unfinished(folder, Choices(choices, keep))
        shutil.rmtree(folder, ignore_errors=True)


def write_plan(folder: Path, job: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Write a plan.json into a folder, beside and renamed."""
    text = json.dumps({"choices": choices, "job": job}, indent=1, default=str, ensure_ascii=False)
    beside = folder / f"{PLAN}.new"
    beside.write_text(text + "\n", "utf-8")
    beside.replace(folder / PLAN)


def read_choices(path: Path) -> Mapping[str, Any]:
    """Return the choices in a plan.json, or in that of a folder; raises BadOption for another."""
    file = path / PLAN if path.is_dir() else path
    try:
        found = json.loads(file.read_text("utf-8"))["choices"]
        if not isinstance(found, dict):
            raise TypeError("its choices are no object")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadOption(
            f"`{path}` is no plan: {why}", f"adapt writes one into its folder: {PLAN}"
        ) from error
    return found


def _forget_old(parent: Path) -> None:
    """Remove what nobody came back for, whether or not a kill left its plan."""
    for begun in parent.glob("[0-9a-f]*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - begun.stat().st_mtime > OLD:
                with held(begun.with_suffix(".lock")) as abandoned:
                    if abandoned:
                        shutil.rmtree(begun, ignore_errors=True)
