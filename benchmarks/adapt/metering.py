"""What some work takes: CPU and wall seconds, and private memory."""

from __future__ import annotations

import threading
import time
from pathlib import Path


class Metering(threading.Thread):
    """Counts CPU and wall seconds, and watches private memory, while `with` lasts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._over = 0, threading.Event()

    def __enter__(self) -> Metering:
        """Begin."""
        self.start()
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.cpu = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._wall
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look at the memory five times a second."""
        while not self._over.wait(0.2):
            lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
            private = sum(
                int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")
            )
            self.most = max(self.most, private)

    def taken(self) -> dict[str, float]:
        """Return the seconds, and the most memory in kB."""
        return {"cpu": self.cpu, "wall": self.wall, "memory": self.most}
