"""Debian's nginx, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def free_port() -> int:
    """Return a port that nobody listens to just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def nginx(room: Path, servers: str, port: int) -> Iterator[None]:
    """Let nginx serve what is written in `room`; raises with its own words where it does not."""
    temporary = " ".join(
        f"{each}_temp_path {room}/{each};"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    log = room / "error.log"
    (room / "nginx.conf").write_text(
        f"{user} daemon off; pid {room}/pid; error_log {log}; events {{}}\n"
        f"http {{ access_log {room}/access.log; {temporary}\n{servers}}}\n"
    )
    command = [str(NGINX), "-p", str(room), "-e", str(log), "-c", f"{room}/nginx.conf"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            _wait_for(port, running)
        except TimeoutError as late:
            running.kill()
            said = running.communicate()[1] + (log.read_text() if log.is_file() else "")
            raise RuntimeError(f"{late}; it ended with {running.returncode}: {said}") from late
        try:
            yield
        finally:
            running.terminate()


def _wait_for(port: int, running: subprocess.Popen[str]) -> None:
    """Return once the port is open; raises TimeoutError if it ends first, or takes a minute."""
    until, refused = time.monotonic() + 60, "never asked"
    while time.monotonic() < until and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError as error:
            refused = str(error)
            time.sleep(0.1)
    raise TimeoutError(f"nginx does not listen to port {port} ({refused})")
