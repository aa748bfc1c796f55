"""A real server that speaks S3 (rclone's) over a folder: `bucket = buckets.bucket` has one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

KEY, SECRET = "team-hub", "a-secret-of-the-test"
RCLONE = Path(sys.executable).with_name("rclone.exe" if os.name == "nt" else "rclone")


class S3Server:
    """An S3 whose bucket `hub` is a folder; it can be stopped, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "hub").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Answer from now on."""
        asked = ["serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}"]
        command = [str(RCLONE), *asked, "--config", os.devnull, str(self.folder)]
        self._running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                assert self._running.poll() is None and time.monotonic() < until
                time.sleep(0.05)

    def kill(self) -> None:
        """Answer no more, whatever is under way."""
        if self._running:
            self._running.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
            self._running.wait()
            self._running = None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[Path]:
        """Give the folder of the bucket while nobody serves it, so that no cache is wrong of it."""
        self.kill()
        yield self.folder / "hub"
        self.start()

    def objects(self) -> dict[str, bytes]:
        """Return what lies in the bucket, by key."""
        root = self.folder / "hub"
        found = (path for path in sorted(root.rglob("*")) if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A running S3, named by the environment as boto3 reads it."""
    server = S3Server(tmp_path / "s3")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (
        ("AWS_ENDPOINT_URL", server.url),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", os.devnull),
        ("AWS_SHARED_CREDENTIALS_FILE", os.devnull),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()
