"""Files of a team hub as clients fetch them: whole, in ranges, by redirect, and known by a name."""

from __future__ import annotations

import hashlib
import json

import numpy
import pytest
from huggingface_hub import CommitOperationAdd
from safetensors.numpy import save

from hubtl.server.upkeep import Upkeep

from .serving import TeamHubServer

NAME = "acme/moods"
SMALL, LARGE = b"hello hub\n", bytes(range(256)) * 40
LARGE_ID = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A public repository with a small and a large file."""
    with TeamHubServer(tmp_path_factory.mktemp("files")) as server:
        api = server.api("ana")
        api.create_repo(NAME)
        for path, content in (("a/small.txt", SMALL), ("large.bin", LARGE)):
            api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
        yield server


def fetch(hub, path, follow=True, method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"/{NAME}/resolve/main/{path}"
    return hub.ask(method, address, headers=named, follow_redirects=follow)


@pytest.mark.parametrize("path", ["a/small.txt", "large.bin"])
def test_head_says_what_get_gives(path, hub):
    head, get = (fetch(hub, path, method=method) for method in ("HEAD", "GET"))
    names = ("etag", "content-length", "x-repo-commit", "accept-ranges", "content-type")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
    assert head.content == b"" and len(get.content) == int(head.headers["content-length"])


def test_a_small_file_is_known_by_gits_id_and_a_large_one_by_its_sha256(hub):
    small, large = fetch(hub, "a/small.txt"), fetch(hub, "large.bin")
    (known,) = hub.api("ana").get_paths_info(NAME, ["a/small.txt"])
    assert small.headers["etag"] == f'"{known.blob_id}"'
    assert large.headers["etag"] == f'"{LARGE_ID}"'
    assert (small.content, large.content) == (SMALL, LARGE)


def test_a_large_file_is_a_redirect_that_says_all_a_client_needs(hub):
    told = fetch(hub, "large.bin", follow=False)
    assert told.status_code == 302
    head = hub.api("ana").model_info(NAME).sha
    names = ("x-linked-etag", "x-linked-size", "x-repo-commit")
    assert [told.headers[name] for name in names] == [f'"{LARGE_ID}"', str(len(LARGE)), head]
    location = told.headers["location"]
    assert location.startswith(f"{hub.url}/objects/")
    # The address is a right by itself, for a while; nobody can make one.
    assert hub.ask("GET", location).content == LARGE
    assert hub.ask("GET", location[:-3] + "xyz").status_code == 403


@pytest.mark.parametrize("path", ["a/small.txt", "large.bin"])
@pytest.mark.parametrize(
    ("asked", "start", "stop"), [("0-3", 0, 4), ("4-", 4, None), ("-3", -3, None), ("2-2", 2, 3)]
)
def test_a_range_is_what_was_asked(asked, start, stop, path, hub):
    content = SMALL if path.endswith("txt") else LARGE
    part = fetch(hub, path, Range=f"bytes={asked}")
    assert (part.status_code, part.content) == (206, content[start:stop])
    assert part.headers["content-range"].endswith(f"/{len(content)}")


def test_a_range_beyond_the_end_is_told_with_the_size(hub):
    answer = fetch(hub, "large.bin", Range=f"bytes={len(LARGE)}-")
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(LARGE)}")


def test_what_is_not_there_is_told_with_the_commit_it_is_not_in(hub):
    answer = fetch(hub, "nothing.txt")
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "EntryNotFound")
    assert answer.headers["x-repo-commit"] == hub.api("ana").model_info(NAME).sha
    answer = hub.ask("GET", f"/{NAME}/resolve/v9/a/small.txt")
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "RevisionNotFound")


def test_a_revision_is_a_branch_a_tag_a_commit_its_beginning_or_a_pull_request(hub):
    api = hub.api("ana")
    head = api.model_info(NAME).sha
    api.create_tag(NAME, tag="v/1")
    pull = api.create_pull_request(NAME, title="more").num
    for revision in ("v%2F1", head, head[:8], "main", f"refs%2Fpr%2F{pull}", f"refs/pr/{pull}"):
        got = hub.ask("GET", f"/{NAME}/resolve/{revision}/a/small.txt")
        assert got.content == SMALL, revision


def test_the_tree_is_listed_a_page_at_a_time(hub):
    found, page = [], f"{hub.url}/api/models/{NAME}/tree/main?recursive=true&limit=2"
    while page:
        answer = hub.ask("GET", page)
        found += [each["path"] for each in answer.json()]
        page = answer.links.get("next", {}).get("url", "")
    assert found == [".gitattributes", "a", "a/small.txt", "large.bin"]
    answer = hub.ask("GET", f"/api/models/{NAME}/tree/main/nothing")
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "EntryNotFound")


def test_what_is_in_shards_is_told_by_their_headers(hub):
    api, names = hub.api("ana"), {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}
    index = {"metadata": {"total_size": 24}, "weight_map": names}
    files = {"m.safetensors.index.json": json.dumps(index).encode()}
    for tensor, name in names.items():
        files[name] = save({tensor: numpy.zeros(3, dtype="float32")})
    added = [CommitOperationAdd(f"sub/{name}", content) for name, content in files.items()]
    api.create_commit(NAME, added, commit_message="shards")
    told = api.get_sharded_safetensors_metadata(NAME, filename="sub/m.safetensors.index.json")
    assert (told.weight_map, told.parameter_count) == (names, {"F32": 6})
    assert told.metadata == {"total_size": 24}
    path = f"/api/models/{NAME}/safetensors-metadata"
    one = f"sub/{names['a']}"
    assert list(hub.ask("GET", f"{path}/{one}").json()["headers"]) == [one]
    for wrong in ("large.bin", "a/small.txt"):
        assert hub.ask("GET", f"{path}/{wrong}").status_code == 400


def test_downloads_are_counted_once_a_file(hub):
    before = downloads(hub)
    fetch(hub, "large.bin")
    fetch(hub, "large.bin", method="HEAD")
    assert downloads(hub) == before + 1


def downloads(hub):
    """Return the count once what was fetched until now is in it."""
    (upkeep,) = [each.__self__ for each in hub.hub.told if isinstance(each.__self__, Upkeep)]
    upkeep.write_downloads()
    return hub.api("ana").model_info(NAME).downloads


def test_health_metrics_and_a_description_of_itself(hub):
    assert hub.ask("GET", "/healthz").json() == {"status": "ok"}
    text = hub.ask("GET", "/metrics").text
    assert "hubtl_requests_total{" in text and "hubtl_repositories 1" in text
    described = hub.ask("GET", "/openapi.json").json()
    assert described["paths"]["/api/repos/create"]["post"]["summary"] == (
        "Make a repository with a first commit."
    )
