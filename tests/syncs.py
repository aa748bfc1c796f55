"""Syncs under ten searchers, and syncs that are killed: is every answer whole, and does it go on?

python -m tests.syncs [--models 25000] [--readers 10] [--seconds 20] [--kills 20] [--room DIR]

A hub counts how often it was asked: a thousand of its models, at most, all say the same number in
a tag, and a search that finds two numbers, or not all of them, has seen half a sync.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hubtl

ROOT = Path(__file__).parent.parent
WORD, NUMBER = "zyxprobe", "round"
PAGE = 1000

SYNC = """
import sys, hubtl
from hubtl import syncing
syncing.MANY, hub = int(sys.argv[2]), sys.argv[1]
print("ready", flush=True)
for turn in range(10**6):
    hubtl.sync(hub=hub, anew=turn % 4 == 3)
    print(turn, flush=True)
"""
READ = """
import os, sys, time
from tests.syncs import seen
probes, readers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
for _ in range(readers):
    if not os.fork():
        break
else:
    sys.exit(any([os.wait()[1] for _ in range(readers)]))
rounds, searches, until = set(), 0, time.monotonic() + seconds
while time.monotonic() < until or len(rounds) < 2:
    rounds.add(seen(probes))
    searches += 1
os.write(1, f"{searches} {len(rounds)}\\n".encode())  # in one go: ten write to one pipe
"""


class Counting(ThreadingHTTPServer):
    """A hub of many models, the first of which say how often all or its newest were asked for."""

    daemon_threads = True

    def __init__(self, many: int, probes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.many, self.probes, self.round = many, probes, 0
        self.url = f"http://127.0.0.1:{self.server_port}"

    def model(self, number: int) -> dict[str, Any]:
        """Return what is told of a model."""
        told = number < self.probes
        return {
            "id": f"acme/{WORD if told else 'other'}-{number}",
            "downloads": self.many - number,
            "lastModified": f"2026-01-{2 if told else 1:02}T00:00:00.{self.round:06}Z",
            "tags": [f"{NUMBER}{self.round}"] if told else ["plain"],
        }


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with a page; a list that begins is one of the next round."""
        hub: Counting = self.server  # type: ignore[assignment]
        asked = parse_qs(urlsplit(self.path).query)
        start, size = int(asked.get("cursor", ["0"])[0]), int(asked["limit"][0])
        if not start and asked["expand"] != ["downloads"]:
            hub.round += asked["sort"] == ["downloads"] or size == 1
        some = range(start, min(start + min(size, PAGE), hub.many))
        body = json.dumps([hub.model(number) for number in some]).encode()
        self.send_response(200)
        if some.stop < hub.many:
            at = self.path.partition("&cursor=")[0]
            self.send_header("Link", f'<{hub.url}{at}&cursor={some.stop}>; rel="next"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def counting(many: int, probes: int) -> Iterator[Counting]:
    """Give a hub that answers."""
    with Counting(many, probes) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


def seen(probes: int) -> int:
    """Return the number that the first models say; raises AssertionError where not all do."""
    found = hubtl.search(WORD, limit=probes + 1).entries
    rounds = {tag for entry in found for tag in entry.tags if tag.startswith(NUMBER)}
    assert (len(found), len(rounds)) == (probes, 1), (len(found), rounds)
    return int(rounds.pop().removeprefix(NUMBER))


def started(code: str, *words: object) -> subprocess.Popen[str]:
    """Return a process that runs some code."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def syncing(hub: Counting, large: bool) -> subprocess.Popen[str]:
    """Return a process that syncs again and again; of a `large` hub, what changed comes."""
    process = started(SYNC, hub.url, 0 if large else 1 << 40)
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


def read_by_many(hub: Counting, readers: int, seconds: float, *, large: bool) -> list[list[int]]:
    """Return how often each reader searched while one syncs, and how many rounds it saw."""
    hubtl.sync(hub=hub.url)
    process = syncing(hub, large)
    try:
        reading = started(READ, hub.probes, readers, seconds)
        said, _ = reading.communicate()
        assert (process.poll(), reading.returncode) == (None, 0)
    finally:
        process.kill()
        process.communicate()
    return [[int(number) for number in each.split()] for each in said.splitlines()]


def kill_and_look(hub: Counting, dice: random.Random, most: float, *, large: bool) -> float:
    """Kill a sync within so many seconds, look whether all is whole, and sync to the end."""
    process, after = syncing(hub, large), dice.uniform(0, most)
    time.sleep(after)
    process.kill()
    process.communicate()
    before = seen(hub.probes)
    hubtl.sync(hub=hub.url)
    assert seen(hub.probes) >= before
    return after


def main() -> None:
    """Show both at the size that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", type=int, default=25_000)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--room", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=options.room) as room,
        counting(options.models, PAGE) as hub,
    ):
        os.environ["HUBTL_HOME"] = room
        for searches, rounds in read_by_many(hub, options.readers, options.seconds, large=True):
            print(f"{searches} searches saw {rounds} rounds, each of them whole", flush=True)
        dice, began = random.Random(0), time.monotonic()
        hubtl.sync(hub=hub.url, anew=True)
        most = 2 * (time.monotonic() - began)
        for number in range(options.kills):
            after = kill_and_look(hub, dice, most, large=bool(number % 2))
            print(f"kill {number + 1:2} after {after:5.2f} s: whole, and it went on", flush=True)


if __name__ == "__main__":
    main()
