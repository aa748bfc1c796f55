"""A team hub is safe as it comes: each rule, tried."""

from __future__ import annotations

import base64
import json
import pickle
import socket
import time

import pytest
from huggingface_hub.errors import HfHubHTTPError

from . import serving
from .serving import TOKENS, running_hub

team_hub = serving.team_hub

NAME = "acme/moods"
ADDRESS = f"/api/models/{NAME}"


@pytest.fixture
def moods(team_hub):
    """A public repository of acme with one page."""
    api = team_hub.api("ana")
    api.create_repo(NAME)
    api.upload_file(path_or_fileobj=PAGE, path_in_repo="a.html", repo_id=NAME)
    return team_hub


PAGE = b"<script>alert(document.cookie)</script>"


def commit(server, path, content, user="ana"):
    said = base64.b64encode(content).decode()
    lines = [
        {"key": "header", "value": {"summary": "try"}},
        {"key": "file", "value": {"path": path, "encoding": "base64", "content": said}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    return server.ask("POST", f"{ADDRESS}/commit/main", user, content=body)


def raw(server, request: bytes, wait: float = 5.0) -> bytes:
    """Send bytes as they are, and return what comes until the connection is closed or `wait`."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(request)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except TimeoutError:
            pass
        return found


def test_a_token_is_kept_as_a_hash(moods):
    kept = b"".join(path.read_bytes() for path in moods.hub.folder.glob("hub.sqlite*"))
    for token in TOKENS.values():
        assert token.encode() not in kept
    assert (moods.hub.folder / "secret").stat().st_mode & 0o777 == 0o600
    assert moods.hub.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/secret",
        "a.html/../../../secret",
        "/etc/passwd",
        "%00",
        "a.html%00.txt",
        "..%5c..%5csecret",
    ],
)
@pytest.mark.parametrize("where", [f"{ADDRESS}/tree/main", f"/{NAME}/resolve/main", "/objects"])
def test_no_address_leads_out_of_a_repository(where, path, moods):
    said = raw(
        moods, f"GET {where}/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert said.split(b" ")[1] in (b"400", b"403", b"404")
    assert b"root:" not in said


def test_a_page_that_was_uploaded_is_never_shown_as_a_page(moods):
    answer = moods.ask("GET", f"/{NAME}/resolve/main/a.html")
    assert answer.content == PAGE
    told = {name: answer.headers[name] for name in ("content-type", "content-security-policy")}
    assert told == {
        "content-type": "application/octet-stream",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    assert answer.headers["content-disposition"] == 'attachment; filename="a.html"'
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1", "a\nb", 'a";x="b', "ä\u2028\r\n"])
def test_nothing_a_client_says_becomes_a_header(name, moods):
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    for address in (f"/{NAME}/resolve/main/{quoted}", f"{ADDRESS}/revision/{quoted}"):
        answer = moods.ask("GET", address, "ana")
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers
        assert all("\n" not in value for value in answer.headers.values())


def test_a_file_name_cannot_break_out_of_its_header(moods):
    assert commit(moods, 'a";x="b.txt', b"x").status_code == 200
    answer = moods.ask("GET", f"/{NAME}/resolve/main/a%22%3Bx%3D%22b.txt")
    assert answer.headers["content-disposition"].startswith("attachment; filename")
    assert ';x="b' not in answer.headers["content-disposition"]


def test_bodies_have_an_end(tmp_path):
    small = {"largest_body": 1000, "largest_regular": 1000, "largest_file": 5000}
    with running_hub(tmp_path, **small, largest_commit=200_000) as server:
        server.api("ana").create_repo(NAME)
        long = {"content": "x" * 2000}
        assert server.ask("POST", "/api/validate-yaml", json=long).status_code == 413
        assert commit(server, "a.txt", b"x" * 1000).status_code == 200
        assert commit(server, "a.txt", b"x" * 1001).status_code == 413
        assert commit(server, "a.txt", b"x" * 100_000).status_code == 413
        assert commit(server, "a.txt", b"x" * 1_000_000).status_code == 413
        # Told by nobody beforehand, it is cut off where it gets too long.
        parts = (b"x" * 500 for _ in range(10))
        assert server.ask("POST", "/api/validate-yaml", content=parts).status_code == 413
        batch = {"operation": "upload", "objects": [{"oid": "0" * 64, "size": 5001}]}
        address = f"/{NAME}.git/info/lfs/objects/batch"
        assert server.ask("POST", address, "ana", json=batch).status_code == 413
        assert list(server.hub.objects.incoming.iterdir()) == []


BOMB = "---\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CARDS = {
    "a bomb": f"{BOMB}---\n",
    "a deep nest": "---\na: " + "[" * 20_000 + "]" * 20_000 + "\n---\n",
    "a tag of Python's": "---\na: !!python/object/apply:os.system [id]\n---\n",
    "no mapping": "---\n- a\n- b\n---\n",
    "a broken line": "---\na: [\n---\n",
}


@pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))
def test_a_card_that_would_do_harm_is_refused_at_once(card, moods):
    began = time.perf_counter()
    said = moods.ask("POST", "/api/validate-yaml", json={"content": card})
    assert said.status_code == 400 and said.json()["errors"][0]["message"]
    assert commit(moods, "README.md", card.encode()).status_code == 400
    assert time.perf_counter() - began < 5


def test_what_cannot_be_read_in_a_repository_tells_nothing_and_stops_nothing(moods):
    api = moods.api("ana")
    length = (1 << 60).to_bytes(8, "little")
    files = {
        "config.json": b'{"architectures": ' + b"[" * 100_000,
        "adapter_config.json": b"\xff\xfe not json",
        "model.safetensors": length + b"{}",
        "more.safetensors": (2).to_bytes(8, "little") + b"[]",
        "odd.safetensors": (40).to_bytes(8, "little") + b'{"a":{"dtype":1,"shape":[1e999,"x",-5]}}',
    }
    for path, content in files.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
    info = api.model_info(NAME, files_metadata=True)
    assert (info.safetensors, info.config) == (None, {})
    assert [each.id for each in api.list_models(full=True, cardData=True)] == [NAME]


def test_a_pickle_is_flagged_and_where_the_policy_says_so_refused(tmp_path):
    content = pickle.dumps({"weights": [1.0] * 100})
    with running_hub(tmp_path / "flag") as server:
        api = server.api("ana")
        api.create_repo(NAME)
        for path in ("weights.pkl", "hidden.txt"):
            api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
        api.upload_file(path_or_fileobj=b"fine", path_in_repo="fine.txt", repo_id=NAME)
        tree = api.list_repo_tree(NAME, expand=True)
        told = {each.path: each.security.status for each in tree}
        assert told == {
            ".gitattributes": "safe",
            "fine.txt": "safe",
            "hidden.txt": "unsafe",
            "weights.pkl": "unsafe",
        }
    with running_hub(tmp_path / "refuse", pickles="refuse") as server:
        api = server.api("ana")
        api.create_repo(NAME)
        for path in ("weights.pkl", "hidden.txt"):
            with pytest.raises(HfHubHTTPError, match="can run code when it is loaded"):
                api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
        assert api.list_repo_files(NAME) == [".gitattributes"]


def test_the_audit_log_says_who_did_what_and_no_secret(moods):
    moods.ask("GET", ADDRESS, "hf_a_wrong_token_00")
    moods.ask("POST", "/api/repos/create", "bob", json={"name": "x", "organization": "acme"})
    moods.api("ana").upload_file(path_or_fileobj=b"\0x", path_in_repo="a.bin", repo_id=NAME)
    text = moods.hub.audit_log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(each["user"], each["method"], each["path"], each["status"]) for each in lines]
    assert ("ana", "POST", "/api/repos/create", 200) in told
    assert ("bob", "POST", "/api/repos/create", 403) in told
    assert (None, "GET", ADDRESS, 401) in told
    assert ("ana", "POST", f"{ADDRESS}/commit/main", 200) in told
    secrets = [
        *TOKENS.values(),
        "hf_a_wrong_token_00",
        "Bearer",
        "Signature",
        moods.hub.secret.hex(),
    ]
    assert not [secret for secret in secrets if secret in text]
    signed = [each["path"] for each in lines if each["path"].startswith(("/lfs/", "/objects/"))]
    assert all(len(path) < 40 for path in signed)


def test_who_asks_too_often_is_told_when_to_come_again(tmp_path):
    with running_hub(tmp_path, requests_a_minute=5) as server:
        told = [server.ask("GET", "/api/models", "ana") for _ in range(6)]
        assert [each.status_code for each in told] == [200] * 5 + [429]
        assert 1 <= int(told[-1].headers["retry-after"]) <= 60
        assert told[-1].headers["ratelimit"].startswith('"api";r=0;t=')
        assert server.ask("GET", "/api/models", "bob").status_code == 200


def test_tokens_are_not_guessed_at_will(tmp_path):
    with running_hub(tmp_path, failures_a_minute=3) as server:
        told = [server.ask("GET", "/api/whoami-v2", f"hf_guess_{n}").status_code for n in range(5)]
        assert told == [401, 401, 401, 429, 429]


def test_a_body_that_never_comes_is_not_waited_for(tmp_path):
    with running_hub(tmp_path, slow_body=0.5) as server:
        request = b"POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_reader_that_takes_nothing_is_left(tmp_path):
    with running_hub(tmp_path, slow_body=0.5) as server:
        api = server.api("ana")
        api.create_repo(NAME)
        content = b"\0" + bytes(60_000_000)
        api.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id=NAME)
        answer = server.ask("GET", f"/{NAME}/resolve/main/a.bin", follow_redirects=False)
        address = answer.headers["location"].removeprefix(server.url)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            )
            time.sleep(2.0)
            got = 0
            while part := connection.recv(1 << 20):
                got += len(part)
        assert 0 < got < len(content)


def test_a_hub_that_shows_nothing_to_strangers(tmp_path):
    with running_hub(tmp_path, anonymous=False) as server:
        server.api("ana").create_repo(NAME)
        told = {
            path: server.ask("GET", path).status_code
            for path in ("/api/models", ADDRESS, f"/{NAME}/resolve/main/x", "/metrics", "/healthz")
        }
        assert told == {
            "/api/models": 401,
            ADDRESS: 401,
            f"/{NAME}/resolve/main/x": 401,
            "/metrics": 401,
            "/healthz": 200,
        }
        assert server.ask("GET", ADDRESS, "bob").status_code == 200
