"""A team hub for a while: a fresh store, its accounts, and `hubtl serve` until the block ends."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "conformance"
HUBTL = (sys.executable, "-m", "hubtl")
FAILED = re.compile(
    r'^hubtl_requests_total\{method="(\w+)",status="(5\d\d)"\} (\S+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class User:
    """A user with the one token they have."""

    name: str
    token: str
    fullname: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation with its one member, who looks after it."""

    name: str
    member: str
    fullname: str = ""
    private: bool = False  # what is made in it, unless said otherwise


@contextmanager
def serving(
    name: str, users: Sequence[User], organisations: Sequence[Organisation] = ()
) -> Iterator[str]:
    """Give the address of a hub with these accounts; its store and log keep the name given."""
    store, log = BUILD / "stores" / name, BUILD / "stores" / f"{name}.log"
    shutil.rmtree(store, ignore_errors=True)
    store.parent.mkdir(parents=True, exist_ok=True)
    for user in users:
        _hubtl("hub", "user", "add", user.name, "--fullname", user.fullname, "--store", str(store))
        _hubtl("hub", "token", "add", user.name, "--value", user.token, "--store", str(store))
    for each in organisations:
        more = ["--member", f"{each.member}:admin", *(["--private"] if each.private else [])]
        more += ["--fullname", each.fullname, "--store", str(store)]
        _hubtl("hub", "org", "add", each.name, *more)
    command = [*HUBTL, "serve", "--store", str(store), "--port", "0"]
    with log.open("wb") as errors:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
        try:
            yield _address(server, log)
        finally:
            _stop(server)


def stop_on_sigterm() -> None:
    """Make SIGTERM end this process as Ctrl-C does: by way of what stops the server."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def failures_of(address: str) -> list[str]:
    """Return how often a hub has answered that it failed itself: such as `3 times 500 to GET`."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        found = FAILED.findall(answer.read().decode())
    return [f"{float(times):.0f} times {status} to {method}" for method, status, times in found]


def _hubtl(*words: str) -> None:
    done = subprocess.run([*HUBTL, *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"hubtl {' '.join(words)}\n{done.stderr}")


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that the server prints once it answers; raises SystemExit if none."""
    assert server.stdout, "a pipe"
    said = server.stdout.readline().decode()
    found = re.search(r"http://\S+", said)
    if not found:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"the hub does not start: {said}\n{end}\nits log is {log}")
    return found.group()


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
