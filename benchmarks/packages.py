"""Debian's packages, as the machine's own package lists have them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator


def available() -> Iterator[tuple[str, str]]:
    """Yield the name of each package, and all that the lists tell of it (`apt-cache dumpavail`)."""
    told = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    for about in told.stdout.split("\n\n"):
        if name := re.search(r"^Package: (.+)$", about, re.MULTILINE):
            yield name[1], about
