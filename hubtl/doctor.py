"""What this machine can do, and what is wrong with it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .plugins.installed import installed_version
from .plugins.manager import plugins
from .registry.catalog import catalogue
from .registry.places import models

ENOUGH_DISK = 5 * 10**9
ENOUGH_MEMORY = 4 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it isn't well."""

    what: str
    state: Literal["good", "note", "broken"]
    how: str
    hint: str = ""


def examine() -> list[Finding]:
    """Return all findings; nothing is downloaded and no hub is asked."""
    return [*_libraries(), *_machine(), *_places(), *_starters(), *_hub()]


def _libraries() -> Iterator[Finding]:
    yield Finding("python", "good", sys.version.split()[0])
    for name in ("torch", "transformers", "peft", "huggingface-hub", "safetensors", "scikit-learn"):
        version = installed_version(name)
        again = "" if version else "pip install --force-reinstall hubtl"
        yield Finding(name, "good" if version else "broken", version or "not installed", again)
    yield from _needed_by_some()
    if importlib.util.find_spec("torchvision"):
        try:
            importlib.import_module("torchvision")
        except Exception as error:
            # Built for another torch, it breaks transformers too, with a message about neither.
            yield Finding(
                "torchvision",
                "broken",
                f"installed, but does not load: {str(error).splitlines()[0]}",
                "pip uninstall torchvision (hubtl does not need it)",
            )


def _needed_by_some() -> Iterator[Finding]:
    """Yield how the packages are that only some tasks or forms need: without one, others work."""
    needed = {
        ("matplotlib", "hubtl[report]"): ["the plots of report.html"],
        ("codecarbon", "hubtl[energy]"): ["the energy that adapt takes"],
    }
    for task in plugins().tasks.values():
        for package in getattr(task, "needs", {}).items():  # a plugin may be of before
            needed.setdefault(package, []).append(task.name)
    for form in plugins().exports.values():
        for package in form.needs.items():
            needed.setdefault(package, []).append(f"export to {form.name}")
    for (name, extra), users in needed.items():
        version = installed_version(name)
        how = version or f"not installed; for {', '.join(users)}"
        hint = "" if version else f"pip install '{extra}'"
        yield Finding(name, "good" if version else "note", how, hint)


def _machine() -> Iterator[Finding]:
    import torch

    from .transfer.resources import memory

    held = memory()
    short = held < ENOUGH_MEMORY
    yield Finding(
        "memory",
        "note" if short else "good",
        f"{held / 2**30:.0f} GiB",
        "take small bases: `hubtl search --fits`" if short else "",
    )
    yield Finding(
        "processor", "good", f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()}"
    )
    gpu = (
        torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none; the CPU does it all"
    )
    yield Finding("gpu", "good", gpu)


def _places() -> Iterator[Finding]:
    folder = models()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding(
            "models", "broken", f"{folder}: {error.strerror}", "set HUBTL_HOME to a folder of yours"
        )
        return
    free = shutil.disk_usage(folder).free
    state: Literal["good", "note"] = "good" if free > ENOUGH_DISK else "note"
    yield Finding("models", state, f"{folder}, {free / 1e9:.0f} GB free")


def _starters() -> Iterator[Finding]:
    for entry in catalogue().entries:
        if entry.package is None:
            continue
        there = importlib.util.find_spec(entry.package.folder.partition("/")[0])
        yield Finding(
            "starter",
            "good" if there else "note",
            f"{entry.id} {'is here' if there else 'is not installed'}",
            "" if there else entry.package.pip,
        )


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants, get_token

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    offline = " (HF_HUB_OFFLINE is set)" if constants.HF_HUB_OFFLINE else ""
    yield Finding("hub", "good", f"hf is {endpoint}{offline}")
    token = get_token() is not None
    yield Finding(
        "token",
        "good" if token else "note",
        "there is one" if token else "none: private models and publishing to hf need one",
        "" if token else "hf auth login",
    )
