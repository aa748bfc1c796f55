"""A bucket that is another's, says no, or is away: what a hub makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator, MutableMapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from hubtl.registry.errors import BadOption, Refused, Unreachable
from hubtl.server.bucket import Bucket
from hubtl.server.contents import Readable
from hubtl.server.facts import safetensors_header
from hubtl.server.hub import Policy, TeamHub, open_hub
from hubtl.server.routes import lfs
from hubtl.server.sending import download
from hubtl.server.upkeep import Upkeep

from . import buckets
from .buckets import S3Server
from .serving import TeamHubServer, commit, make

bucket = buckets.bucket
PLACE = "s3://hub/contents"


@pytest.fixture
def hub(bucket: S3Server, tmp_path: Path) -> Iterator[TeamHub]:
    made = open_hub(tmp_path / "hub", Policy(retention=0.0), bucket=PLACE)
    yield made
    made.close()


def test_upkeep_that_fails_is_told_in_a_line_and_not_tried_again_at_once(
    hub, bucket, caplog, monkeypatch
):
    monkeypatch.setattr("hubtl.server.upkeep.EVERY", 0.01)
    bucket.kill()

    async def works_until_it_was_told() -> None:
        async with Upkeep(hub).running():
            until = time.monotonic() + 60
            while not caplog.records and time.monotonic() < until:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)

    asyncio.run(works_until_it_was_told())
    (told,) = (each for each in caplog.records if each.name == "hubtl.server")
    assert told.getMessage().startswith(f"upkeep failed: `{PLACE}` does not answer")
    assert told.exc_info is None


def test_no_two_hubs_share_a_bucket_unless_they_are_one(hub, tmp_path):
    with pytest.raises(Refused) as refused:
        open_hub(tmp_path / "other", bucket=PLACE)
    assert refused.value.message == f"the bucket `{PLACE}` is another hub's"
    for folder, place in ((tmp_path / "other", f"{PLACE}/2"), (hub.folder, PLACE)):
        open_hub(folder, bucket=place).close()


def test_a_bucket_of_the_same_name_elsewhere_is_not_taken_for_the_hubs_own(hub, bucket):
    with bucket.stopped() as folder:
        folder.rename(folder.with_name("elsewhere"))
        folder.mkdir()
    with pytest.raises(Refused) as refused:
        open_hub(hub.folder, bucket=PLACE)
    assert refused.value.message == f"`{PLACE}` has nothing of this hub, whose contents were there"
    assert bucket.objects() == {}


WRONG = {
    "AWS_ENDPOINT_URL": (
        "s3.acme.org",
        "no S3 can be asked for a bucket: Invalid endpoint",
    ),
    "AWS_PROFILE": ("nobody", "no S3 can be asked for a bucket: The config profile (nobody)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_that_boto3_does_not_take_are_told(bucket, tmp_path, monkeypatch, name):
    value, told = WRONG[name]
    monkeypatch.setenv(name, value)
    with pytest.raises(BadOption) as wrong:
        Bucket(PLACE, tmp_path)
    assert wrong.value.message.startswith(told)


@contextlib.contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """Give the address of an S3 that answers so, whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "RequestTimeout", Unreachable),
        (429, "TooManyRequests", Unreachable),
        (503, "SlowDown", Unreachable),
        (403, "AccessDenied", Refused),
    ],
)
def test_what_passes_is_told_from_what_does_not(bucket, tmp_path, monkeypatch, status, code, kind):
    with answering(status, code) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(kind, match=code):
            Bucket(PLACE, tmp_path)


def test_a_key_that_holds_no_more_is_told_as_a_store_that_is_away(hub, bucket, caplog, monkeypatch):
    with TeamHubServer.around(hub) as server:
        make(server, "acme/moods")
        monkeypatch.setattr(buckets, "SECRET", "another")
        bucket.kill()
        bucket.start()
        said = commit(server, {"a.txt": b"a"}, "acme/moods")
    told = {"error": "The hub's store does not answer now"}
    assert (said.status_code, said.json()) == (503, told)
    (logged,) = (each for each in caplog.records if each.name == "hubtl.server")
    assert logged.getMessage() == f"`{PLACE}` can't be used: 403"
    assert logged.exc_info is None


class Counted(Bucket):
    """A bucket that knows how many of its contents are being read."""

    being_read = 0

    @contextlib.contextmanager
    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[Readable]:
        with super().open(sha256, start, end) as file:
            self.being_read += 1
            try:
                yield file
            finally:
                self.being_read -= 1


def test_a_client_that_goes_away_leaves_nothing_open(hub, tmp_path):
    counted = hub.objects.contents = Counted(PLACE, tmp_path / "hub")
    with hub.objects.receive() as incoming, hub.database.writing() as db:
        incoming.write(bytes(8 << 20))
        received = incoming.done()
        hub.objects.keep(db, [received])
    sha256 = received.sha256

    async def leaves(message: MutableMapping[str, object]) -> None:
        raise ConnectionResetError

    async def nothing() -> dict[str, object]:
        await asyncio.sleep(60)
        raise AssertionError

    answer = download(hub.objects, sha256, "w.bin", {"ETag": '"w"'}, Headers())
    assert counted.being_read == 1
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    with pytest.raises(ClientDisconnect):
        asyncio.run(answer(scope, nothing, leaves))
    assert counted.being_read == 0


def test_a_bucket_that_is_away_is_not_taken_for_weights_without_a_header(hub, bucket):
    bucket.kill()
    with pytest.raises(Unreachable):
        safetensors_header(hub.objects, "0" * 64)


def test_a_file_in_parts_is_taken_when_it_is_asked_for_again(hub, bucket, monkeypatch):
    monkeypatch.setattr(lfs, "PART_SIZE", 1000)
    monkeypatch.setattr(lfs, "IN_PARTS_FROM", 2000)
    content = bytes(range(256)) * 10
    wanted = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    asked = {"operation": "upload", "transfers": ["multipart"], "objects": [wanted]}
    with TeamHubServer.around(hub) as server:
        make(server, "acme/moods")
        batch = server.ask("POST", "/acme/moods/info/lfs/objects/batch", "ana", json=asked)
        upload = batch.json()["objects"][0]["actions"]["upload"]
        for number in (1, 2, 3):
            part = content[(number - 1) * 1000 : number * 1000]
            sent = server.ask("PUT", upload["header"][str(number)], content=part)
            assert sent.status_code == 200
        bucket.kill()
        assert server.ask("POST", upload["href"], json={}).status_code == 503
        bucket.start()
        assert server.ask("POST", upload["href"], json={}).status_code == 200
        assert hub.objects.read(wanted["oid"]) == content
    assert list(hub.objects.incoming.iterdir()) == []


def test_what_is_being_removed_is_not_taken_as_there_but_removed_and_sent_again(hub, bucket):
    name = hashlib.sha256(b"great").hexdigest()
    hub.objects.carry([hub.objects.receive_bytes(b"great")])  # it has no row, as if collected
    hub.objects.contents.put_aside(name)
    bucket.kill()
    with pytest.raises(Unreachable), hub.database.writing() as db:
        hub.objects.keep(db, [hub.objects.receive_bytes(b"great")])
    assert list(hub.objects.contents.aside()) == [name]
    bucket.start()
    with hub.database.writing() as db:
        hub.objects.keep(db, [hub.objects.receive_bytes(b"great")])
    assert list(hub.objects.contents.aside()) == []
    with hub.database.writing() as db:
        hub.objects.tidy(db)
    assert hub.objects.read(name) == b"great"
