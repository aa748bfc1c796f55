"""Large files, handed to the system to send: whole, in order, and to nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import random
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hubtl.server.sending import FromDisk
from hubtl.server.zero_copy import _to_its_end

from . import serving
from .serving import TeamHubServer, make

team_hub = serving.team_hub
NAME = "acme/moods"
LARGE = random.Random(0).randbytes(12_000_000)  # more than a socket takes at once
DIGEST = hashlib.sha256(LARGE).hexdigest()
NOT_HERE = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to count in")


@pytest.fixture
def place(team_hub: TeamHubServer) -> str:
    """The signed address of a large file, as a path."""
    make(team_hub, NAME)
    sent = {"path_or_fileobj": LARGE, "path_in_repo": "w.bin", "repo_id": NAME}
    team_hub.api("ana").upload_file(**sent)
    found = team_hub.ask("GET", f"/{NAME}/resolve/main/w.bin", "ana", follow_redirects=False)
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


def test_what_is_given_up_has_ended_before_its_files_are_closed():
    ended: list[bool] = []

    async def sending() -> int:
        await asyncio.to_thread(time.sleep, 0.3)
        ended.append(True)
        return 1

    async def giving_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await _to_its_end(sending())
        assert ended == [True]

    asyncio.run(giving_up())


def test_where_the_server_can_not_hand_over_files_they_are_read_and_sent(tmp_path):
    path = tmp_path / "w.bin"
    path.write_bytes(LARGE)
    messages = []

    async def send(message):
        messages.append(message)

    response = FromDisk(path, 10, 3_000_000, 206, {"Content-Length": "2999990"})
    asyncio.run(response({"type": "http"}, None, send))
    assert messages[0]["status"] == 206
    assert b"".join(each["body"] for each in messages[1:]) == LARGE[10:3_000_000]
    assert [each["more_body"] for each in messages[1:]] == [True, True, False]
