"""`hubtl serve`: the process, its limits, how it starts and how it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import hf_hub_download

from hubtl.server.hub import open_hub
from hubtl.server.store_lock import working_on

from . import serving
from .conftest import MINILM
from .serving import TOKENS

team_hub = serving.team_hub


def test_a_proxy_on_this_machine_may_say_what_clients_see(team_hub):
    team_hub.api("ana").create_repo("acme/moods")
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Host": "hub.acme.org"}
    body = {"name": "moods-2", "organization": "acme"}
    said = team_hub.ask("POST", "/api/repos/create", "ana", headers=told, json=body)
    assert said.json()["url"] == "https://hub.acme.org/acme/moods-2"
    assert "server" not in said.headers
    last = json.loads(team_hub.hub.audit_log.read_text().splitlines()[-1])
    assert (last["address"], last["user"]) == ("203.0.113.7", "ana")


def test_left_overs_are_removed_by_the_first_process_and_not_by_the_second(tmp_path):
    first, second = open_hub(tmp_path / "store"), open_hub(tmp_path / "store")
    old = first.objects.incoming / "old"
    old.write_bytes(b"of a killed process")
    with working_on(first):
        assert not old.exists()
        young = first.objects.incoming / "young"
        young.write_bytes(b"of the first process")
        with working_on(second):
            assert young.exists()
    first.close()
    second.close()


class Running:
    """`hubtl serve` in a process of its own, ready."""

    def __init__(self, *options: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hubtl", "serve", "--port", "0", *options],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.url = self.line.rpartition(" ")[2].strip()

    def stop(self, by: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Stop it, and return its exit code and the rest of what it said."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def test_serve_says_where_it_serves_and_ends_well_when_told_to(tmp_path):
    running = Running("--store", str(tmp_path / "hub"))
    assert running.line == f"serving {tmp_path / 'hub'} at {running.url}\n"
    assert httpx2.get(f"{running.url}/healthz").json() == {"status": "ok"}
    assert running.stop() == (0, "", "")


def test_ctrl_c_ends_it_as_it_ends_every_command(tmp_path):
    running = Running("--store", str(tmp_path / "hub"))
    code, out, err = running.stop(signal.SIGINT)
    assert (code, out) == (130, "")
    assert err == "\nstopped; nothing was left behind\n"


def test_a_running_request_is_finished_when_the_hub_is_told_to_stop(tmp_path, hubtl_cli):
    store = f"--store {tmp_path / 'hub'}"
    assert hubtl_cli(f"hub user add ana {store}").code == 0
    assert hubtl_cli(f"hub token add ana --value {TOKENS['ana']} {store}").code == 0
    running = Running("--store", str(tmp_path / "hub"))
    host, port = running.url.removeprefix("http://").split(":")
    body = b'{"name": "moods"}'
    token = f"Authorization: Bearer {TOKENS['ana']}\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=10) as opened:
        opened.sendall(
            b"POST /api/repos/create HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n"
            + token
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:5]
        )
        time.sleep(1)
        running.process.send_signal(signal.SIGTERM)
        with pytest.raises(OSError):
            for _ in range(100):  # it hears of the signal when it next looks
                socket.create_connection((host, int(port)), timeout=1).close()
                time.sleep(0.1)
        opened.sendall(body[5:])
        assert opened.recv(100).startswith(b"HTTP/1.1 200")
    assert running.process.wait(10) == 0
    running.stop()


def test_two_hubs_cannot_have_one_address(tmp_path, hubtl_cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = hubtl_cli(f"serve --port {port} --store {tmp_path / 'hub'}")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"error: 127.0.0.1 port {port} can't be used: Address already in use\n\n"
        "hint: is a hub running there? --port 0 takes any port that is free\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--host no.such.host.invalid", "is no address of this machine"),
        ("--pickles eat", "--pickles can't be `eat`"),
        ("--database mysql://x/y", "the database `mysql` is not one that hubtl speaks"),
    ],
)
def test_what_cannot_be_served_is_said(options, told, tmp_path, hubtl_cli):
    said = hubtl_cli(f"serve --port 0 --store {tmp_path / 'hub'} {options}")
    assert (said.code, said.out) == (1, "")
    assert told in said.err


def test_other_machines_are_let_in_with_a_warning(tmp_path):
    running = Running("--store", str(tmp_path / "hub"), "--host", "0.0.0.0", "--no-anonymous")
    assert httpx2.get(f"{running.url}/api/models").status_code == 401
    code, _, err = running.stop()
    assert code == 0 and "put a proxy with TLS in front" in err


@pytest.mark.long
def test_the_demo_has_the_starter_models_a_user_and_a_token_and_is_gone_at_the_end(tmp_path):
    began = time.monotonic()
    running = Running("--demo", "--json")
    assert time.monotonic() - began < 60
    lines = [running.line]
    while "}" not in lines[-1]:
        lines.append(running.process.stdout.readline())
    said = json.loads("".join(lines))
    assert stat.S_IMODE(Path(said["demo_token"]).stat().st_mode) == 0o600
    token = Path(said["demo_token"]).read_text().strip()
    asked = {"headers": {"Authorization": f"Bearer {token}"}}
    who = httpx2.get(f"{said['address']}/api/whoami-v2", **asked).json()
    assert who["name"] == "demo"
    assert [(o["name"], o["roleInOrg"]) for o in who["orgs"]] == [("acme", "admin")]
    kept = hf_hub_download(
        MINILM, "config.json", endpoint=said["address"], token=token, cache_dir=tmp_path
    )
    assert "c9745ed1d9f207416be6d2e6f8de32d1f16199bf" in kept
    code, out, err = running.stop()
    assert (code, out) == (0, "")
    assert err.endswith(f"export HF_ENDPOINT={said['address']}\nexport HF_TOKEN={token}\n")
    assert not Path(said["store"]).exists()


@pytest.mark.long
def test_a_demo_with_a_store_keeps_it_and_its_token(tmp_path):
    tokens = []
    for _ in range(2):
        running = Running("--demo", "--store", str(tmp_path / "hub"))
        tokens.append((tmp_path / "hub" / "demo-token").read_text())
        assert running.stop()[0] == 0
    assert tokens[0] == tokens[1]
