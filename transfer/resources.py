"""What a job took: seconds and the peak of its memory; and what the machine is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

LIBRARIES = ("torch", "transformers", "peft", "safetensors", "scikit-learn", "tokenizers")


class Stopwatch:
    """Counts the wall seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Wall seconds so far."""
        return time.perf_counter() - self._start


def peak_memory() -> int:
    """Return the most memory that this process has held at once, in bytes."""
    import psutil

    memory = psutil.Process().memory_info()
    on_windows = getattr(memory, "peak_wset", None)
    if on_windows is not None:
        return int(on_windows)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def memory() -> int:
    """Return how much memory the machine has, in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)


def machine() -> dict[str, str | int]:
    """Return what ran it: processor, cores, accelerator, system."""
    import torch

    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return {
        "cpu": _processor(),
        "cores": os.cpu_count() or 1,
        "accelerator": accelerator,
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, hubtl and the libraries that decide the numbers."""
    found = {"python": platform.python_version(), "hubtl": importlib.metadata.version("hubtl")}
    for name in LIBRARIES:
        found[name] = importlib.metadata.version(name)
    return found


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
