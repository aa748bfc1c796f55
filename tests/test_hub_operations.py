"""Running a team hub: what it logs, how it stops, and what it removes by itself."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import socket
import threading
import time

import httpx2

from hubtl.server.logs import Lines
from hubtl.server.upkeep import Upkeep

from . import serving, test_hub_rights
from .serving import TOKENS
from .test_hub_rights import LARGE, NAME, SHA256, upload
from .test_serve import Running

team_hub, moods = serving.team_hub, test_hub_rights.moods


def served(tmp_path, hubtl_cli, *options: str) -> Running:
    """Start a hub with the user ana."""
    store = f"--store {tmp_path / 'hub'}"
    assert hubtl_cli(f"hub user add ana {store}").code == 0
    assert hubtl_cli(f"hub token add ana --name laptop --value {TOKENS['ana']} {store}").code == 0
    return Running("--store", str(tmp_path / "hub"), *options)


def ask(running: Running, method: str, path: str, token: str, **more) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return httpx2.request(method, f"{running.url}{path}", headers=headers, **more)


def test_every_request_is_a_line_of_json_with_its_name_and_without_any_token(tmp_path, hubtl_cli):
    running = served(tmp_path, hubtl_cli, "--logs", "json")
    named = {"X-Request-Id": "my-request"}
    ask(running, "GET", "/api/whoami-v2?token=hf_in_a_query", TOKENS["ana"], headers=named)
    ask(running, "GET", "/api/models", "hf_a_wrong_token")
    ask(running, "POST", "/api/repos/create", TOKENS["ana"], json={"name": "moods"})
    body = {"operation": "upload", "objects": [{"oid": SHA256, "size": len(LARGE)}]}
    batch = ask(running, "POST", "/ana/moods/info/lfs/objects/batch", TOKENS["ana"], json=body)
    put = batch.json()["objects"][0]["actions"]["upload"]["href"]
    assert httpx2.put(put, content=LARGE).status_code == 200
    (tmp_path / "hub" / "objects" / SHA256[:2] / SHA256[2:4] / SHA256).unlink()
    _, _, err = running.stop()
    lines = [json.loads(line) for line in err.splitlines()]
    told = [(each["method"], each["path"], each["status"], each["user"]) for each in lines]
    assert told == [
        ("GET", "/api/whoami-v2", 200, "ana"),
        ("GET", "/api/models", 401, None),
        ("POST", "/api/repos/create", 200, "ana"),
        ("POST", "/ana/moods/info/lfs/objects/batch", 200, "ana"),
        ("PUT", "/lfs/whole/...", 200, None),
    ]
    assert {*lines[0]} == {
        *("time", "level", "logger", "message", "request"),
        *("user", "token", "address", "method", "path", "status", "ms", "bytes"),
    }
    assert (lines[0]["request"], lines[0]["token"]) == ("my-request", "laptop")
    audit = (tmp_path / "hub" / "audit.log").read_text()
    signature = put.rpartition("/")[2]
    for secret in (TOKENS["ana"], "hf_in_a_query", "hf_a_wrong_token", signature):
        assert secret not in err + audit


def test_what_goes_wrong_is_one_line_with_the_name_of_the_request(moods, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError(f"no way with Bearer secret or {TOKENS['ana']}")

    monkeypatch.setattr("hubtl.server.routes.operations.generate_latest", broken)
    written = logging.StreamHandler(io.StringIO())
    written.setFormatter(Lines())
    monkeypatch.setattr(logging.getLogger("hubtl.server"), "handlers", [written])
    named = {"X-Request-Id": "my-request"}
    assert moods.ask("GET", "/metrics", "ana", headers=named).status_code == 500
    (failed,) = [json.loads(line) for line in written.stream.getvalue().splitlines()]
    assert (failed["level"], failed["message"]) == ("error", "a request failed")
    assert failed["request"] == "my-request"
    assert failed["exception"].endswith("RuntimeError: no way with Bearer ... or ...")


def upload_begun(running: Running, size: int) -> tuple[socket.socket, str]:
    """Return a connection on which half of a large file has been sent, and the file's sha256."""
    ask(running, "POST", "/api/repos/create", TOKENS["ana"], json={"name": "moods"})
    sha256 = hashlib.sha256(bytes(size)).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": sha256, "size": size}]}
    batch = ask(running, "POST", "/ana/moods/info/lfs/objects/batch", TOKENS["ana"], json=body)
    put = batch.json()["objects"][0]["actions"]["upload"]["href"].removeprefix(running.url)
    host, port = running.url.removeprefix("http://").split(":")
    opened = socket.create_connection((host, int(port)), timeout=10)
    opened.sendall(f"PUT {put} HTTP/1.1\r\nHost: hub\r\nContent-Length: {size}\r\n\r\n".encode())
    opened.sendall(bytes(size // 2))
    return opened, sha256


def test_an_upload_under_way_is_finished_when_the_hub_is_told_to_stop(tmp_path, hubtl_cli):
    running = served(tmp_path, hubtl_cli, "--finish", "20s")
    opened, sha256 = upload_begun(running, 4 << 20)
    with opened:
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        time.sleep(2)
        opened.sendall(bytes(2 << 20))
        assert opened.recv(100).startswith(b"HTTP/1.1 200")
    stopping.join(20)
    assert running.process.returncode == 0
    assert (tmp_path / "hub" / "objects" / sha256[:2] / sha256[2:4] / sha256).is_file()


def test_an_upload_that_does_not_end_is_not_waited_for_longer_than_was_said(tmp_path, hubtl_cli):
    running = served(tmp_path, hubtl_cli, "--finish", "1s")
    opened, _ = upload_begun(running, 4 << 20)
    with opened:
        began = time.monotonic()
        assert running.stop()[0] == 0
        assert time.monotonic() - began < 8
    assert list((tmp_path / "hub" / "incoming").iterdir()) == []


def test_what_nothing_refers_to_is_removed_once_it_is_old_enough(moods):
    put, _ = upload(moods, "ana", b"never committed")
    assert moods.ask("PUT", put, content=b"never committed").status_code == 200
    unused = hashlib.sha256(b"never committed").hexdigest()
    upkeep, objects = Upkeep(moods.hub), moods.hub.objects
    upkeep.collect()
    for age, there in ((None, True), (3600.0, True), (0.0, False)):
        object.__setattr__(moods.hub.policy, "retention", age)
        upkeep.collect()
        assert objects.has(unused) is there
    assert objects.has(SHA256), "a commit of moods refers to it"
    kept = moods.ask("GET", f"/{NAME}/resolve/main/w.bin", "ana", follow_redirects=True)
    assert kept.content == LARGE
