"""`hubtl hub import`: files of other hubs, under their own ids and revisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.cache import ModelCache
from hubtl.registry.catalog import catalogue
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import content_revision, files_in, sha256
from hubtl.server.accounts import find
from hubtl.server.checking import check
from hubtl.server.hub import Policy, TeamHub, open_hub
from hubtl.server.importing import Imported, import_files
from hubtl.server.refs import all_refs, commit_by_oid
from hubtl.server.repos import find_repo
from hubtl.server.trees import all_files

from . import serving, stores
from .conftest import MINILM
from .serving import TeamHubServer
from .stores import ONE, THREE, TWO, quiet

team_hub, store, files = serving.team_hub, stores.store, stores.files
MINILM_SHA = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"


def test_a_starter_model_comes_under_its_own_revision_and_only_once(team_hub, hubtl_cli, tmp_path):
    line = f"hub import starter:{MINILM} --store {team_hub.hub.folder} --json"
    first, again = hubtl_cli(line).json["imported"], hubtl_cli(line).json["imported"]
    there = {"id": MINILM, "revision": MINILM_SHA, "main": True}
    assert first == [{**there, "new": True, "files": 11, "bytes": 91578367}]
    assert again == [{**there, "new": False, "files": 0, "bytes": 0}]
    api = team_hub.api("bob")
    assert api.model_info(MINILM).sha == MINILM_SHA
    options = {"endpoint": team_hub.url, "token": False, "cache_dir": tmp_path / "cache"}
    got = snapshot_download(MINILM, revision=MINILM_SHA, **options)
    assert Path(got).name == MINILM_SHA
    assert sha256(Path(got, "model.safetensors")).startswith("53aa51172d142c89")


@pytest.mark.long
@pytest.mark.weights
def test_all_starter_models_come_and_what_is_converted_too(store, hubtl_cli):
    starters = [entry for entry in catalogue().entries if entry.hub == "starter"]
    done = hubtl_cli(f"hub import starter --store {store.folder} --json").json["imported"]
    assert [(each["id"], each["revision"], each["files"], each["bytes"]) for each in done] == [
        (e.id, e.revision, len(e.files), sum(file.size for file in e.files.values()))
        for e in starters
    ]
    again = hubtl_cli(f"hub import starter --store {store.folder} --json").json["imported"]
    assert not any(each["new"] for each in again)


def test_an_import_keeps_the_files_of_its_source_and_adds_none(store, files):
    done = import_files(store, "model", "acme/moods", files, ONE, "hubtl")
    size = sum(path.stat().st_size for path in files.values())
    assert done == Imported("acme/moods", ONE, True, True, 3, size)
    with store.database.reading() as db:
        assert find(db, "acme").kind == "org"
    assert tree(store, ONE) == {
        "README.md": False,
        "model.safetensors": True,
        "more/config.json": False,
    }
    assert check(store, quiet).problems == ()


def tree(hub: TeamHub, oid: str) -> dict[str, bool]:
    """The files of a commit, and whether each is kept apart."""
    with hub.database.reading() as db:
        repo, _ = find_repo(db, "model", "acme", "moods")
        return {file.path: file.large for file in all_files(db, commit_by_oid(db, repo, oid).tree)}


def refs(hub: TeamHub) -> dict[str, str]:
    """The refs of acme/moods."""
    with hub.database.reading() as db:
        found = all_refs(db, find_repo(db, "model", "acme", "moods")[0])
        return {each.name: each.oid for each in found}


def test_main_follows_imports_and_tags_stay_where_they_are(store, files):
    import_files(store, "model", "acme/moods", files, ONE, "hubtl", tags=("v1",))
    del files["more/config.json"]
    assert import_files(store, "model", "acme/moods", files, TWO, "hubtl", tags=("v1", "v2")).main
    assert not import_files(store, "model", "acme/moods", files, THREE, "hubtl", lead=False).main
    assert refs(store) == {
        "refs/heads/main": TWO,
        "refs/tags/v1": ONE,
        "refs/tags/v2": TWO,
        **{f"refs/imports/{revision}": revision for revision in (ONE, TWO, THREE)},
    }
    assert "more/config.json" not in tree(store, TWO)


def test_main_that_people_have_committed_to_stays_and_the_import_can_be_had(
    team_hub, files, tmp_path
):
    import_files(team_hub.hub, "model", "acme/moods", files, ONE, "hubtl")
    mine = team_hub.api("ana").upload_file(
        path_or_fileobj=b"ours", path_in_repo="NOTES.md", repo_id="acme/moods"
    )
    done = import_files(team_hub.hub, "model", "acme/moods", files, TWO, "hubtl")
    assert (done.new, done.main) == (True, False)
    api = team_hub.api("ana")
    assert api.model_info("acme/moods").sha == mine.oid
    assert api.model_info("acme/moods", revision=TWO).sha == TWO
    assert "NOTES.md" in api.list_repo_files("acme/moods")
    assert "NOTES.md" not in api.list_repo_files("acme/moods", revision=TWO)
    listed = api.list_repo_refs("acme/moods", include_pull_requests=True)
    assert [ref.name for ref in [*listed.branches, *listed.tags, *listed.pull_requests]] == ["main"]


def test_an_import_that_fails_leaves_nothing(store, files, tmp_path):
    (tmp_path / "model" / "weights.bin").symlink_to(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        broken = {**files, "weights.bin": tmp_path / "model" / "weights.bin"}
        import_files(store, "model", "acme/moods", broken, ONE, "hubtl")
    assert list(store.objects.incoming.iterdir()) == []
    with store.database.reading() as db:
        assert find(db, "acme") is None


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 9\n"


@pytest.mark.parametrize(
    ("name", "path", "content", "revision", "told"),
    [
        ("acme/moods", "weights.txt", POINTER.encode(), ONE, "is a pointer of Git LFS"),
        ("acme/moods", "model.pkl", b"\x80\x04\x95\x00", ONE, "is a pickle"),
        ("acme/moods", "../up", b"x", ONE, "Invalid path in repo"),
        ("acme/moods", ".git/config", b"x", ONE, "Invalid path in repo"),
        ("acme/moods", "ok", b"x", "main", "`main` is no revision"),
        ("moods", "ok", b"x", ONE, "is no name that a hub accepts"),
        ("api/moods", "ok", b"x", ONE, "can't be the name of an account"),
        ("acme/tree", "ok", b"x", ONE, "is a word of the hub's own addresses"),
    ],
)
def test_what_must_not_be_imported_is_refused(name, path, content, revision, told, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(content)
    hub = open_hub(tmp_path / "store", Policy(pickles="refuse"))
    with pytest.raises(HubtlError, match=told):
        import_files(hub, "model", name, {path: source}, revision, "hubtl")
    hub.close()


def test_a_folder_hub_comes_whole_with_all_revisions_and_tags(store, shelf: Folder, hubtl_cli):
    cache = ModelCache(shelf.cache.root)
    old = cache.resolve("acme/tiny-bert")
    other = {**files_in(cache.snapshot("acme/tiny-bert")), "NEW.md": Path(__file__)}
    new = cache.add("acme/tiny-bert", other)
    cache.point("acme/tiny-bert", "v1", old)
    line = f"hub import folder:{cache.root} --store {store.folder} --private"
    imported = hubtl_cli(f"{line} --json").json["imported"]
    assert [(each["id"], each["revision"], each["main"]) for each in imported] == [
        ("acme/tiny-bert", new, True),
        ("acme/tiny-bert", old, False),
        ("acme/tiny-encoder", cache.resolve("acme/tiny-encoder"), True),
    ]
    assert hubtl_cli(line).out.count("there already: ") == 3
    with TeamHubServer.around(store) as server:
        api = server.api("ana")
        assert api.model_info("acme/tiny-bert", revision="v1").sha == old
        assert "NEW.md" in api.list_repo_files("acme/tiny-bert")
        assert api.model_info("acme/tiny-bert").private


def test_a_changed_file_of_a_folder_hub_is_not_imported(store, shelf: Folder, hubtl_cli):
    (shelf.cache.snapshot("acme/tiny-bert") / "config.json").write_text("{}")
    said = hubtl_cli(f"hub import folder:{shelf.cache.root} --store {store.folder}")
    assert said.code == 1 and "its sha256 differs" in said.err


def test_a_plain_folder_is_named_and_its_revision_is_its_content(store, files, tmp_path, hubtl_cli):
    line = f"hub import {tmp_path / 'model'} --as acme/moods --store {store.folder} --json"
    done = hubtl_cli(line).json["imported"][0]
    digests = {path: sha256(at) for path, at in files.items()}
    assert (done["id"], done["revision"]) == ("acme/moods", content_revision(digests))
