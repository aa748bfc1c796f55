"""Lines of a file in UTF-8, counted, with what is no text told by its line."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Iterator
from typing import BinaryIO

from ..registry.errors import BadData
from .opening import unreadable

MAX_LINE = 1 << 28


class Lines:
    """The lines of a file: `number` is that of the last one, `size` counts what was read."""

    def __init__(self, file: io.TextIOWrapper, name: str) -> None:
        self._file = file
        self._name = name
        self.number = 0
        self.size = 0

    def sample(self, size: int) -> str:
        """Return the beginning of the file, without reading on."""
        sample = self._file.read(size)
        self._file.seek(0)
        return sample

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.size += len(line)
        if len(line) >= MAX_LINE:
            raise BadData(
                f"`{self._name}`, line {self.number} is longer than {MAX_LINE >> 20} MB",
                "look at its line ends and quotes",
            )
        if "\0" in line:
            raise nul(self._name, f", line {self.number}")
        return line


@contextlib.contextmanager
def lines_of(raw: BinaryIO, name: str, newline: str) -> Iterator[Lines]:
    """Give the lines of an open file; a byte that is no UTF-8 is told with the line it is in."""
    file = io.TextIOWrapper(raw, "utf-8-sig", "strict", newline)
    try:
        try:
            yield Lines(file, name)
        finally:
            file.detach()
    except UnicodeDecodeError as error:
        raise not_utf8(raw, name) from error
    except OSError as error:
        raise unreadable(name, error) from error


def nul(name: str, where: str = "") -> BadData:
    """Return the error for a file with a byte that is in no text."""
    return BadData(
        f"`{name}`{where} has a NUL byte, which no text has",
        f"if it is UTF-16, convert it: iconv -f utf-16 -t utf-8 {shlex.quote(name)} > NEW",
    )


def not_utf8(raw: BinaryIO, name: str) -> BadData:
    """Return the error for a file that is not UTF-8, with its first line that is not."""
    raw.seek(0)
    for number, line in enumerate(raw, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            stem, dot, ending = name.rpartition(".")
            new = f"{stem}-utf8{dot}{ending}"
            return BadData(
                f"`{name}` is not UTF-8: line {number} has the byte 0x{line[error.start]:02x}",
                f"convert it: iconv -f latin1 -t utf-8 {name} > {new}",
            )
    raise AssertionError("whoever calls has met a byte that is no UTF-8")
