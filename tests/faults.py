"""A team hub that is killed while it is written to, again and again, and what is left each time.

python -m tests.faults --kills 50    prints a line a kill; exits 1 where anything was lost
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx2

from hubtl.server.accounts import add_account, add_token
from hubtl.server.checking import check
from hubtl.server.hub import open_hub

TOKEN = "hf_writer_0123456789"
REPO = "ana/moods"
WRITERS = 4


@dataclass(slots=True)
class Acknowledged:
    """What the hub has said is kept: a commit, its file, and the file's sha256."""

    commits: dict[str, tuple[str, str]] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)


class Writer(threading.Thread):
    """Commits a small and a large file again and again, until the hub is gone."""

    def __init__(self, url: str, number: int, known: Acknowledged) -> None:
        super().__init__(daemon=True)
        self.url, self.number, self.known = url, number, known
        self.dice = random.Random(f"{number} {url} {time.time()}")

    def run(self) -> None:
        """Write until a request fails, which is when the hub was killed."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with (
            contextlib.suppress(httpx2.HTTPError),
            httpx2.Client(base_url=self.url, headers=headers, timeout=20) as client,
        ):
            while True:
                self.commit(client)

    def commit(self, client: httpx2.Client) -> None:
        """Send a large file by LFS, then commit it together with a small one."""
        large = self.dice.randbytes(self.dice.randrange(1, 400_000))
        small = self.dice.randbytes(40)
        sha256 = hashlib.sha256(large).hexdigest()
        asked = {"operation": "upload", "objects": [{"oid": sha256, "size": len(large)}]}
        batch = client.post(f"/{REPO}.git/info/lfs/objects/batch", json=asked).raise_for_status()
        upload = batch.json()["objects"][0]["actions"]["upload"]["href"]
        client.put(upload, content=large).raise_for_status()
        path = f"{self.number}/{sha256[:12]}"
        lines: list[tuple[str, dict[str, Any]]] = [
            ("header", {"summary": path}),
            ("lfsFile", {"path": f"{path}.bin", "algo": "sha256", "oid": sha256}),
            (
                "file",
                {
                    "path": f"{path}.txt",
                    "encoding": "base64",
                    "content": base64.b64encode(small).decode(),
                },
            ),
        ]
        body = "\n".join(json.dumps({"key": key, "value": value}) for key, value in lines)
        answer = client.post(f"/api/models/{REPO}/commit/main", content=body)
        answer.raise_for_status()
        with self.known.turn:
            self.known.commits[answer.json()["commitOid"]] = (f"{path}.bin", sha256)


@contextlib.contextmanager
def serving(
    store: Path | str, largest_file: int | None = None, log: IO[bytes] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `hubtl serve` on a store, in a process of its own that may be killed.

    With `largest_file`, in bytes, the system lets it write no larger file: a disk that is full.
    What it says goes to the `log`.
    """
    command = [sys.executable, "-m", "hubtl", "serve", "--store", str(store), "--port", "0"]
    if largest_file:
        command = ["bash", "-c", f'ulimit -f {largest_file // 1024}; exec "$@"', "bash", *command]
    written = {"stdout": subprocess.PIPE, "stderr": log}
    with subprocess.Popen([*command, "--json"], **written, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the hub did not start: {text}")
            text += line
        try:
            yield process, json.loads(text)["address"]
        finally:
            process.kill()


def new_store(store: Path, database: str | None = None, bucket: str | None = None) -> None:
    """Make a hub with one user."""
    hub = open_hub(store, database=database, bucket=bucket)
    with hub.database.writing() as db:
        add_account(db, "ana", "user")
        add_token(db, hub.secret, "ana", value=TOKEN)
    hub.close()


def kill_again_and_again(store: Path, kills: int) -> Iterator[tuple[int, int, float]]:
    """Kill a hub at random moments; gives (kill, commits acknowledged until then, seconds).

    After each kill all that was ever acknowledged must be there, once, and whole, and no more may
    be wrong with the store than what a start mends. Raises AssertionError for what is lost.
    """
    new_store(store)
    known = Acknowledged()
    dice = random.Random(0)
    for kill in range(kills):
        with serving(store) as (process, url):
            if kill == 0:
                headers = {"Authorization": f"Bearer {TOKEN}"}
                made = {"name": REPO.partition("/")[2]}
                httpx2.post(f"{url}/api/repos/create", json=made, headers=headers)
            writers = [Writer(url, number, known) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            while kill == 0 and not known.commits and process.poll() is None:
                time.sleep(0.01)  # or, on a busy machine, nothing may ever be acknowledged
            after = dice.uniform(0.02, 0.6)
            time.sleep(after)
            process.kill()
            process.wait()
            for writer in writers:
                writer.join(30)
        look(store, known)
        yield kill, len(known.commits), after


def look(store: Path, known: Acknowledged) -> None:
    """Raise AssertionError unless what was acknowledged is there and the store is whole."""
    hub = open_hub(store)
    try:
        problems = check(hub, lambda *_: None).problems
        assert not problems, f"the store is not whole: {problems[:5]}"
    finally:
        hub.close()
    with serving(store) as (_, url):
        everything = history(url)
        assert len(everything) == len(set(everything)), "a commit is in the history twice"
        lost = set(known.commits) - set(everything)
        assert not lost, f"acknowledged commits are not in the history: {lost}"
        for commit in random.sample(sorted(known.commits), min(10, len(known.commits))):
            path, sha256 = known.commits[commit]
            got = httpx2.get(f"{url}/{REPO}/resolve/{commit}/{path}", follow_redirects=True)
            assert hashlib.sha256(got.content).hexdigest() == sha256, f"{path} is not whole"


def history(url: str) -> list[str]:
    """Return the ids of all commits of the repository's main."""
    found, page = [], f"{url}/api/models/{REPO}/commits/main?limit=1000"
    while page:
        answer = httpx2.get(page)
        answer.raise_for_status()
        found += [each["id"] for each in answer.json()]
        page = answer.links.get("next", {}).get("url", "")
    return found


def main() -> None:
    """Kill as often as asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    os.environ.setdefault("HUBTL_PLUGINS", "")
    with tempfile.TemporaryDirectory() as room:
        kills = kill_again_and_again(Path(room, "store"), parser.parse_args().kills)
        for kill, commits, after in kills:
            print(f"kill {kill + 1:2} after {after:.2f} s: {commits} acknowledged, all whole")


if __name__ == "__main__":
    main()
