"""Rows of features that were made for other inputs, found again where some are asked for once more.

    FOLDER/KEY/contents.npy    [inputs, 32] bytes, the SHA-256 of what each holds

So a ranking on some rows and an `adapt` on all of them run a network on each row once.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .distinct import Distinct

POOLED, CONTENTS = "pooled.npy", "contents.npy"


def write_contents(room: Path, listed: Distinct) -> None:
    """Write down which inputs the rows of features are of."""
    np.save(room / CONTENTS, listed.contents)


def known_rows(shelf: Path, origin: str, listed: Distinct) -> dict[int, NDArray[np.float32]]:
    """Return the row of features by an input's number, of those that any trunk has.

    `origin` is what features come from: trunks with another one have none of them.
    """
    numbers = {each.tobytes(): number for number, each in enumerate(listed.contents)}
    found: dict[int, NDArray[np.float32]] = {}
    for kept in sorted(shelf.glob(f"[0-9a-f]*/{CONTENTS}")):
        with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
            if json.loads((kept.parent / "about.json").read_text("utf-8"))["origin"] != origin:
                continue
            rows = np.load(kept.parent / POOLED, mmap_mode="r")
            for row, each in enumerate(np.load(kept)):
                number = numbers.get(each.tobytes())
                if number is not None:
                    found[number] = rows[row]
    return found
