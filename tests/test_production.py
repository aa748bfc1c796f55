"""docs/team-hub-in-production.md: its files do what the page says of them, taken from there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from .conftest import ROOT
from .nginx import NGINX, free_port, nginx
from .serving import TOKENS, TeamHubServer, make, running_hub

PAGE = (ROOT / "docs" / "team-hub-in-production.md").read_text(encoding="utf-8")
UPLOAD = """
import os, sys, httpx2, ssl
from huggingface_hub import HfApi, set_client_factory
trusting = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
set_client_factory(lambda: httpx2.Client(verify=trusting, follow_redirects=True, timeout=None))
api = HfApi()
api.create_repo("acme/moods")
api.upload_folder(folder_path=sys.argv[1], repo_id="acme/moods")
made = api.create_pull_request("acme/moods", "More")
print(api.model_info("acme/moods", revision=f"refs/pr/{made.num}").sha)
print(api.snapshot_download("acme/moods", cache_dir=sys.argv[2]))
"""


def block(language: str) -> str:
    """Return the file of that language on the page."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[TeamHubServer]:
    with running_hub(tmp_path, anonymous=False) as server:
        yield server


def certify(room: Path) -> None:
    """Make a certificate for localhost, signed by a house of its own, `house.pem`."""
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=House "
        "-out house.pem -keyout house.key",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -out leaf.csr -keyout privkey.pem",
        "x509 -req -in leaf.csr -CA house.pem -CAkey house.key -CAcreateserial -days 2 "
        "-extfile names -out fullchain.pem",
    ):
        (room / "names").write_text("subjectAltName=DNS:localhost\n")
        subprocess.run(["openssl", *line.split()], cwd=room, check=True, capture_output=True)


@pytest.fixture
def proxy(nginx_here: None, hub: TeamHubServer, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The page's nginx before the hub, with a certificate of its own; gives its two addresses."""
    room = tmp_path / "nginx"
    room.mkdir()
    certify(room)
    plain, secure = free_port(), free_port()
    here = {
        "127.0.0.1:8000": hub.url.removeprefix("http://"),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "hub.example.com": "localhost",
        "/etc/ssl/team-hub": str(room),
        "/var/log/nginx": str(room),
    }
    text = block("nginx")
    for said, meant in here.items():
        assert said in text
        text = text.replace(said, meant)
    with nginx(room, text, secure):
        yield {
            "url": f"https://localhost:{secure}",
            "plain": f"http://localhost:{plain}",
            "certificate": f"{room}/house.pem",
            "log": f"{room}/team-hub.log",
        }


@pytest.fixture(scope="session")
def nginx_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where the system's nginx, asked for one empty page without TLS, does not start."""
    if NGINX is None:
        pytest.skip("no nginx here: `make nginx`")
    room, port = tmp_path_factory.mktemp("nginx"), free_port()
    try:
        with nginx(room, f"server {{ listen 127.0.0.1:{port}; return 204; }}\n", port):
            assert httpx2.get(f"http://127.0.0.1:{port}/").status_code == 204
    except RuntimeError as error:
        pytest.skip(f"this machine's nginx serves not even an empty page: {error}")


@pytest.mark.parametrize("xet", [True, False], ids=["by xet", "by lfs"])
def test_the_hubs_own_client_uploads_and_downloads_through_nginx(proxy, hub, tmp_path, xet):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("# Moods\n")
    (folder / "model.safetensors").write_bytes(os.urandom(12 << 20))
    environment = {"HF_ENDPOINT": proxy["url"], "HF_TOKEN": TOKENS["cleo"]}
    environment |= {"SSL_CERT_FILE": proxy["certificate"]}
    environment |= {"HF_HOME": str(tmp_path / "hf")}
    environment |= {} if xet else {"HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, str(folder), str(tmp_path / "cache")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    sha, snapshot = done.stdout.splitlines()
    assert hub.api("ana").model_info("acme/moods").sha == sha
    for path in folder.iterdir():
        assert Path(snapshot, path.name).read_bytes() == path.read_bytes()


def test_nginx_passes_on_what_clients_need_and_logs_no_signed_address(proxy, hub):
    make(hub, "acme/moods")
    hub.api("ana").upload_file(
        path_or_fileobj=bytes(3000), path_in_repo="w.bin", repo_id="acme/moods"
    )
    trusting = ssl.create_default_context(cafile=proxy["certificate"])
    headers = {"Authorization": f"Bearer {TOKENS['ana']}", "X-Forwarded-For": "203.0.113.9"}
    with httpx2.Client(base_url=proxy["url"], verify=trusting, headers=headers) as client:
        found = client.get("/acme/moods/resolve/main/w.bin")
        assert found.headers["Location"].startswith(f"{proxy['url']}/objects/")
        part = client.get(found.headers["Location"], headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(10))
        assert client.get("/api/models/acme/no").headers["X-Error-Code"] == "RepoNotFound"
        made = client.post("/api/repos/create", json={"name": "own"})
        assert made.json()["url"] == f"{proxy['url']}/ana/own"
        assert client.get("/metrics").status_code == 200
        assert client.get("/healthz").json() == {"status": "ok"}
        name = part.headers["X-Request-Id"]
    moved = httpx2.get(f"{proxy['plain']}/api/models?search=a", follow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (
        301,
        "https://localhost/api/models?search=a",
    )
    logged = Path(proxy["log"]).read_text()
    assert '"GET /objects/..." 206 10 ' in logged and name in logged
    assert found.headers["Location"].rpartition("/")[2] not in logged
    audit = hub.hub.audit_log.read_text()
    assert '"address": "127.0.0.1"' in audit and "203.0.113.9" not in audit


def test_the_unit_is_one_that_systemd_takes_and_its_command_serves_and_stops(tmp_path):
    text = block("ini")
    command = Path(sys.executable).with_name("hubtl")
    assert "ExecStart=/opt/hubtl/bin/hubtl serve" in text
    text = text.replace("/opt/hubtl/bin/hubtl", str(command))
    text = text.replace("/var/lib/team-hub", str(tmp_path))
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "team-hub.service"
        unit.write_text(text)
        asked = ["systemd-analyze", "verify", "--man=no", str(unit)]
        said = subprocess.run(asked, capture_output=True, text=True)
        assert (said.returncode, said.stderr) == (0, "")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    environment = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    with subprocess.Popen(
        [*shlex.split(line), "--port", "0"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().rpartition(" ")[2].strip()
        assert httpx2.get(f"{url}/healthz").json() == {"status": "ok"}
        serving.terminate()
        assert serving.wait(30) == 0
