"""`hubtl serve --upstream URL`: what a hub has not, it fetches from another, and keeps."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from sqlalchemy import update

from hubtl.plugins.hubs.hf_upstream import HubUpstream
from hubtl.registry.fingerprint import files_in
from hubtl.server import checking
from hubtl.server.accounts import add_account, find, set_member
from hubtl.server.backup import back_up, restore
from hubtl.server.hub import open_hub
from hubtl.server.importing import import_files
from hubtl.server.repos import delete_repo, find_repo, move_repo
from hubtl.server.schema import repos

from .serving import TOKENS, TeamHubServer, commit
from .stores import ONE, THREE, TWO, quiet
from .test_serve import Running
from .way import Way

NAME = "lab/moods"
WEIGHTS = bytes(range(256)) * 4000  # a megabyte
CARD = "---\nlicense: mit\npipeline_tag: text-classification\n---\n# Moods\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder: a card and a text in a folder, which are small, and weights."""
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "more" / "words.txt").write_text("great\nawful\n")
    (folder / "model.bin").write_bytes(WEIGHTS)
    return folder


@pytest.fixture
def source(tmp_path: Path, model: Path) -> Iterator[TeamHubServer]:
    """The other hub, which has the model at the commit ONE."""
    with TeamHubServer(tmp_path / "source") as server:
        import_files(server.hub, "model", NAME, files_in(model), ONE, "lab")
        yield server


@pytest.fixture
def way(source: TeamHubServer) -> Iterator[Way]:
    """The way to the other hub."""
    with Way(source.url) as way:
        yield way


@pytest.fixture
def mirror(tmp_path: Path, way: Way) -> Iterator[TeamHubServer]:
    """The hub under test."""
    with mirroring(tmp_path, way) as server:
        yield server


@contextlib.contextmanager
def mirroring(tmp_path: Path, way: Way, token: str | None = None, **policy) -> Iterator:
    """Give the hub under test, with a token for the other and a policy of its own."""
    upstream = HubUpstream(way.url, token)
    with TeamHubServer(tmp_path / "mirror", upstream, **policy) as server:
        yield server


def snapshot(server: TeamHubServer, cache: Path, revision: str | None = None) -> dict[str, bytes]:
    """Return what the Hub's own client brings of the model, into a cache that is empty."""
    shutil.rmtree(cache, ignore_errors=True)
    folder = server.api("dan").snapshot_download(NAME, revision=revision, cache_dir=cache)
    return contents(Path(folder))


def download(api: HfApi, name: str, path: str, room: Path, **more: str) -> bytes:
    """Return a file as the Hub's own client brings it, past the cache of this machine."""
    return Path(api.hf_hub_download(name, path, cache_dir=room / "cache", **more)).read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {path: at.read_bytes() for path, at in files_in(folder).items()}


def sent(server: TeamHubServer) -> float:
    """Return the bytes that a hub has sent in all."""
    return server.hub.registry.get_sample_value("hubtl_sent_bytes_total") or 0.0


def problems(server: TeamHubServer) -> tuple[str, ...]:
    return checking.check(server.hub, quiet).problems


def file(path: str, revision: str = "main", name: str = NAME) -> str:
    return f"/{name}/resolve/{revision}/{path}"


def test_what_was_fetched_is_served_byte_for_byte_when_the_other_hub_is_gone(
    mirror, source, way, model, tmp_path
):
    first = snapshot(mirror, tmp_path / "a")
    way.close()
    again = snapshot(mirror, tmp_path / "b")
    assert first == again == contents(model)
    assert snapshot(mirror, tmp_path / "c", ONE) == contents(model)
    assert mirror.api("dan").model_info(NAME).sha == ONE
    assert problems(mirror) == ()


def test_a_mirrored_model_is_told_as_the_other_hub_tells_it(mirror, source):
    here, there = mirror.api("dan"), source.api("dan")
    told, known = (each.model_info(NAME, files_metadata=True) for each in (here, there))
    assert (told.sha, told.pipeline_tag, told.tags) == (ONE, known.pipeline_tag, known.tags)
    assert told.siblings == known.siblings
    trees = [
        list(each.list_repo_tree(NAME, recursive=True, expand=False)) for each in (here, there)
    ]
    assert trees[0] == trees[1]
    heads = [each.ask("HEAD", file("model.bin"), "dan") for each in (mirror, source)]
    assert heads[0].status_code == 200
    assert heads[0].headers["ETag"] == heads[1].headers["X-Linked-Etag"]
    assert heads[0].headers["Content-Length"] == heads[1].headers["X-Linked-Size"]
    assert [each.headers["X-Repo-Commit"] for each in heads] == [ONE, ONE]
    nobody_asked = hashlib.sha256(WEIGHTS).hexdigest()
    assert not mirror.hub.objects.has(nobody_asked)


def test_pages_show_of_a_mirror_what_has_come(mirror):
    assert mirror.api("dan").model_info(NAME).sha == ONE
    assert "Moods" in mirror.ask("GET", f"/{NAME}").text
    for path, shown in (("README.md", "pipeline_tag"), ("more/words.txt", "is fetched from")):
        page = mirror.ask("GET", f"/{NAME}/blob/main/{path}")
        assert page.status_code == 200 and shown in page.text
    assert mirror.ask("GET", file("more/words.txt"), "dan").status_code == 200
    assert "awful" in mirror.ask("GET", f"/{NAME}/blob/main/more/words.txt").text


def test_a_file_is_fetched_once_for_all_who_ask_at_the_same_time(mirror, source):
    mirror.api("dan").model_info(NAME)
    before = sent(source)
    told = []
    asking = [
        threading.Thread(target=lambda: told.append(mirror.ask("GET", file("model.bin"), "dan")))
        for _ in range(8)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert [each.content == WEIGHTS for each in told] == [True] * 8
    assert len(WEIGHTS) <= sent(source) - before < 1.1 * len(WEIGHTS)


def test_ranges_are_served_from_what_was_fetched_whole(mirror):
    asked = {"Range": "bytes=1000-1999"}
    told = [mirror.ask("GET", file("model.bin"), "dan", headers=asked) for _ in range(2)]
    assert [each.status_code for each in told] == [206, 206]
    assert [each.content for each in told] == [WEIGHTS[1000:2000]] * 2
    last = mirror.ask("GET", file("model.bin"), "dan", headers={"Range": "bytes=-10"})
    assert last.content == WEIGHTS[-10:]


def test_main_follows_after_a_while_and_every_commit_stays(tmp_path, way, source, model):
    with mirroring(tmp_path, way, upstream_age=1.0) as mirror:
        old = snapshot(mirror, tmp_path / "a")
        (model / "more" / "words.txt").write_text("splendid\n")
        import_files(source.hub, "model", NAME, files_in(model), TWO, "lab")
        assert mirror.api("dan").model_info(NAME).sha in (ONE, TWO)
        time.sleep(1.1)
        assert mirror.api("dan").model_info(NAME).sha == TWO
        assert snapshot(mirror, tmp_path / "b")["more/words.txt"] == b"splendid\n"
        way.close()
        assert snapshot(mirror, tmp_path / "c", ONE) == old
        assert problems(mirror) == ()


def test_branches_tags_and_short_ids_lead_where_they_lead_there(mirror, source, model):
    import_files(source.hub, "model", NAME, files_in(model), TWO, "lab", tags=("v2",))
    api = mirror.api("dan")
    assert [api.model_info(NAME, revision=each).sha for each in ("v2", "main", ONE)] == [
        TWO,
        TWO,
        ONE,
    ]
    assert {each.name: each.target_commit for each in api.list_repo_refs(NAME).tags} == {"v2": TWO}
    with pytest.raises(RevisionNotFoundError, match=f"Neither this hub nor {source.url[:16]}"):
        api.model_info(NAME, revision="v3")


def test_what_is_lacking_is_told_by_name(mirror, way, tmp_path):
    api = mirror.api("dan")
    with pytest.raises(RepositoryNotFoundError, match=f"neither this hub nor {way.url} has lab/no"):
        api.model_info("lab/no")
    api.model_info(NAME)
    with pytest.raises(RemoteEntryNotFoundError):
        download(api, NAME, "no.txt", tmp_path)
    way.close()
    lacking = [
        mirror.ask("GET", "/api/models/lab/other", "dan"),
        mirror.ask("GET", f"/api/models/{NAME}/revision/v1", "dan"),
        mirror.ask("GET", file("model.bin"), "dan"),
        mirror.ask("HEAD", file("model.bin"), "dan"),
    ]
    assert [each.status_code for each in lacking] == [504, 504, 504, 200]
    assert [each.headers.get("X-Error-Message") for each in lacking] == [
        f"lab/other at main is not on this hub, and {way.url} does not give it: "
        f"{way.url} can't be reached",
        f"{NAME} at v1 is not on this hub, and {way.url} does not give it: "
        f"{way.url} can't be reached",
        f"model.bin of {NAME} is not on this hub, and {way.url} does not give it: "
        f"{way.url} can't be reached",
        None,
    ]


def test_other_bytes_than_the_hash_says_are_refused_and_not_kept(mirror, source, tmp_path):
    place = source.hub.objects.path(hashlib.sha256(WEIGHTS).hexdigest())
    place.chmod(0o600)
    place.write_bytes(WEIGHTS[:-1] + b"x")
    told = mirror.ask("GET", file("model.bin"), "dan")
    assert told.status_code == 424
    assert "gave other bytes for model.bin of lab/moods than its hash says" in told.text
    with pytest.raises(HfHubHTTPError, match="nothing of it was kept"):
        download(mirror.api("dan"), NAME, "model.bin", tmp_path)
    assert list(mirror.hub.objects.incoming.iterdir()) == []
    assert problems(mirror) == ()
    place.write_bytes(WEIGHTS)
    assert mirror.ask("GET", file("model.bin"), "dan").content == WEIGHTS


def test_a_small_file_is_checked_by_its_git_id(mirror, source):
    place = source.hub.objects.path(hashlib.sha256(b"great\nawful\n").hexdigest())
    place.write_text("great\nAWFUL\n")
    assert mirror.ask("GET", file("more/words.txt"), "dan").status_code == 424
    place.write_text("great\nawful\n")
    assert mirror.ask("GET", file("more/words.txt"), "dan").text == "great\nawful\n"


def test_a_file_that_stops_in_the_middle_goes_on_from_there(mirror, source, way):
    mirror.api("dan").model_info(NAME)
    before = sent(source)
    way.hold_after(len(WEIGHTS) // 2)
    told: list[bytes] = []
    ask = partial(mirror.ask, "GET", file("model.bin"), "dan")
    asking = threading.Thread(target=lambda: told.append(ask().content))
    asking.start()
    assert way.reached.wait(10)
    way.cut()
    way.open()
    asking.join()
    assert told == [WEIGHTS]
    assert sent(source) - before < 2 * len(WEIGHTS)


def test_who_waits_long_is_told_when_to_ask_again_and_the_fetching_goes_on(
    mirror, way, monkeypatch, tmp_path
):
    monkeypatch.setattr("hubtl.server.flights.HOLD", 0.5)
    mirror.api("dan").model_info(NAME)
    way.hold_after(len(WEIGHTS) // 2)
    told = mirror.ask("GET", file("model.bin"), "dan")
    assert (told.status_code, told.headers["Retry-After"].isdecimal()) == (429, True)
    assert f"model.bin of {NAME} is on its way" in told.text
    way.open()
    assert download(mirror.api("dan"), NAME, "model.bin", tmp_path) == WEIGHTS


def test_a_kill_in_the_middle_leaves_nothing_wrong(tmp_path, way, source, hubtl_cli):
    store = f"--store {tmp_path / 'mirror'}"
    assert hubtl_cli(f"hub user add dan {store}").code == 0
    assert hubtl_cli(f"hub token add dan --value {TOKENS['dan']} {store}").code == 0
    options = ("--store", str(tmp_path / "mirror"), "--upstream", way.url)
    running = Running(*options)
    asked = {"headers": {"Authorization": f"Bearer {TOKENS['dan']}"}, "timeout": 30}
    assert httpx2.get(f"{running.url}/api/models/{NAME}", **asked).json()["sha"] == ONE
    way.hold_after(len(WEIGHTS) // 2)
    with pytest.raises(httpx2.HTTPError):
        killer = threading.Thread(target=lambda: way.reached.wait(10) and running.process.kill())
        killer.start()
        httpx2.get(f"{running.url}{file('model.bin')}", **asked)
    running.process.communicate()
    assert [path.stat().st_size for path in (tmp_path / "mirror" / "incoming").iterdir()] != []
    way.open()
    running = Running(*options)
    assert list((tmp_path / "mirror" / "incoming").iterdir()) == []
    assert httpx2.get(f"{running.url}{file('model.bin')}", **asked).content == WEIGHTS
    assert running.stop()[0] == 0
    assert hubtl_cli(f"hub check {store}").code == 0


def test_our_own_always_goes_before_the_other_hubs(tmp_path, way, source, model):
    import_files(source.hub, "model", "lab/ours", files_in(model), TWO, "lab")
    import_files(source.hub, "model", "acme/moods", files_in(model), TWO, "lab")
    with mirroring(tmp_path, way) as mirror:
        import_files(mirror.hub, "model", "lab/ours", files_in(model), THREE, "us")
        api = mirror.api("dan")
        assert api.model_info("lab/ours").sha == THREE
        with pytest.raises(RevisionNotFoundError):
            api.model_info("lab/ours", revision=TWO)
        # acme has members here: a stranger's acme elsewhere is another one.
        for name in ("acme/moods", "dan/moods"):
            told = mirror.ask("GET", f"/api/models/{name}", "dan")
            assert (told.status_code, told.json()) == (404, {"error": "Repository not found"})


def test_a_mirror_takes_revisions_that_are_imported(mirror, way, model, tmp_path):
    mirror.api("dan").model_info(NAME)
    way.close()
    (model / "more" / "words.txt").write_text("splendid\n")
    import_files(mirror.hub, "model", NAME, files_in(model), TWO, "us")
    assert snapshot(mirror, tmp_path / "a", TWO) == contents(model)


def test_a_mirror_is_not_written_to(mirror, way):
    mirror.api("dan").model_info(NAME)
    told = commit(mirror, {"a.txt": b"a"}, NAME)
    assert (told.status_code, told.json()["error"]) == (
        403,
        f"{NAME} is a mirror of {way.url}: nothing is changed here",
    )
    with pytest.raises(HfHubHTTPError, match="is a mirror of"):
        mirror.api("cleo").create_discussion(NAME, "May I?")
    with pytest.raises(HfHubHTTPError, match="is a mirror of"):
        mirror.api("ana").duplicate_repo(NAME, "ana/moods")


def test_only_who_has_a_token_has_anything_fetched(mirror, source):
    assert mirror.ask("GET", f"/api/models/{NAME}").status_code == 401
    mirror.api("dan").model_info(NAME)
    assert mirror.ask("GET", f"/api/models/{NAME}").json()["sha"] == ONE
    assert mirror.ask("GET", file("README.md")).text == CARD
    before = sent(source)
    told = mirror.ask("GET", file("model.bin"))
    assert told.status_code == 504 and "is not on this hub" in told.headers["X-Error-Message"]
    assert sent(source) == before


@pytest.fixture
def secret(source: TeamHubServer, model: Path) -> str:
    """A private model of the other hub, which dan may read there."""
    with source.hub.database.writing() as db:
        add_account(db, "vault", "org")
        set_member(db, "vault", "dan", "read")
    import_files(source.hub, "model", "vault/secret", files_in(model), TWO, "lab", private=True)
    return "vault/secret"


def test_the_other_hub_never_sees_a_clients_token(mirror, secret):
    # dan's token is good there too, and would open it.
    told = mirror.ask("GET", f"/api/models/{secret}", "dan")
    assert (told.status_code, told.headers["X-Error-Code"]) == (404, "RepoNotFound")


def test_what_came_by_the_hubs_own_token_is_for_all_who_are_known_and_for_nobody_else(
    tmp_path, way, secret
):
    with mirroring(tmp_path, way, TOKENS["dan"]) as mirror:
        api = mirror.api("bob")
        assert api.model_info(secret).sha == TWO and api.model_info(secret).private
        assert (
            Path(
                api.hf_hub_download(secret, "model.bin", cache_dir=tmp_path / "cache")
            ).read_bytes()
            == WEIGHTS
        )
        assert [each.id for each in api.list_models()] == [secret]
        assert mirror.ask("GET", f"/api/models/{secret}").status_code == 401
        assert mirror.ask("GET", file("model.bin", name=secret)).status_code == 401
        assert list(mirror.api().list_models()) == []


def test_a_gate_that_the_hubs_own_token_does_not_pass_is_told(mirror, source, way, tmp_path):
    with source.hub.database.writing() as db:
        db.execute(update(repos).values(gated="manual"))
    api = mirror.api("dan")
    assert api.model_info(NAME).sha == ONE
    with pytest.raises(GatedRepoError, match=f"does not give it to this hub: `{NAME}` is gated"):
        download(api, NAME, "model.bin", tmp_path)


def test_a_list_has_what_was_fetched(mirror, source, model):
    import_files(source.hub, "model", "lab/more", files_in(model), TWO, "lab")
    api = mirror.api("dan")
    assert list(api.list_models()) == []
    api.model_info(NAME)
    assert [each.id for each in api.list_models(filter="text-classification")] == [NAME]


def test_a_name_that_changed_there_leads_to_the_new_one(mirror, source):
    with source.hub.database.writing() as db:
        move_repo(db, find_repo(db, "model", *NAME.split("/"))[0], find(db, "lab"), "feelings")
    api = mirror.api("dan")
    assert [api.model_info(NAME).id for _ in range(2)] == ["lab/feelings"] * 2
    assert mirror.ask("GET", file("README.md"), "dan", follow_redirects=True).text == CARD


def test_a_data_set_is_mirrored_and_a_space_is_not(mirror, source, model, tmp_path):
    import_files(source.hub, "dataset", "lab/rows", files_in(model), TWO, "lab")
    import_files(source.hub, "space", "lab/app", files_in(model), TWO, "lab")
    api = mirror.api("dan")
    assert api.dataset_info("lab/rows").sha == TWO
    got = api.hf_hub_download(
        "lab/rows", "more/words.txt", repo_type="dataset", cache_dir=tmp_path / "cache"
    )
    assert Path(got).read_text() == "great\nawful\n"
    with pytest.raises(RepositoryNotFoundError):
        api.space_info("lab/app")


def test_a_hub_that_takes_no_pickles_fetches_none(tmp_path, way, source, model):
    (model / "old.pkl").write_bytes(b"\x80\x04N.")
    import_files(source.hub, "model", "lab/old", files_in(model), TWO, "lab")
    with mirroring(tmp_path, way, pickles="refuse") as mirror:
        told = mirror.ask("GET", file("old.pkl", name="lab/old"), "dan")
        assert (told.status_code, "is a pickle" in told.text) == (403, True)


def test_a_mirror_has_backups_like_every_hub_and_what_has_not_come_is_no_fault(
    mirror, tmp_path, source
):
    download(mirror.api("dan"), NAME, "more/words.txt", tmp_path)
    back_up(mirror.hub, tmp_path / "tar", quiet)
    restore(tmp_path / "tar", tmp_path / "again", quiet)
    again = open_hub(tmp_path / "again")
    assert checking.check(again, quiet).problems == ()
    again.upstream = mirror.hub.upstream
    with TeamHubServer.around(again) as server:
        assert server.ask("GET", file("model.bin"), "dan").content == WEIGHTS


def test_what_is_removed_and_collected_is_fetched_again(mirror, source):
    def download():
        return mirror.ask("GET", file("model.bin"), "dan").content

    assert download() == WEIGHTS
    with mirror.hub.database.writing() as db:
        delete_repo(db, find_repo(db, "model", *NAME.split("/"))[0])
        assert mirror.hub.objects.collect(db, time.time() + 1)[0] > 0
    mirror.hub.objects.empty_trash()
    assert mirror.api("dan").model_info(NAME).pipeline_tag == "text-classification"
    assert problems(mirror) == ()
    assert download() == WEIGHTS


def test_transformers_loads_through_a_mirror_and_goes_on_when_the_other_hub_is_gone(
    tmp_path, way, source, mirror, tiny_folders
):
    import_files(
        source.hub, "model", "lab/tiny", files_in(tiny_folders["acme/tiny-bert"]), TWO, "x"
    )
    code = (
        "from transformers import AutoModel, AutoTokenizer\n"
        "read, model = (each.from_pretrained(NAME) for each in (AutoTokenizer, AutoModel))\n"
        "rows = read('the room was kind', return_tensors='pt')\n"
        "print(model(**rows)[0].sum().item())\n"
    )

    def load(home: str) -> str:
        environment = {"HF_ENDPOINT": mirror.url, "HF_TOKEN": TOKENS["dan"]}
        environment |= {"HF_HOME": str(tmp_path / home), "DISABLE_SAFETENSORS_CONVERSION": "1"}
        done = subprocess.run(
            [sys.executable, "-c", f"NAME = 'lab/tiny'\n{code}"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with contextlib.redirect_stdout(io.StringIO()) as direct:
        exec(code, {"NAME": str(tiny_folders["acme/tiny-bert"])})
    assert load("a") == direct.getvalue()
    way.close()
    assert load("b") == direct.getvalue()


def test_serve_says_what_is_no_hub_to_fetch_from(hubtl_cli, tmp_path):
    told = {
        "--upstream lab": "`lab` is no URL of a hub",
        "--upstream http://a --upstream-token-file no.txt": "`no.txt` can't be read",
        "--upstream http://a --upstream-age old": "`old` is no age",
        "--upstream-token-file no.txt": "--upstream-token-file is of no use alone",
    }
    for options, error in told.items():
        said = hubtl_cli(f"serve --port 0 --store {tmp_path / 'hub'} {options}")
        assert (said.code, said.err.startswith(f"error: {error}")) == (1, True), said.err
