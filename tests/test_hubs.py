"""Hubs: a shared drive, and a server that speaks the Hub's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import files_in
from hubtl.server.refs import resolve
from hubtl.server.repos import find_repo
from hubtl.server.trees import file_at
from hubtl.sources import open_hub

from .serving import TOKENS, running_hub

NAME = "acme/moods"


@pytest.fixture
def server(tiny_folders, tmp_path, monkeypatch):
    """A team hub that holds the tiny bases, and the token of one who may write."""
    with running_hub(tmp_path) as running:
        for name, folder in tiny_folders.items():
            running.api("ana").create_repo(name)
            running.api("ana").upload_folder(repo_id=name, folder_path=folder)
        monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
        yield running


def stored(server, repo_id, path, revision="main"):
    """Return where the server keeps a file's content, and the content."""
    with server.hub.database.reading() as db:
        repo, _ = find_repo(db, "model", *repo_id.split("/"))
        file = file_at(db, resolve(db, repo, revision).tree, path)
    place = server.hub.objects.contents.local(file.sha256)
    return place, place.read_bytes()


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def branches(server, repo_id=NAME):
    found = server.api("ana").list_repo_refs(repo_id).branches
    return {each.name: each.target_commit for each in found}


def said_by(call) -> str:
    with pytest.raises(HubtlError) as caught:
        call()
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_misspelt_base_is_told_with_the_one_that_was_meant(hubtl_cli):
    said = hubtl_cli("show sentence-transformers/all-MiniLM-L6-v3")
    assert said.code == 1
    assert "did you mean `sentence-transformers/all-MiniLM-L6-v2`?" in said.err


# --- a shared drive


def test_a_folder_is_a_cache_that_stock_transformers_reads_by_id(shelf, tmp_path):
    code = (
        "from transformers import AutoModel as A; print(A.from_pretrained('acme/tiny-bert').dtype)"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(shelf.cache.root), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "torch.float32\n"


def test_a_snapshot_that_was_not_finished_is_not_there(shelf):
    def dies(*args):
        raise KeyboardInterrupt

    before = shelf.cache.refs("acme/tiny-bert")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            shelf.cache.add("acme/tiny-bert", {"a.json": Path(__file__)})
    assert shelf.cache.refs("acme/tiny-bert") == before
    assert not list((shelf.cache.root / ".hubtl").glob("new-*"))


def test_two_publishers_at_once_are_told_apart(adapted, shelf):
    first = shelf.draft(NAME, adapted, private=True, message="first")
    (adapted / "README.md").write_text("another")
    second = shelf.draft(NAME, adapted, private=True, message="second")
    first.accept()
    assert said_by(second.accept).startswith("somebody published `acme/moods` in the meantime")
    second.discard()
    assert shelf.cache.resolve(NAME) == first.revision


def test_a_refused_publisher_never_takes_away_what_another_published(adapted, shelf):
    mine = shelf.draft(NAME, adapted, private=True, message="mine")
    theirs = shelf.draft(NAME, adapted, private=True, message="the same bytes")
    theirs.accept()
    assert "somebody published" in said_by(mine.accept)
    mine.discard()
    assert shelf.cache.snapshot(NAME).is_dir()


def test_one_broken_model_does_not_hide_the_others(shelf, capsys):
    (shelf.cache.root / "models--acme--tiny-bert" / "refs" / "main").write_text("0" * 40)
    assert [entry.id for entry in hubtl.search(hub=shelf.name).entries] == ["acme/tiny-encoder"]
    assert "warning: left out `acme/tiny-bert`" in capsys.readouterr().err


def test_a_drive_that_is_not_there_is_told():
    hub = Folder(Path("/nowhere/at/all"))
    assert said_by(lambda: hub.entry(NAME)).startswith("there is no folder `/nowhere/at/all`")


# --- a server


def test_search_and_show_ask_a_server_live(server):
    found = hubtl.search("tiny", hub=server.url)
    assert {entry.id for entry in found.entries} == {"acme/tiny-bert", "acme/tiny-encoder"}
    shown = hubtl.show("acme/tiny-bert", hub=server.url)
    assert (shown.licence, shown.hub, len(shown.revision)) == ("mit", server.url, 40)


def test_pull_takes_what_is_needed_and_checks_its_hash(server, tmp_path):
    server.api("ana").create_repo("acme/more")
    for path, content in (("model.safetensors", b"x" * 99), ("tf_model.h5", b"y")):
        server.api("ana").upload_file(
            path_or_fileobj=content, path_in_repo=path, repo_id="acme/more"
        )
    folder = hubtl.pull("acme/more", hub=server.url, to=tmp_path / "more")
    assert sorted(files_in(folder)) == ["model.safetensors"]


def test_a_byte_that_changed_on_the_server_is_refused(server):
    place, content = stored(server, "acme/tiny-bert", "model.safetensors")
    place.write_bytes(flipped(content))
    assert said_by(lambda: hubtl.pull("acme/tiny-bert", hub=server.url)).startswith(
        "`model.safetensors` of `acme/tiny-bert` has other bytes than the ones that are pinned"
    )


def published(server, folder, **more):
    return hubtl.publish(folder, NAME, hub=server.url, **more)


@pytest.fixture
def for_server(moods, server, tmp_path):
    """A folder adapted from a base of the server, whose commits are the server's own."""
    return hubtl.adapt(
        "text-classification",
        moods,
        base="acme/tiny-encoder",
        hub=server.url,
        domain="general",
        out=tmp_path / "for-server",
    ).folder


def test_publish_is_one_commit_private_and_proven(server, for_server):
    done = published(server, for_server, tag="v1")
    api = server.api("ana")
    tags = {each.name: each.target_commit for each in api.list_repo_refs(NAME).tags}
    assert done.verified and branches(server) == {"main": done.commit}
    assert tags == {"v1": done.commit} and api.model_info(NAME).private
    assert "predictions.parquet" not in api.list_repo_files(NAME)
    titles = [commit.title for commit in api.list_repo_commits(NAME)]
    assert len([title for title in titles if "accuracy" in title]) == 1
    assert hubtl.verify(NAME, hub=server.url).verified


def test_the_cards_code_runs_against_the_server(server, for_server):
    published(server, for_server)
    card = stored(server, NAME, "README.md")[1].decode()
    code = card.partition("```python\n")[2].partition("\n```")[0]
    environment = {**os.environ, "HF_ENDPOINT": server.url}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(predict(['it was lovely']))"],
        env=environment,
        capture_output=True,
        text=True,
    )
    label = hubtl.predict(for_server, ["it was lovely"], hub=server.url)[0].label
    assert done.stdout == f"[{label!r}]\n", done.stderr


def test_what_comes_back_changed_is_not_published(server, for_server):
    def damage(event):
        if event["kind"] == "content" and "draft" in event["refs"][0]["ref"]:
            draft = event["refs"][0]["newSha"]
            place, content = stored(server, NAME, "3_Dense/model.safetensors", draft)
            place.write_bytes(flipped(content))

    server.hub.told.append(damage)
    why = said_by(lambda: published(server, for_server))
    assert why.startswith("what was sent does not come back as it was: `3_Dense/")
    assert not server.api("ana").repo_exists(NAME)


def test_a_second_publication_that_fails_leaves_the_first(server, for_server):
    first = published(server, for_server)
    facts = json.loads((for_server / "hubtl.json").read_text())
    (for_server / "hubtl.json").write_text(json.dumps({**facts, "licence": None}))
    assert "has no licence" in said_by(lambda: published(server, for_server))
    assert branches(server) == {"main": first.commit}


def test_a_server_keeps_what_another_published_while_we_were_refused(server, for_server):
    (for_server / "predictions.parquet").unlink()
    mine = open_hub(server.url).draft(NAME, for_server, private=True, message="mine")
    other = shutil.copytree(for_server, for_server.with_name("other"))
    (other / "notes.json").write_text("{}")
    theirs = open_hub(server.url).draft(NAME, other, private=True, message="theirs")
    theirs.accept()
    assert "somebody published" in said_by(mine.accept)
    mine.discard()
    assert set(branches(server)) == {"main"}
    assert "adapter_config.json" in server.api("ana").list_repo_files(NAME)


def test_a_small_file_that_changed_on_the_server_is_refused_too(server):
    place, content = stored(server, "acme/tiny-bert", "config.json")
    place.write_bytes(content.replace(b"gelu", b"relu"))
    assert "`config.json` of `acme/tiny-bert` has other bytes" in said_by(
        lambda: hubtl.pull("acme/tiny-bert", hub=server.url)
    )


def test_an_organisation_that_is_not_ones_own_is_told(server, for_server):
    why = said_by(lambda: hubtl.publish(for_server, "globex/moods", hub=server.url))
    assert why.startswith(f"you may not write to `globex` on {server.url}")


def test_a_wrong_token_is_told(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    why = said_by(lambda: hubtl.show("acme/tiny-bert", hub=server.url))
    assert why == f"{server.url} does not accept your token | `hf auth login`"


def test_a_server_that_is_not_there_is_told():
    why = said_by(lambda: hubtl.show("acme/x", hub="http://127.0.0.1:9"))
    assert "http://127.0.0.1:9 can't be reached" in why


def test_a_revision_that_is_not_there_is_told(server):
    why = said_by(lambda: hubtl.show("acme/tiny-bert@v9", hub=server.url))
    assert why.startswith(f"`acme/tiny-bert` has no revision `v9` on {server.url}")
