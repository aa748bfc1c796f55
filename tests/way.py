"""A way to a server that can be held up or cut in the middle of an answer.

with Way(server.url) as way: httpx2.get(f"{way.url}/healthz")
"""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit

NEVER = 1 << 60


class Way:
    """Passes connections on; of each answer `most` bytes and no more until it is `open`ed."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self.most = NEVER
        self.reached = threading.Event()  # that many bytes of one connection
        self._opened = threading.Event()
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Way:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections, and let none come any more: the server is gone."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.open()
        self.cut()

    def hold_after(self, most: int) -> None:
        """Let so many bytes of each connection from now on come, then none."""
        self.cut()
        self.reached.clear()
        self._opened.clear()
        self.most = most

    def open(self) -> None:
        """Let all come."""
        self.most = NEVER
        self._opened.set()

    def cut(self) -> None:
        """End all connections, wherever they are."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends = []

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection((self._to.hostname, self._to.port))
            except OSError:
                return
            self._ends += [near, far]
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, held: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while part := source.recv(1 << 16):
                if held and passed + len(part) > self.most:
                    now = max(0, self.most - passed)
                    target.sendall(part[:now])
                    self.reached.set()
                    self._opened.wait()
                    target.sendall(part[now:])
                else:
                    target.sendall(part)
                passed += len(part)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
