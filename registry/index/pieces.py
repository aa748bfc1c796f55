"""Listings, piece by piece, as what is written of their models: what workers do of a build.

Workers are plain processes at the ends of pipes. `multiprocessing` would run the caller's own
script again in each of them, and neither a script nor a notebook need be made for that.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Unreachable
from .cleaning import cleaned
from .conditions import takes_in
from .listing import covered
from .ranking import key_of, standing
from .rows import Row
from .words import called, terms_of

# Bytes of a listing that are read, sorted and written in one go: some 20,000 models, what a cache
# can hold.
LENGTH = 8 << 20
SMALL = 16 << 20  # bytes of listings from which on other processes are worth starting
MOST_WORKERS = 4
WORK = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
    "from hubtl.registry.index.pieces import work; work()"
)

Found = tuple[int, str]  # a key, counted from the piece's first model, and the terms it is found by
Kept = tuple[int, int | None, int, str]  # the values of `entry`, but for its number
Made = tuple[list[Found], list[Kept]]  # in the order of keys, and of the listing
# A path, a place in the file, a length, today's date, and organisations whose models do not count.
Piece = tuple[str, int, int, str, tuple[str, ...]]


def made_from_listings(listings: Sequence[Path], today: str) -> Iterator[Made]:
    """Give what is written of the listings' models, in the listings' order; raises Unreachable."""
    pieces = [
        piece
        for path, told_later in zip(listings, covered(listings), strict=True)
        for piece in _pieces(path, today, tuple(told_later))
    ]
    if sum(length for _, _, length, *_ in pieces) < SMALL:
        yield from map(made_from, pieces)
        return
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(_processors())]
        for worker, piece in zip(workers, pieces, strict=False):
            _give(worker, piece)
        for turn in range(len(pieces)):
            after = pieces[turn + len(workers)] if turn + len(workers) < len(pieces) else None
            yield _taken(workers[turn % len(workers)], after)


def made_from(piece: Piece) -> Made:
    """Return what is written of the models in a piece of a listing."""
    found, kept = list[Found](), list[Kept]()
    for row in _rows(piece):
        found.append((key_of(standing(row), len(kept)), terms_of(row)))
        kept.append((called(row.id), row.params, takes_in(row), row.packed()))
    found.sort()
    return found, kept


def work() -> None:
    """Answer each piece on stdin with the length of what is written of it, and with that."""
    for line in sys.stdin:
        answer = marshal.dumps(made_from(json.loads(line)))
        sys.stdout.buffer.write(len(answer).to_bytes(8, "big") + answer)
        sys.stdout.buffer.flush()


def _rows(piece: Piece) -> Iterator[Row]:
    path, start, length, today, told_later = piece
    with Path(path).open("rb") as file:
        file.seek(start)
        lines = file.read(length).split(b"\n")
    for line in lines:
        row = cleaned(line, today) if line else None
        if row and not (told_later and _of_one(row.id, told_later)):
            yield row


def _of_one(model: str, organisations: Sequence[str]) -> bool:
    return model.rpartition("/")[0].casefold() in organisations


def _pieces(path: Path, today: str, told_later: tuple[str, ...]) -> Iterator[Piece]:
    """Give the pieces of a listing, each of whole lines."""
    end = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start < end:
            file.seek(min(start + LENGTH, end))
            file.readline()
            yield str(path), start, file.tell() - start, today, told_later
            start = file.tell()


def _processors() -> int:
    has = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MOST_WORKERS, has or 1)


@contextlib.contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WORK, json.dumps(sys.path)]
    pipe = subprocess.PIPE
    # In a session of its own, Ctrl-C reaches the caller alone, who ends its workers.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def _give(worker: subprocess.Popen[bytes], piece: Piece) -> None:
    assert worker.stdin
    worker.stdin.write(json.dumps(piece).encode() + b"\n")
    worker.stdin.flush()


def _taken(worker: subprocess.Popen[bytes], after: Piece | None) -> Made:
    """Return what a worker made, and give it the piece after."""
    assert worker.stdout
    length = worker.stdout.read(8)
    answer = worker.stdout.read(int.from_bytes(length, "big"))
    if len(length) < 8 or len(answer) < int.from_bytes(length, "big"):
        raise Unreachable(
            f"a process of the build ended with {worker.wait()}", "free some memory, then again"
        )
    if after:
        _give(worker, after)
    made: Made = marshal.loads(answer)
    return made
