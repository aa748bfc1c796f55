"""`hubtl serve --upstream URL`: what a hub has not, it fetches from another, and keeps."""

from __future__ import annotations

import hashlib
import threading
import time
from functools import partial

import httpx2
import pytest
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hubtl.registry.fingerprint import files_in
from hubtl.server.importing import import_files

from . import mirrored
from .mirrored import NAME, WEIGHTS, contents, download, file, mirroring, problems, sent, snapshot
from .serving import TOKENS
from .stores import ONE, TWO
from .test_serve import Running

model = mirrored.model
source = mirrored.source
way = mirrored.way
mirror = mirrored.mirror


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
        api, until = mirror.api("dan"), time.monotonic() + 60
        # A hub that is slow to answer once is asked anew a little later: what is here goes on.
        while (sha := api.model_info(NAME).sha) == ONE and time.monotonic() < until:
            time.sleep(0.1)
        assert sha == TWO
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
    place = source.hub.objects.contents.local(hashlib.sha256(WEIGHTS).hexdigest())
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
    place = source.hub.objects.contents.local(hashlib.sha256(b"great\nawful\n").hexdigest())
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
    mirror.api("dan").model_info(NAME)
    monkeypatch.setattr("hubtl.server.flights.HOLD", 0.5)
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
