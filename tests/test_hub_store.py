"""`hubtl hub check`, `backup`, `restore`: what is damaged is found, and never passed on."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, hf_hub_download

from hubtl.registry.errors import BadData, BadOption, NotReproduced, Refused
from hubtl.server.backup import back_up, restore
from hubtl.server.checking import check
from hubtl.server.hub import TeamHub, open_hub
from hubtl.server.importing import import_files

from . import serving, stores
from .serving import TOKENS, TeamHubServer
from .stores import ONE, quiet, sha256_of

team_hub, store, files, filled = serving.team_hub, stores.store, stores.files, stores.filled


def change_byte(hub: TeamHub) -> str:
    path = hub.objects.contents.local(sha256_of(hub, "model.safetensors"))
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    return f"content {path.name}: its bytes have changed"


def cut(hub: TeamHub) -> str:
    path = hub.objects.contents.local(sha256_of(hub, "README.md"))
    path.write_bytes(path.read_bytes()[:-1])
    return f"content {path.name}: it has {path.stat().st_size} bytes, not"


def lose(hub: TeamHub) -> str:
    path = hub.objects.contents.local(sha256_of(hub, "README.md"))
    path.unlink()
    return f"content {path.name}: its file is gone"


def run(statement: str, told: str) -> Any:
    def damage(hub: TeamHub) -> str:
        with hub.database.writing() as db:
            db.exec_driver_sql(statement)
        return told

    return damage


DAMAGE = {
    "a byte": change_byte,
    "a short file": cut,
    "a lost file": lose,
    "a tree": run("UPDATE trees SET body = CAST(x'00' || body AS BLOB)", "has changed"),
    "a lost tree": run("DELETE FROM trees", "is not there"),
    "a lost commit": run("DELETE FROM commits", f"leads to {ONE}, which is not there"),
    "a parent": run("UPDATE commits SET parent = tree", "its parent"),
    "a lost row of a file": run("DELETE FROM blobs WHERE large", "is not there"),
    "a pointer": run("UPDATE blobs SET sha256 = oid WHERE large", "is not the pointer to"),
    "a lost row of a content": run("DELETE FROM objects", "its content"),
    "a claim": run("DELETE FROM repo_blobs", "is in use, and would be collected"),
    "a head": run("UPDATE repos SET head = NULL", f"is of None, and main is {ONE}"),
    "a size": run("UPDATE objects SET size = size + 1", "its size is not that of its content"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_check_finds_what_is_damaged(what, filled):
    assert check(filled, quiet).problems == ()
    told = DAMAGE[what](filled)
    problems = check(filled, quiet).problems
    assert any(told in problem for problem in problems), problems


def test_check_finds_rows_that_lead_nowhere(filled):
    with sqlite3.connect(filled.folder / "hub.sqlite") as db:
        db.execute("UPDATE repos SET creator_id = 99")
    db.close()
    told = "database: 1 rows of repos lead to rows of accounts that are not there"
    assert told in check(filled, quiet).problems


def test_check_says_where_the_database_itself_is_damaged(filled, tmp_path):
    filled.close()  # so that all of it is in the one file
    file = filled.folder / "hub.sqlite"
    content = bytearray(file.read_bytes())
    for page in range(8192, len(content), 8192):
        content[page : page + 4096] = b"\xff" * len(content[page : page + 4096])
    file.write_bytes(content)
    problems = check(filled, quiet).problems
    assert problems and all(problem.startswith("database: ") for problem in problems)


def test_check_exits_1_and_names_what_is_wrong(filled, hubtl_cli):
    line = f"hub check --store {filled.folder}"
    assert hubtl_cli(line).out.startswith("no problems; 1 commits and 3 contents of")
    told = change_byte(filled)
    plain, machine = hubtl_cli(line), hubtl_cli(f"{line} --json")
    assert (plain.code, machine.code) == (1, 1)
    assert plain.out.startswith(f"{told}\n1 problems; ")
    assert (machine.json["sound"], machine.json["problems"]) == (False, [told])


def test_a_backup_comes_back_as_it_was_with_its_secret_and_tokens(
    team_hub, files, tmp_path, hubtl_cli
):
    import_files(team_hub.hub, "model", "acme/moods", files, ONE, "hubtl")
    tar, there = tmp_path / "monday.tar", tmp_path / "again"
    said = hubtl_cli(f"hub backup {tar} --store {team_hub.hub.folder}")
    assert said.code == 0 and tar.stat().st_mode & 0o777 == 0o600
    assert hubtl_cli(f"hub restore {tar} --store {there}").code == 0
    assert there.stat().st_mode & 0o777 == 0o700
    hub = open_hub(there)
    assert check(hub, quiet).problems == ()
    assert hub.secret == team_hub.hub.secret
    assert hub.generation != team_hub.hub.generation
    with TeamHubServer.around(hub) as server:
        options = {"endpoint": server.url, "token": TOKENS["ana"], "cache_dir": tmp_path / "cache"}
        got = hf_hub_download("acme/moods", "model.safetensors", revision=ONE, **options)
        assert Path(got).read_bytes() == files["model.safetensors"].read_bytes()


def test_a_backup_is_whole_while_others_commit_and_collect(team_hub, tmp_path):
    api, hub, done = team_hub.api("ana"), team_hub.hub, threading.Event()
    api.create_repo("acme/moods")

    def work() -> None:
        for number in range(1000):
            if done.is_set():
                return
            added = [CommitOperationAdd("a.txt", os.urandom(50)), CommitOperationAdd("b.bin", b"b")]
            api.create_commit("acme/moods", added, commit_message=str(number))
            if number % 5 == 4:
                api.super_squash_history("acme/moods")
                hub.objects.collect(hub.database, time.time() + 1)

    worker = threading.Thread(target=work)
    worker.start()
    for number in range(3):
        time.sleep(0.3)
        back_up(hub, tmp_path / f"{number}.tar", quiet)
    done.set()
    worker.join()
    for number in range(3):
        restore(tmp_path / f"{number}.tar", tmp_path / f"store-{number}", quiet)
        again = open_hub(tmp_path / f"store-{number}")
        assert check(again, quiet).problems == ()
        again.close()


def test_a_damaged_store_is_not_backed_up(filled, tmp_path):
    change_byte(filled)
    with pytest.raises(NotReproduced, match="has changed on disk"):
        back_up(filled, tmp_path / "b.tar", quiet)
    lose(filled)
    with pytest.raises(NotReproduced):
        back_up(filled, tmp_path / "b.tar", quiet)
    assert not list(tmp_path.glob("*b.tar*"))


def test_a_backup_never_overwrites(filled, tmp_path):
    (tmp_path / "b.tar").write_text("precious")
    with pytest.raises(Refused, match="is there already"):
        back_up(filled, tmp_path / "b.tar", quiet)
    back_up(filled, tmp_path / "c.tar", quiet)
    with pytest.raises(BadOption, match="holds something already"):
        restore(tmp_path / "c.tar", tmp_path, quiet)


def changed(tar: Path, out: Path, edit: Any) -> Path:
    """Write a tar anew, each member as `edit(name, content)` returns it, None to leave it out."""
    with tarfile.open(tar) as source, tarfile.open(out, "w") as target:
        for member in source:
            content = edit(member.name, source.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    return out


EDITS = {
    "another byte": lambda name, content: content[:-1] + b"!" if "objects" in name else content,
    "no database": lambda name, content: None if name == "hub.sqlite" else content,
    "no secret": lambda name, content: None if name == "secret" else content,
    "no contents": lambda name, content: None if "objects" in name else content,
    "a broken database": lambda name, content: content[:5000] if "sqlite" in name else content,
    "no such database": lambda name, content: b"hello" * 900 if "sqlite" in name else content,
}


@pytest.mark.parametrize("what", EDITS)
def test_a_damaged_backup_is_not_restored(what, filled, tmp_path):
    back_up(filled, tmp_path / "good.tar", quiet)
    bad = changed(tmp_path / "good.tar", tmp_path / "bad.tar", EDITS[what])
    with pytest.raises((NotReproduced, Refused)):
        restore(bad, tmp_path / "again", quiet)
    assert not list(tmp_path.glob("*again*"))


def test_a_backup_that_is_cut_or_is_none_is_not_restored(filled, tmp_path):
    back_up(filled, tmp_path / "good.tar", quiet)
    content = (tmp_path / "good.tar").read_bytes()
    for number, bad in enumerate((content[:9000], content[: len(content) // 2], b"x" * 9000)):
        (tmp_path / f"{number}.tar").write_bytes(bad)
        with pytest.raises((BadData, NotReproduced)):
            restore(tmp_path / f"{number}.tar", tmp_path / "again", quiet)
    assert not list(tmp_path.glob("*again*"))


@pytest.mark.parametrize("name", ["../evil", "/evil", "objects/aa/bb/evil", "hub.sqlite/evil"])
def test_a_backup_writes_nothing_elsewhere(name, tmp_path):
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(Refused, match="is no backup of a team hub"):
        restore(tmp_path / "bad.tar", tmp_path / "again", quiet)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_a_backup_is_refused(tmp_path):
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo("secret")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(Refused, match="is no backup of a team hub"):
        restore(tmp_path / "bad.tar", tmp_path / "again", quiet)
