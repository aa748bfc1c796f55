"""What no client of the Hub sends: slow headers, endless ones, and requests that are none."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from hubtl.server.serving import LARGEST_HEADERS

from .serving import TOKENS, TeamHubServer, running_hub


@contextlib.contextmanager
def connection(server: TeamHubServer) -> Iterator[socket.socket]:
    """A plain connection, to send what no client would."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as opened:
        yield opened


def answer(opened: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := opened.recv(65536):
            found += part
    return found


def status(opened: socket.socket, request: bytes) -> int | None:
    """The status of one request that closes the connection; None where it was just closed."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        opened.sendall(request)
    found = answer(opened)
    return int(found.split()[1]) if found else None


GET = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n"


@pytest.mark.parametrize(
    "pieces",
    [(b"",), (b"GET /hea",), (GET, b"X-A: b\r\n", b"X-B: c\r\n"), (b"\r\n", b"\r\n")],
    ids=["nothing", "half a line", "header by header", "empty lines"],
)
def test_headers_that_do_not_come_in_time_end_the_connection(tmp_path, pieces):
    with running_hub(tmp_path, slow_headers=0.5) as server, connection(server) as slow:
        began = time.monotonic()
        for piece in pieces:
            slow.sendall(piece)
            time.sleep(0.1)
        assert answer(slow) == b""
        assert 0.4 < time.monotonic() - began < 3


def test_the_time_for_headers_counts_anew_from_the_first_byte_of_each_request(tmp_path):
    with running_hub(tmp_path, slow_headers=1.5) as server, connection(server) as kept:
        for _ in range(2):
            kept.sendall(GET + b"\r\n")
            assert kept.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(1)
        began = time.monotonic()
        kept.sendall(b"GET /")
        assert answer(kept) == b""
        assert 1.4 < time.monotonic() - began < 3


def test_a_client_that_was_refused_may_not_send_its_body_for_ever(tmp_path):
    with running_hub(tmp_path, slow_headers=0.5) as server, connection(server) as slow:
        slow.sendall(
            b"POST /api/repos/create HTTP/1.1\r\nHost: hub\r\nContent-Length: 9999\r\n\r\n"
        )
        assert slow.recv(65536).startswith(b"HTTP/1.1 401")
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while slow.send(b"x") and time.monotonic() - began < 5:
                time.sleep(0.1)
        assert 0.3 < time.monotonic() - began < 3


def test_a_slow_client_takes_nothing_from_others(tmp_path):
    with running_hub(tmp_path, slow_headers=5) as server, contextlib.ExitStack() as held:
        for _ in range(50):
            held.enter_context(connection(server)).sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        assert server.ask("GET", "/healthz").status_code == 200


LONG = b"a" * (LARGEST_HEADERS + 1)
END = b"Connection: close\r\n\r\n"
BAD = {
    "a header of 64 kB": (GET + b"X-Long: " + LONG + b"\r\n" + END, 431),
    "an address of 64 kB": (b"GET /" + LONG + b" HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "4000 headers": (
        GET + b"".join(b"X-%d: %s\r\n" % (n, b"b" * 20) for n in range(4000)) + END,
        431,
    ),
    "headers without end": (GET + b"X-Long: " + LONG * 9, 431),
    "a line that is none": (b"hello there\r\n\r\n", 400),
    "NUL in the path": (b"GET /api/models/a\0b HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "NUL in quotes": (b"GET /acme/moods/resolve/main/a%00b HTTP/1.1\r\nHost: hub\r\n" + END, 401),
    "bytes that are no UTF-8": (b"GET /api/models/acme/%FF HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "raw bytes in the path": (b"GET /api/models/acme/\xff HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "a line break in a header": (GET + b"X-A: b\rX-B: c\r\n" + END, 400),
    "a folded header": (GET + b"X-A: b\r\n  c: d\r\n" + END, 400),
    "a space before the colon": (GET + b"X-A : b\r\n" + END, 400),
    "NUL in a header": (GET + b"X-A: b\0c\r\n" + END, 400),
    "two lengths": (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n" + END, 400),
    "a length and chunks": (
        GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
        400,
    ),
    "a length that is no number": (GET + b"Content-Length: -1\r\n" + END, 400),
    "an unknown method": (b"BREW /healthz HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "CONNECT": (b"CONNECT hub:80 HTTP/1.1\r\nHost: hub\r\n" + END, 400),
    "a path up and out": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: hub\r\n" + END, 404),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamHubServer]:
    """One hub for requests that change nothing."""
    with running_hub(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.mark.parametrize("name", BAD)
def test_a_request_that_no_client_sends_is_refused_and_nothing_breaks(name, shared):
    request, wanted = BAD[name]
    with connection(shared) as opened:
        assert status(opened, request) == wanted
    assert shared.ask("GET", "/healthz").status_code == 200


def test_trailers_of_a_body_do_not_become_headers_and_have_an_end(shared):
    chunked = b"POST /api/repos/create HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n"
    token = f"Authorization: Bearer {TOKENS['ana']}\r\n".encode()
    with connection(shared) as opened:
        assert status(opened, chunked + END + b"2\r\n{}\r\n0\r\n" + token + b"\r\n") == 401
    with connection(shared) as opened:
        assert status(opened, chunked + token + END + b"2\r\n{}\r\n0\r\nX: " + LONG * 9) in (
            400,
            431,
        )
