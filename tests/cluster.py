"""A PostgreSQL of the tests' own: thrown away at the end, on a socket that nobody else knows.

Its texts stand in order as people write them, as most servers have it, and not by their bytes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
USER, PASSWORD = "team_hub", "pass/word: 100% secret"
SETTINGS = "-c listen_addresses='' -c fsync=off -k"


class Cluster:
    """A server that may be stopped and started; `url` makes a database in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        said = folder / "password"
        said.write_text(PASSWORD)
        if os.geteuid() == 0:  # which it refuses to run as
            for path in (folder, said):
                shutil.chown(path, "postgres", "postgres")
        kind = ["--locale-provider=icu", "--icu-locale=en", "--encoding=UTF8", "--no-sync"]
        known = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={said}"]
        self._run("initdb", "-D", str(self._data), *kind, *known)

    def _run(self, program: str, *arguments: str) -> None:
        as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        command = [str(PROGRAMS[-1].with_name(program)), *arguments]
        done = subprocess.run(
            [*(as_whom if os.geteuid() == 0 else ()), *command],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log, options = str(self._folder / "log"), f"{SETTINGS} {self._folder}"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` lets nobody finish, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", how, "stop")

    def url(self) -> str:
        """Return the URL of a new database."""
        import psycopg

        name = f"hub_{secrets.token_hex(4)}"
        told = {"host": str(self._folder), "user": USER, "password": PASSWORD}
        with psycopg.connect(**told, dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@/{name}?host={self._folder}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server that runs."""
    if not PROGRAMS:
        pytest.skip("no PostgreSQL here: `make postgres`")
    # A socket's path has at most 107 letters.
    with tempfile.TemporaryDirectory(prefix="hubtl-pg-", dir="/tmp") as folder:
        made = Cluster(Path(folder))
        made.start()
        yield made
        made.stop("immediate")
