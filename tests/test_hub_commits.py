"""Commits on a team hub: whole or not at all, one after another, and none is lost."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from hubtl.server.checking import check
from hubtl.server.hub import open_hub

from . import faults, serving
from .faults import TOKEN, kill_again_and_again, new_store

team_hub = serving.team_hub

NAME = "acme/moods"


@pytest.fixture
def moods(team_hub):
    """A public repository of acme."""
    team_hub.api("ana").create_repo(NAME)
    return team_hub


def lines(*pairs):
    return "\n".join(json.dumps({"key": key, "value": value}) for key, value in pairs)


def small(path, content=b"x"):
    said = base64.b64encode(content).decode()
    return ("file", {"path": path, "encoding": "base64", "content": said})


def send(server, *pairs, user="ana", revision="main", name=NAME):
    body = lines(("header", {"summary": "try"}), *pairs)
    return server.ask("POST", f"/api/models/{name}/commit/{revision}", user, content=body)


def titles(server, revision="main"):
    found = server.api("ana").list_repo_commits(NAME, revision=revision)
    return [commit.title for commit in found]


def test_the_ids_are_gits_own(moods):
    content = b"hello\n"
    moods.api("ana").upload_file(path_or_fileobj=content, path_in_repo="a/b.txt", repo_id=NAME)
    (found,) = moods.api("ana").get_paths_info(NAME, ["a/b.txt"])
    assert found.blob_id == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    (folder,) = moods.api("ana").get_paths_info(NAME, ["a"])
    assert folder.tree_id == "dd5a3627ad3d4a1eaa9b180972bab37891a5e101"  # git write-tree


def test_a_stale_parent_is_a_conflict_and_changes_nothing(moods):
    api = moods.api("ana")
    old = api.model_info(NAME).sha
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=NAME)
    with pytest.raises(HfHubHTTPError, match="The branch was updated since you opened this page"):
        api.create_commit(
            NAME, [CommitOperationAdd("b.txt", b"2")], commit_message="late", parent_commit=old
        )
    assert titles(moods)[0] == "Upload a.txt with huggingface_hub"
    assert api.list_repo_files(NAME) == [".gitattributes", "a.txt"]


def test_fifty_writers_at_once_lose_nothing(moods):
    acknowledged, turn = [], threading.Lock()

    def write(number):
        for again in range(4):
            said = send(moods, small(f"{number}/{again}.txt", f"{number} {again}".encode()))
            assert said.status_code == 200, said.text
            with turn:
                acknowledged.append(said.json()["commitOid"])

    writers = [threading.Thread(target=write, args=(number,)) for number in range(50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    api = moods.api("ana")
    history = [commit.commit_id for commit in api.list_repo_commits(NAME)]
    assert len(history) == 201 and len(set(history)) == 201
    assert set(acknowledged) == set(history[:-1])
    assert len(api.list_repo_files(NAME)) == 201
    assert check(moods.hub, lambda *_: None).problems == ()


def test_what_was_acknowledged_outlives_a_kill(tmp_path):
    kills = list(kill_again_and_again(tmp_path / "store", 6))
    assert len(kills) == 6 and kills[-1][1] > 0


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../x", "/x", "a//b", "", ".", "a/./b", ".git/config", "a/.GIT/x", "..\\x", "a\0b"]
    + ["a\nb", "x" * 1001, "a/" * 61 + "x", "\ud800"],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path, moods):
    said = send(moods, small(path))
    assert said.status_code in (400, 422), said.text
    assert moods.api("ana").list_repo_files(NAME) == [".gitattributes"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null\nnull",
        '{"key": "header"}',
        '{"key": 1, "value": {}}',
        '{"key": "header", "value": []}',
        lines(small("a.txt")),
        lines(("header", {"summary": "x"}), ("other", {"path": "a"})),
        lines(("header", {"summary": "x"}), ("file", {"path": "a"})) + "\n{",
        lines(("header", {"summary": 5})),
        lines(("header", {"summary": "x"}), ("file", {"path": 5, "content": ""})),
        lines(
            ("header", {"summary": "x"}),
            ("file", {"path": "a", "content": "*", "encoding": "base64"}),
        ),
        lines(("header", {"summary": "x"}), ("file", {"path": "a", "content": [1]})),
        lines(("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "../../x"})),
        lines(("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "0" * 64})),
    ],
)
def test_a_commit_that_cannot_be_read_changes_nothing(body, moods):
    said = moods.ask("POST", f"/api/models/{NAME}/commit/main", "ana", content=body)
    assert 400 <= said.status_code < 500 and said.json()["error"]
    assert len(titles(moods)) == 1
    assert list(moods.hub.objects.incoming.iterdir()) == []


def test_a_file_and_a_folder_never_share_a_path(moods):
    assert send(moods, small("a")).status_code == 200
    assert send(moods, small("a/b")).status_code == 400
    assert send(moods, small("c/d")).status_code == 200
    assert send(moods, small("c")).status_code == 400


def test_deleting_what_is_not_there_is_an_error_and_a_folder_goes_whole(moods):
    api = moods.api("ana")
    for path in ("a/1.txt", "a/b/2.txt", "c.txt"):
        api.upload_file(path_or_fileobj=b"x", path_in_repo=path, repo_id=NAME)
    with pytest.raises(EntryNotFoundError, match="A file with this name doesn't exist"):
        api.delete_file("nothing.txt", NAME)
    api.create_commit(NAME, [CommitOperationDelete("a/")], commit_message="no a")
    assert api.list_repo_files(NAME) == [".gitattributes", "c.txt"]


def test_knowing_a_sha256_gives_nobody_its_bytes(moods):
    secret = b"\0secret" * 1000
    sha256 = hashlib.sha256(secret).hexdigest()
    zoe = moods.api("zoe")
    zoe.create_repo("zoo/secrets", private=True)
    zoe.upload_file(path_or_fileobj=secret, path_in_repo="s.bin", repo_id="zoo/secrets")
    batch = {"operation": "upload", "objects": [{"oid": sha256, "size": len(secret)}]}
    said = moods.ask("POST", f"/{NAME}.git/info/lfs/objects/batch", "ana", json=batch).json()
    assert "upload" in said["objects"][0]["actions"]  # as if it were not there
    assert send(moods, ("lfsFile", {"path": "s.bin", "oid": sha256})).status_code == 404
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(secret)}\n"
    )
    assert send(moods, small("s.bin", pointer.encode())).status_code == 400


def test_what_is_sent_under_a_wrong_hash_is_refused(moods):
    sha256 = hashlib.sha256(b"promised").hexdigest()
    batch = {"operation": "upload", "objects": [{"oid": sha256, "size": 8}]}
    said = moods.ask("POST", f"/{NAME}.git/info/lfs/objects/batch", "ana", json=batch).json()
    address = said["objects"][0]["actions"]["upload"]["href"]
    put = moods.ask("PUT", address, content=b"provided")
    assert (put.status_code, list(moods.hub.objects.incoming.iterdir())) == (400, [])
    assert moods.ask("PUT", address + "x", content=b"promised").status_code == 403
    assert moods.ask("PUT", address, content=b"promised").status_code == 200


def test_a_large_file_goes_in_parts_and_is_put_together_once(moods, monkeypatch):
    from hubtl.server.routes import lfs

    monkeypatch.setattr(lfs, "PART_SIZE", 1000)
    monkeypatch.setattr(lfs, "IN_PARTS_FROM", 2000)
    content = bytes(range(256)) * 10
    sha256 = hashlib.sha256(content).hexdigest()
    batch = {
        "operation": "upload",
        "transfers": ["basic", "multipart"],
        "objects": [{"oid": sha256, "size": len(content)}],
    }
    said = moods.ask("POST", f"/{NAME}.git/info/lfs/objects/batch", "ana", json=batch).json()
    upload = said["objects"][0]["actions"]["upload"]
    assert said["transfer"] == "multipart"
    assert sorted(upload["header"]) == ["1", "2", "3", "chunk_size"]
    whole = moods.ask("POST", upload["href"], json={})
    assert (whole.status_code, whole.json()["error"]) == (400, "Part 1 of 3 has not been uploaded")
    for number in (3, 1, 2):
        part = content[(number - 1) * 1000 : number * 1000]
        put = moods.ask("PUT", upload["header"][str(number)], content=part)
        assert put.headers["etag"].strip('"') == hashlib.sha256(part).hexdigest()
    assert moods.ask("POST", upload["href"], json={}).status_code == 200
    assert send(moods, ("lfsFile", {"path": "a.bin", "oid": sha256})).status_code == 200
    got = moods.ask("GET", f"/{NAME}/resolve/main/a.bin", follow_redirects=True)
    assert got.content == content
    assert list(moods.hub.objects.incoming.iterdir()) == []


def test_squashing_forgets_what_nothing_else_leads_to(moods):
    api = moods.api("ana")
    for number in range(3):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="a.txt", repo_id=NAME)
    api.create_tag(NAME, tag="before")
    kept = api.list_repo_commits(NAME, revision="before")
    api.super_squash_history(NAME, commit_message="one")
    assert titles(moods) == ["one"]
    assert [each.commit_id for each in api.list_repo_commits(NAME, revision="before")] == [
        each.commit_id for each in kept
    ]
    api.delete_tag(NAME, tag="before")
    api.super_squash_history(NAME, commit_message="two")
    with pytest.raises(HfHubHTTPError, match="404"):
        api.list_repo_commits(NAME, revision=kept[0].commit_id)
    assert check(moods.hub, lambda *_: None).problems == ()


def test_large_files_are_removed_from_history_however_many_are_named(moods):
    api, content = moods.api("ana"), b"\0large" * 99
    sha256 = hashlib.sha256(content).hexdigest()
    for path in ("a.bin", "b/c.bin"):
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
    named = {"sha": [*(f"{n:064x}" for n in range(999)), sha256], "rewriteHistory": True}
    address = f"/api/models/{NAME}/lfs-files/batch"
    assert moods.ask("POST", address, "ana", json={"deletions": named}).status_code == 200
    assert api.list_repo_files(NAME) == [".gitattributes"]
    assert send(moods, ("lfsFile", {"path": "a.bin", "oid": sha256})).status_code == 404
    named["sha"].append("0")
    assert moods.ask("POST", address, "ana", json={"deletions": named}).status_code == 400


def test_garbage_is_what_nothing_refers_to(moods):
    api, hub = moods.api("ana"), moods.hub
    api.upload_file(path_or_fileobj=b"\0keep" * 99, path_in_repo="a.bin", repo_id=NAME)
    api.create_repo("acme/gone")
    for content in (b"\0gone" * 99, b"\0keep" * 99):
        api.upload_file(
            path_or_fileobj=content, path_in_repo=f"{content[1:5]}.bin", repo_id="acme/gone"
        )
    api.delete_repo("acme/gone")
    assert hub.objects.collect(hub.database, older_than=0) == (0, 0)  # all of it is too young
    assert hub.objects.collect(hub.database, older_than=2e9) == (1, 495)
    assert not hub.objects.contents.local(hashlib.sha256(b"\0gone" * 99).hexdigest()).exists()
    got = moods.ask("GET", f"/{NAME}/resolve/main/a.bin", follow_redirects=True)
    assert got.content == b"\0keep" * 99
    assert check(hub, lambda *_: None).problems == ()


def test_a_disk_that_takes_no_more_is_told_and_breaks_nothing(tmp_path):
    new_store(tmp_path / "store")
    ana = {"Authorization": f"Bearer {TOKEN}"}
    with (
        faults.serving(tmp_path / "store", largest_file=2_000_000) as (_, url),
        httpx2.Client(base_url=url, headers=ana) as client,
    ):
        client.post("/api/repos/create", json={"name": "moods"}).raise_for_status()
        said = [put(client, os.urandom(size)) for size in (1_000_000, 3_000_000, 500_000)]
        assert [each.status_code for each in said] == [200, 507, 200]
        assert said[1].json() == {"error": "The hub's disk is full: nothing was changed"}
        assert client.get("/api/models/ana/moods").status_code == 200
    hub = open_hub(tmp_path / "store")
    assert check(hub, lambda *_: None).problems == ()
    assert list(hub.objects.incoming.iterdir()) == []
    hub.close()


def put(client, content):
    """Upload a content to ana/moods by LFS and return the answer to the upload itself."""
    asked = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    batch = {"operation": "upload", "objects": [asked]}
    said = client.post("/ana/moods.git/info/lfs/objects/batch", json=batch).json()
    return client.put(said["objects"][0]["actions"]["upload"]["href"], content=content)
