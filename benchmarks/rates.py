"""How fast a team hub gives and takes a large file, and how it bears many clients at once.

python -m benchmarks.rates --gigabytes 1 --clients 200

A file of random bytes is fetched by curl from Debian's nginx, from the hub, and from the hub behind
that nginx as docs/team-hub-in-production.md has it (without TLS), in turn, some times: told are
the medians and the ratios to nginx. Then curl sends it to the hub by LFS, each time other bytes, to
be compared with copying the file to the same disk, flushing it there and hashing the copy, as the
hub does before it answers. Last, so many clients at once each list, search, fetch a file of 5 MB,
and commit one of their own; told are requests, errors, and what is missing afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.faults import REPO, TOKEN, Acknowledged, Writer, history, new_store, serving
from tests.nginx import free_port, nginx

PAGE = Path(__file__).parents[1] / "docs" / "team-hub-in-production.md"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SHARED = 5_000_000  # bytes of the file that all clients fetch


def write_random(path: Path, size: int) -> None:
    """Write random bytes, no part of them twice."""
    with path.open("wb") as file:
        for start in range(0, size, 1_000_000):
            file.write(os.urandom(min(1_000_000, size - start)))


def sha256(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seconds(command: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    command()
    return time.perf_counter() - began


def fetch(address: str) -> None:
    """Fetch all of a file, and let its bytes go."""
    command = ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", address]
    subprocess.run(command, check=True)


def ask_to_send(url: str, digest: str, size: int) -> str:
    """Return the address to which a content goes."""
    asked = {"operation": "upload", "objects": [{"oid": digest, "size": size}]}
    address = f"{url}/{REPO}.git/info/lfs/objects/batch"
    answer = httpx2.post(address, json=asked, headers=HEADERS).raise_for_status()
    return str(answer.json()["objects"][0]["actions"]["upload"]["href"])


def send(address: str, path: Path) -> None:
    """Send a file."""
    command = ["curl", "--fail", "--silent", "--show-error", "--upload-file", str(path), address]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def commit(url: str, name: str, digest: str, size: int) -> None:
    """Make a commit of a content that was sent."""
    lines = [
        {"key": "header", "value": {"summary": name}},
        {"key": "lfsFile", "value": {"path": name, "algo": "sha256", "oid": digest, "size": size}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    address = f"{url}/api/models/{REPO}/commit/main"
    httpx2.post(address, content=body, headers=HEADERS).raise_for_status()


def put(url: str, path: Path) -> float:
    """Send a file and commit it under its own name; returns the seconds of the sending."""
    digest, size = sha256(path), path.stat().st_size
    address = ask_to_send(url, digest, size)
    took = seconds(lambda: send(address, path))
    commit(url, path.name, digest, size)
    return took


def signed(url: str, name: str) -> str:
    """Return the address at which a file's bytes are."""
    found = httpx2.get(f"{url}/{REPO}/resolve/main/{name}", headers=HEADERS)
    return str(found.headers["Location"])


@contextmanager
def before(url: str, room: Path) -> Iterator[tuple[str, str]]:
    """Give the addresses of an nginx: of files in `room`, and of the hub as the page has it."""
    text = PAGE.read_text(encoding="utf-8").partition("```nginx\n")[2].partition("```")[0]
    place = text[text.index("    location / {") : text.index("    location = /metrics")]
    files, hub = free_port(), free_port()
    address = url.removeprefix("http://")
    servers = (
        f"upstream team_hub {{ server {address}; keepalive 32; keepalive_timeout 10s; }}\n"
        f"server {{ listen 127.0.0.1:{files}; root {room}; sendfile on; }}\n"
        f"server {{ listen 127.0.0.1:{hub}; client_max_body_size 0;\n{place}}}\n"
    )
    with nginx(room, servers, hub):
        yield f"http://127.0.0.1:{files}", f"http://127.0.0.1:{hub}"


def downloads(url: str, large: Path, times: int) -> None:
    """Print how long a file takes from each place, in turn."""
    with before(url, large.parent) as (files, proxied):
        places = {
            "nginx": lambda: f"{files}/{large.name}",
            "the hub": lambda: signed(url, large.name),
            "the hub behind nginx": lambda: signed(proxied, large.name),
        }
        took: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(times):
            for name, address in places.items():
                where = address()
                took[name].append(seconds(lambda where=where: fetch(where)))
    size, rival = large.stat().st_size, statistics.median(took["nginx"])
    for name, each in took.items():
        middle = statistics.median(each)
        print(f"  {name:22} {size / middle / 1e6:6.0f} MB/s  {rival / middle:5.2f} of nginx's")


def uploads(url: str, room: Path, size: int, times: int) -> None:
    """Print how long sending takes, and copying with a flush and a sha256."""
    sending, copying = [], []
    for number in range(times):
        path, copy = room / f"sent-{number}.bin", room / "copy.bin"
        write_random(path, size)
        os.sync()
        copying.append(seconds(lambda path=path, copy=copy: copy_and_hash(path, copy)))
        copy.unlink()
        os.sync()
        sending.append(put(url, path))
        path.unlink()
    ours, rival = statistics.median(sending), statistics.median(copying)
    print(f"  {'copy, flush, sha256':22} {size / rival / 1e6:6.0f} MB/s")
    print(f"  {'to the hub':22} {size / ours / 1e6:6.0f} MB/s  {rival / ours:5.2f} of the copy's")


def copy_and_hash(path: Path, copy: Path) -> None:
    """Copy a file, have the disk keep it, and read it once more for its sha256."""
    shutil.copyfile(path, copy)
    with copy.open("rb+") as file:
        os.fsync(file.fileno())
    sha256(copy)


class Client(threading.Thread):
    """Lists, searches, fetches and commits once; keeps what went wrong."""

    def __init__(self, url: str, number: int, known: Acknowledged, together: threading.Barrier):
        super().__init__(daemon=True)
        self.url, self.number, self.known, self.together = url, number, known, together
        self.asked, self.error = 0, ""

    def run(self) -> None:
        """Begin with all others, and do everything once."""
        with httpx2.Client(base_url=self.url, headers=HEADERS, timeout=300) as client:
            client.event_hooks = {"response": [self._count]}
            self.together.wait()
            try:
                client.get("/api/models?limit=30").raise_for_status()
                client.get("/models?search=moods").raise_for_status()
                found = client.get(f"/{REPO}/resolve/main/shared.bin", follow_redirects=True)
                assert len(found.raise_for_status().content) == SHARED
                Writer(self.url, self.number, self.known).commit(client)
            except (httpx2.HTTPError, AssertionError) as error:
                self.error = repr(error)

    def _count(self, _: httpx2.Response) -> None:
        self.asked += 1


def many(url: str, room: Path, clients: int) -> None:
    """Let many clients come at once, and print what they met."""
    shared = room / "shared.bin"
    write_random(shared, SHARED)
    put(url, shared)
    known, together = Acknowledged(), threading.Barrier(clients)
    there = [Client(url, number, known, together) for number in range(clients)]

    def run() -> None:
        for client in there:
            client.start()
        for client in there:
            client.join()

    took = seconds(run)
    errors = [client.error for client in there if client.error]
    lost = set(known.commits) - set(history(url))
    print(
        f"  {clients} clients, {sum(client.asked for client in there)} answers in {took:.1f} s, "
        f"{len(errors)} errors, {len(known.commits)} commits acknowledged, {len(lost)} lost"
    )
    for error in sorted(set(errors))[:5]:
        print(f"    {error}")


def main() -> None:
    """Measure downloads, uploads, and many clients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--clients", type=int, default=200)
    told = parser.parse_args()
    size = int(told.gigabytes * 1e9)
    with tempfile.TemporaryDirectory() as name:
        room, store = Path(name) / "files", Path(name) / "store"
        room.mkdir()
        new_store(store)
        with serving(store) as (_, url):
            made = {"name": REPO.partition("/")[2]}
            httpx2.post(f"{url}/api/repos/create", json=made, headers=HEADERS).raise_for_status()
            large = room / "large.bin"
            write_random(large, size)
            put(url, large)
            print(f"{told.gigabytes:g} GB, medians of {told.times}")
            downloads(url, large, told.times)
            large.unlink()
            uploads(url, room, size, told.times)
            many(url, room, told.clients)


if __name__ == "__main__":
    main()
