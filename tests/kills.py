"""Adapting that is killed again and again, then resumed: are its predictions the same each time?

python -m tests.kills --kills 20    prints a line a kill; exits 1 where anything differs
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hubtl.predictions import read_predictions

from .conftest import MINILM, SECTIONS

ROWS = {"train": 64, "test": 16}
WORDS = f"--base {MINILM} --hub starter --recipe top --set epochs=6 --out result"
CACHE, SAVE, ELSEWHERE = "within a cache write", "within a save", "elsewhere"
POLL = 0.001  # seconds; a checkpoint takes many times as long to write

Process = subprocess.Popen[bytes]
Waiting = Callable[[Process], None]
Logits = list[list[float]]


@dataclass(frozen=True, slots=True)
class Place:
    """A working folder, a home and a folder for temporary files that nothing else uses."""

    root: Path

    def start(self, *more: str) -> Process:
        """Begin to adapt, in a group of processes of its own."""
        words = ["adapt", "text-classification", "rows.csv", *WORDS.split(), *more]
        own = {"HUBTL_HOME": "home", "HF_HOME": "hf", "TMPDIR": "temporary", "HUBTL_PLUGINS": ""}
        with (self.root / "said").open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "hubtl", *words],
                cwd=self.root / "work",
                env={**os.environ, **{name: str(self.root / path) for name, path in own.items()}},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def finish(self, process: Process) -> Logits:
        """Wait for the result, remove it, and return the logits it was measured by."""
        assert process.wait() == 0, (self.root / "said").read_text("utf-8")
        logits = read_predictions(self.result).logits
        shutil.rmtree(self.result)
        return logits

    @property
    def result(self) -> Path:
        """The folder that is asked for."""
        return self.root / "work" / "result"

    def has(self, pattern: str) -> bool:
        """Return whether there is a file or folder of such a name."""
        return any(self.root.glob(pattern))

    def half_written(self) -> str:
        """Return what was being written when all stopped."""
        if self.has("home/trunks/.new-*"):
            return CACHE
        saving = self.has("home/unfinished/*/*/new/*") or self.has("work/.result-*/*")
        return SAVE if saving else ELSEWHERE

    def everything(self) -> list[str]:
        """Return the names of all files and folders."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))

    def forget(self) -> None:
        """Remove what earlier runs have kept and left, but for the base they pulled."""
        for folder in ("home/trunks", "home/unfinished", "home/rooms", "work/result", "temporary"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
        for room in self.root.glob("work/.result-*"):
            shutil.rmtree(room)
        (self.root / "temporary").mkdir()


@dataclass(frozen=True, slots=True)
class Unbroken:
    """What a run that nobody killed predicts and leaves; how many seconds it and its cache took."""

    logits: Logits
    left: list[str]
    seconds: float
    cache_seconds: float


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a kill is to hit, empty for anywhere, and what waits until then."""

    where: str
    wait: Waiting


@dataclass(frozen=True, slots=True)
class Kill:
    """What was half written then, after how many seconds, and those of the resuming's own kill."""

    where: str
    after: float
    again: float | None = None


def new_place(root: Path) -> Place:
    """Make a place with some rows of the example."""
    for folder in ("work", "temporary"):
        (root / folder).mkdir()
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (root / "work" / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for part, count in ROWS.items():
            writer.writerows([row for row in rows if row["split"] == part][:count])
    return Place(root)


def unbroken_run(place: Place) -> Unbroken:
    """Run twice, so that the second finds the base pulled, as all later ones do."""
    place.finish(place.start())
    place.forget()
    began = time.monotonic()
    process = place.start()
    until(lambda: place.has("home/trunks/.new-*"), process)
    cache_began = time.monotonic()
    until(lambda: not place.has("home/trunks/.new-*"), process)
    cache_seconds = time.monotonic() - cache_began
    logits = place.finish(process)
    return Unbroken(logits, place.everything(), time.monotonic() - began, cache_seconds)


def until(there: Callable[[], bool], process: Process) -> None:
    """Wait for something, or for the process to end without it."""
    while not there() and process.poll() is None:
        time.sleep(POLL)


def moments(place: Place, unbroken: Unbroken, dice: random.Random) -> list[Moment]:
    """Return the moments at which to kill, in turn."""

    def at_once(pattern: str, after: str = "") -> Waiting:
        def wait(process: Process) -> None:
            until(lambda: not after or place.has(after), process)
            until(lambda: place.has(pattern), process)

        return wait

    def cache(process: Process) -> None:
        until(lambda: place.has("home/trunks/.new-*"), process)
        time.sleep(dice.uniform(0, unbroken.cache_seconds / 2))  # the machine may be faster now

    def any_time(process: Process) -> None:
        time.sleep(dice.uniform(0, unbroken.seconds))

    saves = (
        at_once("home/unfinished/*/*/new/*"),
        at_once("home/unfinished/*/*/new/*", after="home/unfinished/*/*/*.safetensors"),
        at_once("work/.result-*/*"),
    )
    return [
        moment
        for save in saves
        for moment in (Moment(CACHE, cache), Moment(SAVE, save), Moment("", any_time))
    ]


def kill_again_and_again(place: Place, kills: int) -> Iterator[Kill]:
    """Kill and resume; every fourth time the resuming is killed too.

    Raises AssertionError where a resumed run does not predict, to the last bit, what the unbroken
    one did, or leaves anything that the unbroken one did not.
    """
    unbroken = unbroken_run(place)
    dice = random.Random(0)
    turns = moments(place, unbroken, dice)
    for number in range(kills):
        again = dice.uniform(0, unbroken.seconds / 4) if number % 4 == 3 else None
        kill = kill_at(place, turns[number % len(turns)], again)
        logits = place.finish(place.start(*resuming(place)))
        assert logits == unbroken.logits, f"other predictions after {kill}"
        assert place.everything() == unbroken.left, f"something is left after {kill}"
        yield kill


def kill_at(place: Place, moment: Moment, again: float | None) -> Kill:
    """Start afresh and kill, until the moment is hit and the result is not there yet.

    With `again`, in seconds, so is the run that resumes. Raises AssertionError where ten runs do
    not have that moment.
    """
    for _ in range(10):
        place.forget()
        began = time.monotonic()
        process = place.start()
        moment.wait(process)
        stop(process)
        after, where = time.monotonic() - began, place.half_written()
        if moment.where in ("", where) and not place.result.exists():
            if again is not None:
                stop(place.start(*resuming(place)), again)
            if not place.result.exists():
                return Kill(where, after, again)
    raise AssertionError(
        f"no kill of ten was {moment.where}: on this machine a run needs more rows"
    )


def stop(process: Process, after: float = 0.0) -> None:
    """Kill a process and all that it started."""
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def resuming(place: Place) -> list[str]:
    """Return how the command goes on: there is nothing to resume until a plan was written."""
    return ["--resume"] if place.has("home/unfinished/*/plan.json") else []


def main() -> None:
    """Kill as often as asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    hit: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as room:
        kills = kill_again_and_again(new_place(Path(room)), parser.parse_args().kills)
        for number, kill in enumerate(kills, 1):
            hit[kill.where] += 1
            again = f", its resuming after {kill.again:.2f} s" if kill.again is not None else ""
            told = f"kill {number:2} after {kill.after:5.2f} s, {kill.where}{again}"
            print(f"{told}: the same predictions, nothing left", flush=True)
    print(", ".join(f"{hit[where]} {where}" for where in (CACHE, SAVE, ELSEWHERE)))


if __name__ == "__main__":
    main()
