"""Whatever is asked of a team hub, it never fails: each address, with what it was not made for."""

from __future__ import annotations

import random
import socket

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings

from hubtl.server.openapi import description
from hubtl.server.routes import ALL

from .serving import TOKENS, TeamHubServer

SOME = 6  # requests to an address by one who is known, and as many by one who is not
TRIES = 400


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with a repository of each kind, some history, a discussion and a collection."""
    folder = tmp_path_factory.mktemp("fuzz")
    with TeamHubServer(folder, requests_a_minute=10**6, failures_a_minute=10**6) as server:
        api = server.api("ana")
        for kind in ("model", "dataset", "space", "kernel"):
            sdk = {"space_sdk": "static"} if kind == "space" else {}
            api.create_repo("acme/moods", repo_type=kind, **sdk)
        api.upload_file(path_or_fileobj=b"\0x", path_in_repo="a/b.bin", repo_id="acme/moods")
        api.create_discussion("acme/moods", title="why")
        api.create_tag("acme/moods", tag="v1")
        api.create_collection("of acme", namespace="acme")
        yield server


OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(description(ALL, "")).get_all_operations()
]
# Names that lead somewhere, so that more than the first refusal is reached.
KNOWN = {
    "owner": "acme",
    "name": "moods",
    "revision": "main",
    "branch": "main",
    "account": "acme",
    "number": "1",
    "path": "a/b.bin",
    "status": "pending",
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_no_address_fails_whatever_it_is_given(operation, hub):
    quick = settings(
        max_examples=SOME, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )

    @quick
    @seed(0)
    @given(case=operation.as_strategy())
    def ask(case):
        for name, value in KNOWN.items():
            if name in case.path_parameters and len(str(case.path_parameters[name])) % 3:
                case.path_parameters[name] = value
        for headers in ({"Authorization": f"Bearer {TOKENS['ana']}"}, {}):
            answer = case.call(base_url=hub.url, headers=headers)
            assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text}"
            assert "Traceback" not in answer.text

    ask()


def mangled(dice: random.Random, request: bytes) -> bytes:
    """Return a request with some bytes changed, doubled, or cut off."""
    found = bytearray(request)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(found))
        choice = dice.randrange(4)
        if choice == 0:
            found[at] = dice.randrange(256)
        elif choice == 1:
            found[at:at] = dice.randbytes(dice.randrange(1, 8))
        elif choice == 2:
            del found[at : at + dice.randrange(1, 12)]
        else:
            found[at:at] = found[at : at + 40] * dice.randrange(1, 30)
        if not found:
            return b"\r\n"
    return bytes(found)


def test_no_bytes_on_the_wire_make_it_fail(hub):
    dice = random.Random(0)
    host, port = hub.url.removeprefix("http://").split(":")
    body = b'{"key": "header", "value": {"summary": "x"}}'
    plain = (
        f"POST /api/models/acme/moods/commit/main?create_pr=1 HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {TOKENS['ana']}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body
    for _ in range(TRIES):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(mangled(dice, plain))
            connection.settimeout(0.15)
            try:
                answer = connection.recv(4096)
            except (TimeoutError, ConnectionResetError):
                continue
        assert not answer.startswith(b"HTTP/1.1 5"), answer
        assert b"Traceback" not in answer
    assert hub.ask("GET", "/healthz").status_code == 200
