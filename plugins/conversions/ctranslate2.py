"""CTranslate2's model file: the variables in it, by name."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

KINDS = ("float32", "int8", "int16", "int32", "float16")


class Reader:
    """A file that is read from its front to its end, its numbers little-endian."""

    def __init__(self, path: Path) -> None:
        import numpy as np

        self._bytes = np.memmap(path, np.uint8, "r").data
        self._at = 0

    def number(self, kind: str) -> int:
        """Return the next number: a byte `B`, a short `H` or a word `I`."""
        (found,) = struct.unpack_from(f"<{kind}", self._bytes, self._at)
        self._at += struct.calcsize(kind)
        return int(found)

    def text(self) -> str:
        """Return the next text; its length comes before it, and a NUL ends it."""
        length = self.number("H")
        self._at += length
        return bytes(self._bytes[self._at - length : self._at - 1]).decode()

    def variable(self) -> np.ndarray:
        """Return the next variable, mapped and not read."""
        import numpy as np

        shape = [self.number("I") for _ in range(self.number("B"))]
        kind, size = np.dtype(KINDS[self.number("B")]), self.number("I")
        self._at += size
        flat = np.frombuffer(self._bytes, kind, size // kind.itemsize, self._at - size)
        return flat.reshape(shape)


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """Return the variables of a model of binary version 6; those that are aliases are left out."""
    file = Reader(path)
    _version, _kind, _revision = file.number("I"), file.text(), file.number("I")
    return {file.text(): file.variable() for _ in range(file.number("I"))}
