"""A team hub whose contents lie in a bucket, on a server that speaks S3 (tests/buckets.py)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubtl.registry.errors import Refused, Unreachable
from hubtl.server.backup import back_up, restore
from hubtl.server.checking import check
from hubtl.server.hub import TeamHub, open_hub

from . import buckets
from .buckets import S3Server
from .serving import TeamHubServer, commit, make
from .stores import quiet

bucket = buckets.bucket
NAME = "acme/moods"
WEIGHTS = os.urandom(3 << 20)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def key(content: bytes, prefix: str = "contents") -> str:
    name = sha256(content)
    return f"{prefix}/{name[:2]}/{name[2:4]}/{name}"


@pytest.fixture
def hub(bucket: S3Server, tmp_path: Path) -> Iterator[TeamHub]:
    made = open_hub(tmp_path / "hub", bucket="s3://hub/contents")
    yield made
    made.close()


@pytest.fixture
def server(hub: TeamHub) -> Iterator[TeamHubServer]:
    with TeamHubServer.around(hub) as running:
        make(running, NAME)
        yield running


# The Hub's client hands its HTTP library a file by an argument's old name.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
@pytest.mark.parametrize("xet", [True, False], ids=["by xet", "by lfs"])
def test_the_hubs_own_client_sends_and_reads_by_way_of_a_bucket(
    server, bucket, tmp_path, monkeypatch, xet
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", not xet)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Moods\n")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    server.api("ana").upload_folder(folder_path=folder, repo_id=NAME)
    assert bucket.objects()[key(WEIGHTS)] == WEIGHTS
    assert not list((server.hub.folder / "incoming").iterdir())
    assert not (server.hub.folder / "objects").exists()
    got = Path(server.api("dan").snapshot_download(NAME, cache_dir=tmp_path / "cache"))
    for path in folder.iterdir():
        assert (got / path.name).read_bytes() == path.read_bytes()
    assert "Moods" in server.ask("GET", f"/{NAME}", headers={"Accept": "text/html"}).text
    report = check(server.hub, quiet)
    assert (report.problems, report.objects) == ((), 3)


RANGES = {
    "bytes=10-19": (206, WEIGHTS[10:20]),
    "bytes=3000000-": (206, WEIGHTS[3_000_000:]),
    "bytes=-7": (206, WEIGHTS[-7:]),
    "bytes=0-99999999": (206, WEIGHTS),
    "bytes=20-10": (200, WEIGHTS),
    "bytes=0-1,5-6": (200, WEIGHTS),
    "lines=1-2": (200, WEIGHTS),
}


def test_a_download_goes_on_where_it_was_broken_off(server):
    server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
    address = server.ask("GET", f"/{NAME}/resolve/main/w.bin", "dan").headers["Location"]
    for asked, (status, content) in RANGES.items():
        got = server.ask("GET", address, headers={"Range": asked})
        assert (got.status_code, got.content) == (status, content), asked
    got = server.ask("GET", address, headers={"Range": "bytes=10-19"})
    assert got.headers["Content-Range"] == f"bytes 10-19/{len(WEIGHTS)}"
    assert got.headers["Content-Disposition"].startswith("attachment; ")
    etag = got.headers["ETag"]
    assert etag == f'"{sha256(WEIGHTS)}"'
    for told, status in ((etag, 206), ('"another"', 200)):
        asked = {"Range": "bytes=10-19", "If-Range": told}
        assert server.ask("GET", address, headers=asked).status_code == status
    past = server.ask("GET", address, headers={"Range": f"bytes={len(WEIGHTS)}-"})
    assert (past.status_code, past.headers["Content-Range"]) == (416, f"bytes */{len(WEIGHTS)}")


def test_what_nothing_refers_to_leaves_the_bucket_and_what_is_used_stays(server, bucket):
    api = server.api("ana")
    api.create_repo("acme/gone")
    for repo, content in ((NAME, b"\0keep"), ("acme/gone", b"\0gone"), ("acme/gone", b"\0keep")):
        api.upload_file(path_or_fileobj=content, path_in_repo=f"{content[1:]}.bin", repo_id=repo)
    api.delete_repo("acme/gone")
    with bucket.stopped() as folder:
        stray = folder / key(b"of a hub that died")
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"of a hub that died")
        (folder / "contents" / "notes.txt").write_text("somebody else's")
    hub = server.hub
    assert hub.objects.collect(hub.database, 0) == (0, 0)
    assert hub.objects.collect(hub.database, time.time() + 60) == (2, 5 + 18)
    kept = bucket.objects()
    assert key(b"\0keep") in kept and "contents/notes.txt" in kept
    assert key(b"\0gone") not in kept and key(b"of a hub that died") not in kept
    assert check(hub, quiet).problems == ()


def test_a_hub_that_died_while_removing_finishes_at_the_next_start(server, bucket):
    api, hub = server.api("ana"), server.hub
    api.upload_file(path_or_fileobj=b"\0keep", path_in_repo="a.bin", repo_id=NAME)
    for content in (b"\0keep", b"\0gone"):
        hub.objects.contents.put_aside(sha256(content))
    with bucket.stopped() as folder:
        gone = folder / key(b"\0gone")
        gone.parent.mkdir(parents=True)
        gone.write_bytes(b"\0gone")
    with hub.database.writing() as db:
        hub.objects.tidy(db)
    assert key(b"\0keep") in bucket.objects() and key(b"\0gone") not in bucket.objects()
    assert list(hub.objects.contents.aside()) == []


def test_a_store_that_is_killed_and_comes_back_loses_nothing(server, bucket):
    acknowledged = {}
    for number in range(12):
        if number == 4:
            bucket.kill()
        if number == 8:
            bucket.start()
        content = f"great {number}".encode()
        answer = commit(server, {f"{number}.txt": content}, NAME)
        if answer.status_code == 200:
            acknowledged[number] = content
        else:
            told = {"error": "The hub's store does not answer now"}
            assert (answer.status_code, answer.json()) == (503, told)
            assert answer.headers["Retry-After"] == "5"
    assert sorted(acknowledged) == [0, 1, 2, 3, 8, 9, 10, 11]
    for number, content in acknowledged.items():
        assert server.ask("GET", f"/{NAME}/resolve/main/{number}.txt").content == content
    assert check(server.hub, quiet).problems == ()
    assert not list((server.hub.folder / "incoming").iterdir())


def test_a_store_that_does_not_answer_is_told_to_whoever_downloads_and_checks(server, bucket):
    server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
    bucket.kill()
    got = server.ask("GET", f"/{NAME}/resolve/main/w.bin", follow_redirects=True)
    assert got.status_code == 503
    with pytest.raises(Unreachable, match="s3://hub/contents` does not answer"):
        check(server.hub, quiet)
    assert server.ask("GET", f"/api/models/{NAME}").json()["id"] == NAME


def test_a_content_that_somebody_took_out_of_the_bucket_is_told(server, bucket):
    server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
    with bucket.stopped() as folder:
        (folder / key(WEIGHTS)).unlink()
    got = server.ask("GET", f"/{NAME}/resolve/main/w.bin", follow_redirects=True)
    assert got.status_code == 410 and "w.bin has been deleted" in got.json()["error"]
    assert check(server.hub, quiet).problems == (f"content {sha256(WEIGHTS)}: its file is gone",)


def test_bytes_that_were_changed_in_the_bucket_are_found(server, bucket):
    server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
    with bucket.stopped() as folder:
        (folder / key(WEIGHTS)).write_bytes(WEIGHTS[:-1] + b"!")
    told = f"content {sha256(WEIGHTS)}: its bytes have changed"
    assert check(server.hub, quiet).problems == (told,)


def test_a_backup_of_a_bucket_is_restored_to_a_folder(server, tmp_path):
    server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
    kept = back_up(server.hub, tmp_path / "tar", quiet)
    assert restore(tmp_path / "tar", tmp_path / "again", quiet) == kept
    with contextlib.closing(open_hub(tmp_path / "again")) as again:
        assert check(again, quiet).problems == ()
        with again.objects.open(sha256(WEIGHTS)) as file:
            assert file.read() == WEIGHTS


def test_a_store_is_not_opened_where_its_contents_are_not(hub, bucket, tmp_path):
    with pytest.raises(Refused) as refused:
        open_hub(tmp_path / "hub")
    assert refused.value.message == (
        "this hub keeps its contents in s3://hub/contents, not in the hub's folder"
    )
    assert refused.value.hint == "--store s3://hub/contents"


WRONG = {
    "s3://nowhere/contents": ("AWS_REGION", "us-east-1", "there is no bucket `nowhere`"),
    "s3://hub/contents": ("AWS_SECRET_ACCESS_KEY", "wrong", "can't be used: SignatureDoesNotMatch"),
    "s3://hub/elsewhere": ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "does not answer"),
    "s3://user:secret@hub": ("AWS_REGION", "us-east-1", "--store is no bucket"),
    "s3:/hub/contents": ("AWS_REGION", "us-east-1", "--store can't be a `s3:`"),
    "gs://hub": ("AWS_REGION", "us-east-1", "--store can't be a `gs:`"),
    "s3://": ("AWS_REGION", "us-east-1", "--store is no bucket"),
}


@pytest.mark.parametrize("store", WRONG)
def test_a_wrong_bucket_is_told_before_anything_is_served(bucket, hubtl_cli, monkeypatch, store):
    name, value, told = WRONG[store]
    monkeypatch.setenv(name, value)
    said = hubtl_cli(f"serve --store {store} --port 0")
    assert said.code == 1 and told in said.err
    assert "Traceback" not in said.err and "secret@" not in said.err


def test_the_hubs_commands_work_on_a_bucket(bucket, hubtl_cli):
    at = "--store s3://hub/contents"
    assert hubtl_cli(f"hub user add ana {at}").code == 0
    assert "no problems" in hubtl_cli(f"hub check {at}").out
    assert hubtl_cli(f"hub collect {at}").out == "collected 0 contents of 0 B\n"
    assert "not to a bucket" in hubtl_cli(f"hub restore some.tar {at}").err


def test_two_hubs_of_one_database_and_bucket_serve_each_others_contents(server, hub, bucket):
    beside = open_hub(hub.folder, bucket="s3://hub/contents")
    with TeamHubServer.around(beside) as other:
        server.api("ana").upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=NAME)
        assert commit(other, {"b.txt": b"great"}, NAME).status_code == 200
        for one in (server, other):
            for name, content in (("w.bin", WEIGHTS), ("b.txt", b"great")):
                got = one.ask("GET", f"/{NAME}/resolve/main/{name}", follow_redirects=True)
                assert got.content == content


def test_the_hubs_client_tries_again_while_the_store_does_not_answer(server, bucket):
    bucket.kill()
    later = threading.Timer(1, bucket.start)
    later.start()
    server.api("ana").upload_file(path_or_fileobj=b"great", path_in_repo="a.txt", repo_id=NAME)
    later.join()
    assert server.ask("GET", f"/{NAME}/resolve/main/a.txt").content == b"great"
