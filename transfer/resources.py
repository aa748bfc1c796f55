"""What a job took: seconds and the peak of its memory; and what the machine is."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any

# Of glibc's malloc.h; mallopt takes an int.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, MOST_KEPT = -1, -3, 2**31 - 1
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


def memory_now() -> int:
    """Return how much memory this process holds, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def memory() -> int:
    """Return how much memory the machine has, in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)


def free_memory(device: str) -> int:
    """Return how many bytes may still be used on the device, limits of a container included."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return min(int(psutil.virtual_memory().available), *_limits())


def _limits() -> list[int]:
    """Return what is left of the limits that are set on this process and its container."""
    import psutil

    group = Path("/sys/fs/cgroup")
    left = [2**62]
    with contextlib.suppress(OSError, ValueError):  # no container, or `max`
        limit = int((group / "memory.max").read_text())
        left.append(limit - int((group / "memory.current").read_text()))
    with contextlib.suppress(ImportError):  # Windows has no such limits
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            left.append(most - psutil.Process().memory_info().vms)
    return left


def bound_kernel_cache() -> None:
    """Let oneDNN keep the kernels of one shape of batch, not of a thousand: each holds memory.

    It reads this when it is first used. Batches of other lengths need other kernels anyway.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")


def keep_freed_memory() -> None:
    """Let large tensors take memory that was freed before, in place of new pages from the system.

    By default glibc gives each block above 32 MB back at once and asks for it anew, and the system
    fills it with zeros: for a batch of pictures that takes longer than the convolutions do.
    """
    if platform.system() != "Linux":
        return
    with contextlib.suppress(AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018 - only glibc knows these numbers
        libc.mallopt(M_MMAP_THRESHOLD, MOST_KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, MOST_KEPT)


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


@functools.cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> contextlib.AbstractContextManager[Any]:
    """Give a stretch in which numpy's linear algebra works in one thread.

    Where thousands of small products follow each other, threads wait for each other longer than
    they work: a head on two cores takes 2.5 to 5 times as long by two of them.
    """
    limited: contextlib.AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limited
