"""What clients, backups and folders may take of a team hub's machine: room, time, other files."""

from __future__ import annotations

import asyncio
import importlib
import socket
import tarfile
import time

import pytest

from hubtl.registry.errors import HubtlError
from hubtl.server.backup import back_up, restore
from hubtl.server.outgoing import ForbiddenAddress, check_url
from hubtl.server.problem import Problem
from hubtl.server.shards import LAST, RECORD, TAG, VERSION, WITH_SHA256, rebuilt
from hubtl.server.xorbs import LARGEST_CHUNK

from . import serving, test_hub_rights
from .test_hub_rights import ADDRESS, LARGE, NAME, SHA256, cas, location, upload
from .test_xet_formats import mixed, placed, sent

team_hub, moods = serving.team_hub, test_hub_rights.moods


def test_a_full_disk_is_told_before_a_byte_is_taken(moods, monkeypatch):
    put, _ = upload(moods, "ana", b"new")
    url, headers = cas(moods, "ana", "write")
    monkeypatch.setattr("hubtl.server.objects.RESERVE", 1 << 60)
    told = (
        moods.ask("POST", f"{ADDRESS}/commit/main", "ana", content=b"{}"),
        # Of which no length is told.
        moods.ask("POST", f"{ADDRESS}/commit/main", "ana", content=iter([bytes(1 << 21)])),
        moods.ask("PUT", put, content=b"new"),
        moods.ask("POST", f"{url}/v1/xorbs/default/{'0' * 64}", headers=headers, content=b"x"),
    )
    assert [each.status_code for each in told] == [507, 507, 507, 507]
    assert moods.ask("GET", location(moods, "ana")).content == LARGE


def shard(path, xorb, size, count):
    """Write a shard of one file, whose segments are all of one xorb's chunks."""
    segment = RECORD.pack(bytes.fromhex(xorb), 0, size, 0, -(-size // LARGEST_CHUNK))
    begin = RECORD.pack(bytes(32), WITH_SHA256, count, 0, 0)
    head, end = RECORD.pack(TAG, VERSION, 0, 0, 0), RECORD.pack(LAST, 0, 0, 0, 0)
    path.write_bytes(head + begin + segment * count + RECORD.pack(bytes(32), 0, 0, 0, 0) + end)
    return path


@pytest.mark.parametrize(
    ("reserve", "count"), [(0, 20), (1 << 60, 1)], ids=["twenty times one xorb", "no room"]
)
def test_a_shard_unpacks_no_more_than_its_xorbs_and_the_disk_can_hold(
    reserve, count, moods, tmp_path, monkeypatch
):
    name = "ab" * 32
    (tmp_path / name).write_bytes((512).to_bytes(4, "little"))  # all that is read of it here
    monkeypatch.setattr("hubtl.server.objects.RESERVE", reserve)
    objects, given = moods.hub.objects, shard(tmp_path / "shard", name, 64 << 20, count)
    before = time.perf_counter()
    with pytest.raises(Problem) as told, rebuilt(objects, given, tmp_path, 1 << 50):
        pass
    assert told.value.status == 413
    assert time.perf_counter() - before < 1
    assert list(objects.incoming.iterdir()) == []


def test_a_file_that_says_the_same_three_times_is_no_bomb(moods, tmp_path, monkeypatch):
    monkeypatch.setattr("hubtl.server.shards.ALWAYS", 0)
    told = sent(tmp_path, mixed(500_000) * 3)
    with rebuilt(moods.hub.objects, told.shard, placed(moods.hub, told), 1 << 30) as ((_, made),):
        assert made.path.read_bytes() == told.content


def test_json_is_read_and_written_beside_the_event_loop(moods, monkeypatch):
    seen = []
    for place in ("bodies._json", "application.as_response"):
        module, _, name = place.partition(".")
        inner = getattr(importlib.import_module(f"hubtl.server.{module}"), name)

        def spy(value, inner=inner, place=place):
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            seen.append(place)
            return inner(value)

        monkeypatch.setattr(f"hubtl.server.{place}", spy)
    assert moods.ask("POST", "/api/validate-yaml", json={"content": ""}).status_code == 200
    assert seen == ["bodies._json", "application.as_response"]


def test_a_full_discussion_takes_no_more_but_can_be_closed(moods, monkeypatch):
    monkeypatch.setattr("hubtl.server.threads.MOST_EVENTS", 3)
    opened = moods.ask("POST", f"{ADDRESS}/discussions", "ana", json={"title": "Hello"}).json()
    address = f"{ADDRESS}/discussions/{opened['num']}"

    def say(path, **body):
        return moods.ask("POST", f"{address}/{path}", "ana", json=body).status_code

    assert [say("comment", comment="more") for _ in range(3)] == [200, 200, 409]
    assert (say("title", title="Hello you"), say("status", status="open")) == (409, 409)
    assert [say("status", status="closed") for _ in range(2)] == [200, 409]
    assert len(moods.ask("GET", address, "ana").json()["events"]) == 4


def test_a_discussion_has_an_end_to_its_text(moods, monkeypatch):
    monkeypatch.setattr("hubtl.server.threads.MOST_TEXT", 3000)
    opened = moods.ask("POST", f"{ADDRESS}/discussions", "ana", json={"title": "Hello"}).json()
    address = f"{ADDRESS}/discussions/{opened['num']}/comment"
    told = [moods.ask("POST", address, "ana", json={"comment": "a" * 1400}) for _ in range(4)]
    assert [each.status_code for each in told] == [200, 200, 200, 409]
    edit = f"{address}/{told[0].json()['newMessage']['id']}"
    assert moods.ask("POST", f"{edit}/edit", "ana", json={"content": "b"}).status_code == 409
    assert moods.ask("POST", f"{edit}/hide", "ana", json={}).status_code == 200


def own_address():
    """Return an address of this machine that is not its loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return probe.getsockname()[0]


def test_a_webhook_calls_no_address_of_this_machine_and_any_other_of_its_network():
    own = own_address()
    for host in (own, f"[::ffff:{own}]", "[::ffff:100.100.100.200]", "[fec0::1]"):
        with pytest.raises(ForbiddenAddress):
            check_url(f"http://{host}/", ())
    check_url("http://10.255.255.254/", ())


def test_a_store_comes_back_though_some_of_its_contents_were_collected(moods, tmp_path):
    api = moods.api("ana")
    api.delete_file("w.bin", NAME)
    api.super_squash_history(NAME)
    moods.hub.objects.collect(moods.hub.database, time.time() + 1)
    back_up(moods.hub, tmp_path / "tar", lambda *_: None)
    restore(tmp_path / "tar", tmp_path / "store", lambda *_: None)
    assert not list((tmp_path / "store" / "objects").glob(f"*/*/{SHA256}"))


def test_a_file_with_holes_in_a_backup_is_refused(tmp_path):
    tar = tmp_path / "evil.tar"
    member = tarfile.TarInfo("hub.sqlite")
    member.type = tarfile.GNUTYPE_SPARSE
    # Where a sparse file's bytes are, none here, and how long it is as a whole: 64 GB.
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % (64 << 30)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    tar.write_bytes(bytes(head) + bytes(1024))
    began = time.perf_counter()
    with pytest.raises(HubtlError, match="is no backup"):
        restore(tar, tmp_path / "store", lambda *_: None)
    assert time.perf_counter() - began < 2


def test_a_link_within_a_folder_is_imported(tmp_path, hubtl_cli):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "same.json").symlink_to("config.json")
    said = hubtl_cli(f"hub import {folder} --as {NAME} --store {tmp_path / 'hub'}")
    assert said.code == 0 and "2 files" in said.out


def test_a_snapshot_that_leads_out_of_its_model_is_not_imported(tmp_path, hubtl_cli):
    (tmp_path / "key.txt").write_text("a secret of the machine")
    model, commit = tmp_path / "shelf" / "models--acme--moods", "a" * 40
    snapshot = model / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commit)
    (snapshot / "a.txt").symlink_to(tmp_path / "key.txt")
    said = hubtl_cli(f"hub import folder:{tmp_path / 'shelf'} --store {tmp_path / 'hub'}")
    assert said.code != 0 and "a.txt" in said.err
