"""Large files, handed to the system to send: whole, in order, and to nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import http.client
import os
import random
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hubtl.server.sending import FromDisk
from hubtl.server.zero_copy import _Held

from . import serving
from .serving import TeamHubServer, make, running_hub

team_hub = serving.team_hub
NAME = "acme/moods"
LARGE = random.Random(0).randbytes(12_000_000)  # more than a socket takes at once
DIGEST = hashlib.sha256(LARGE).hexdigest()
NOT_HERE = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to count in")


@pytest.fixture
def place(team_hub: TeamHubServer) -> str:
    """The signed address of a large file, as a path."""
    return placed(team_hub)


def placed(hub: TeamHubServer) -> str:
    make(hub, NAME)
    sent = {"path_or_fileobj": LARGE, "path_in_repo": "w.bin", "repo_id": NAME}
    hub.api("ana").upload_file(**sent)
    found = hub.ask("GET", f"/{NAME}/resolve/main/w.bin", "ana", follow_redirects=False)
    return urlsplit(found.headers["Location"]).path


def asked(server: TeamHubServer, place: str, receive: int | None = None) -> socket.socket:
    """Ask for a file and read nothing yet; `receive` is the bytes that the system may hold."""
    client = socket.socket()
    if receive:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.connect((urlsplit(server.url).hostname, urlsplit(server.url).port))
    client.sendall(f"GET {place} HTTP/1.1\r\nHost: hub\r\n\r\n".encode())
    return client


def read_answer(client: socket.socket, pause: float = 0.0) -> bytes:
    """Read one answer's body, as slowly as asked."""
    answer = http.client.HTTPResponse(client)
    answer.begin()
    found = bytearray()
    while part := answer.read(500_000):
        found += part
        time.sleep(pause)
    return bytes(found)


def test_two_files_asked_for_at_once_come_whole_one_after_the_other(team_hub, place):
    request = f"GET {place} HTTP/1.1\r\nHost: hub\r\n".encode()
    with asked(team_hub, place) as client:
        client.sendall(request + b"Range: bytes=5-14\r\n\r\n")
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        reader = client.makefile("rb")
        bodies = []
        for _ in range(3):
            lines = iter(reader.readline, b"\r\n")
            (length,) = [each for each in lines if each.lower().startswith(b"content-length")]
            bodies.append(reader.read(int(length.split()[1])))
    assert hashlib.sha256(bodies[0]).hexdigest() == DIGEST
    assert bodies[1:] == [LARGE[5:15], b'{"status":"ok"}']


def test_a_slow_reader_gets_the_whole_file_while_others_are_answered(team_hub, place):
    with asked(team_hub, place, receive=4096) as slow:
        assert team_hub.ask("GET", "/healthz").status_code == 200
        with asked(team_hub, place) as quick:
            assert read_answer(quick) == LARGE
        assert read_answer(slow, pause=0.01) == LARGE


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@NOT_HERE
def test_clients_that_go_leave_nothing_open(team_hub, place):
    team_hub.ask("GET", "/healthz")
    before = open_files()
    for _ in range(20):
        with asked(team_hub, place, receive=4096) as client:
            assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    until = time.monotonic() + 20
    while open_files() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert open_files() <= before
    assert team_hub.ask("GET", place).content == LARGE


def test_a_file_that_is_cut_off_while_it_is_sent_ends_the_connection(team_hub, place):
    with asked(team_hub, place, receive=4096) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
        path = team_hub.hub.objects.contents.local(DIGEST)
        os.truncate(path, 6_000_000)
        got = 0
        while part := client.recv(1_000_000):
            got += len(part)
    assert 0 < got <= 6_000_000
    assert team_hub.ask("GET", "/healthz").status_code == 200


def test_numbers_are_closed_once_neither_a_task_nor_a_thread_uses_them(tmp_path, monkeypatch):
    path = tmp_path / "w.bin"
    path.write_bytes(b"mine")
    entered, go_on = threading.Event(), threading.Event()
    sendfile = os.sendfile

    def slowly(*arguments: int) -> int:
        entered.set()
        assert go_on.wait(20)
        return sendfile(*arguments)

    monkeypatch.setattr("os.sendfile", slowly)
    left, right = socket.socketpair()
    with left, right, path.open("rb") as file:
        held = _Held(left.fileno(), file.fileno())
        with ThreadPoolExecutor() as threads:
            sending = threads.submit(held.send, 0, 4)
            assert entered.wait(20)
            held.close()  # as a task does that is cancelled
            os.fstat(held.out)
            go_on.set()
            assert (sending.result(20), right.recv(10)) == (4, b"mine")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(held.out)
        assert held.send(0, 4) == 0, "whoever comes late does nothing"


def test_a_steady_reader_is_never_too_slow_and_one_that_stops_is_left(tmp_path, caplog):
    with running_hub(tmp_path, slow_body=0.7) as hub:
        place = placed(hub)
        with asked(hub, place, receive=4096) as steady, asked(hub, place, receive=4096) as stopped:
            assert read_answer(steady, pause=0.2) == LARGE  # longer than 0.7 s by far
            got = 0
            with contextlib.suppress(ConnectionError):
                while part := stopped.recv(1_000_000):
                    got += len(part)
            assert got < len(LARGE)
        assert hub.ask("GET", "/healthz").status_code == 200
    assert "the client reads too slowly" in caplog.text


def test_clients_that_go_are_no_error_and_count_for_what_they_took(team_hub, place, caplog):
    before = team_hub.hub.registry.get_sample_value("hubtl_sent_bytes_total")
    for number in range(10):
        with asked(team_hub, place, receive=4096) as client:
            assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
            if number % 2:  # by a reset, which sending meets in another way
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.recv(3_000_000)
    time.sleep(1)
    sent = team_hub.hub.registry.get_sample_value("hubtl_sent_bytes_total") - before
    assert sent < 10 * len(LARGE)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


def test_a_file_system_that_can_not_send_is_read(team_hub, place, monkeypatch):
    def refused(*_: int) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("os.sendfile", refused)
    assert team_hub.ask("GET", place).content == LARGE
    part = team_hub.ask("GET", place, headers={"Range": "bytes=3000000-5000000"})
    assert (part.status_code, part.content) == (206, LARGE[3_000_000:5_000_001])


def test_where_the_server_can_not_hand_over_files_they_are_read_and_sent(tmp_path):
    path = tmp_path / "w.bin"
    path.write_bytes(LARGE)
    messages = []

    async def send(message):
        messages.append(message)

    async def receive():
        await asyncio.sleep(60)

    response = FromDisk(path, 10, 3_000_000, 206, {"Content-Length": "2999990"})
    asyncio.run(response({"type": "http"}, receive, send))
    assert messages[0]["status"] == 206
    assert b"".join(each["body"] for each in messages[1:]) == LARGE[10:3_000_000]
    assert not messages[-1]["more_body"]
