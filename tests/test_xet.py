"""Xet, by the Hub's own client and by others: who may send and read what."""

from __future__ import annotations

import hashlib
from pathlib import Path

import hf_xet
from huggingface_hub import hf_hub_download

from hubtl.server.xet_hash import xet_hash_of
from hubtl.server.xorbs import LARGEST_CHUNK, LARGEST_SENT

from .serving import TeamHubServer, running_hub, team_hub  # noqa: F401
from .test_xet_formats import mixed, received, sent

MOODS = "acme/moods"
TOKEN = f"/api/models/{MOODS}/xet-write-token/main"


def test_the_hubs_client_sends_and_reads_by_xet(
    tmp_path: Path,
    team_hub: TeamHubServer,  # noqa: F811
) -> None:
    content = mixed(30_000_000)
    file = received(tmp_path, content)
    sha256 = hashlib.sha256(content).hexdigest()
    ana = team_hub.api("ana")
    ana.create_repo(MOODS, private=True)
    ana.upload_file(path_or_fileobj=file, path_in_repo="model.safetensors", repo_id=MOODS)

    (entry,) = ana.get_paths_info(MOODS, "model.safetensors")
    got = hf_hub_download(
        MOODS,
        "model.safetensors",
        endpoint=team_hub.url,
        token=team_hub.tokens["dan"],
        cache_dir=tmp_path / "cache",
    )

    told = hf_xet.hash_files([str(file)])[0].hash
    with team_hub.hub.database.reading() as db:
        assert xet_hash_of(db, [sha256, "0" * 64]) == {sha256: told}
    assert (entry.xet_hash, entry.lfs.sha256, entry.size) == (told, sha256, len(content))
    assert Path(got).read_bytes() == content
    paths = team_hub.hub.audit_log.read_text()
    assert "/v1/xorbs/default/" in paths and ".git/info/lfs" not in paths


def test_what_was_sent_today_is_not_sent_again(
    tmp_path: Path,
    team_hub: TeamHubServer,  # noqa: F811
) -> None:
    file = received(tmp_path, mixed(200_000))
    for user, repo in (("ana", MOODS), ("ana", "ana/copy"), ("bob", "bob/copy")):
        api = team_hub.api(user)
        api.create_repo(repo)
        api.upload_file(path_or_fileobj=file, path_in_repo="model.bin", repo_id=repo)
    paths = team_hub.hub.audit_log.read_text()
    assert paths.count("/v1/xorbs/default/") == 2  # bob doesn't know of what ana sent


def test_a_folder_becomes_a_strangers_pull_request(
    tmp_path: Path,
    team_hub: TeamHubServer,  # noqa: F811
) -> None:
    team_hub.api("ana").create_repo(MOODS)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 5000)
    bob = team_hub.api("bob")
    bob.upload_folder(folder_path=folder, repo_id=MOODS, create_pr=True)
    files = bob.list_repo_files(MOODS, revision="refs/pr/1")
    assert files == [".gitattributes", "0.bin", "1.bin", "2.bin"]


def test_a_write_token_is_for_those_who_may_write(team_hub: TeamHubServer) -> None:  # noqa: F811
    team_hub.api("ana").create_repo(MOODS)
    pull_request = f"/api/models/{MOODS}/xet-write-token/refs%2Fpr%2F1"
    asked = {
        ("ana", TOKEN): 200,
        ("dan", TOKEN): 403,
        ("bob", TOKEN): 403,
        (None, TOKEN): 401,
        ("bob", f"{TOKEN}?create_pr=1"): 200,
        ("bob", TOKEN.replace("main", "None")): 200,
        ("bob", pull_request): 200,
        (None, f"{TOKEN}?create_pr=1"): 401,
        ("ana", TOKEN.replace("moods", "nothing")): 404,
    }
    told = {each: team_hub.ask("GET", each[1], each[0]).status_code for each in asked}
    assert told == asked


def test_a_token_is_told_in_the_body_and_in_headers(team_hub: TeamHubServer) -> None:  # noqa: F811
    team_hub.api("ana").create_repo(MOODS)
    found = team_hub.ask("GET", TOKEN.replace("write", "read"))
    assert found.json() == {
        "casUrl": found.headers["X-Xet-Cas-Url"],
        "accessToken": found.headers["X-Xet-Access-Token"],
        "exp": int(found.headers["X-Xet-Token-Expiration"]),
    }


def sender(server: TeamHubServer, path: str, user: str | None) -> tuple[str, dict[str, str]]:
    """Return the CAS address and the headers that a client has with a token."""
    found = server.ask("GET", path, user).json()
    return found["casUrl"], {"Authorization": f"Bearer {found['accessToken']}"}


def test_nobody_gets_at_what_is_not_theirs(
    tmp_path: Path,
    team_hub: TeamHubServer,  # noqa: F811
) -> None:
    told = sent(tmp_path, mixed(60_000))
    for user, repo in (("ana", MOODS), ("bob", "bob/own")):
        team_hub.api(user).create_repo(repo)
    xorb, shard = told.xorb.read_bytes(), told.shard.read_bytes()
    hash_ = told.xorb.name.removeprefix("default.")
    ana, as_ana = sender(team_hub, TOKEN, "ana")
    bob, as_bob = sender(team_hub, TOKEN.replace(MOODS, "bob/own"), "bob")
    _, reads = sender(team_hub, TOKEN.replace("write", "read"), None)

    def post(url: str, headers: dict[str, str], content: bytes) -> int:
        return team_hub.ask("POST", url, headers=headers, content=content).status_code

    def read(url: str, headers: dict[str, str]) -> int:
        path = f"{url}/v1/reconstructions/{told.hash}"
        return team_hub.ask("GET", path, headers=headers).status_code

    wrong = {"Authorization": "Bearer wrong"}
    assert post(f"{ana}/v1/xorbs/default/{hash_}", reads, xorb) == 403
    assert post(f"{ana}/v1/xorbs/default/{hash_}", wrong, xorb) == 401
    assert post(f"{ana}/v1/xorbs/default/{hash_}", {}, xorb) == 401
    assert post(f"{ana}/v1/xorbs/default/{'0' * 64}", as_ana, xorb) == 400
    assert post(f"{ana}/v1/xorbs/default/{hash_}", as_ana, bytes(LARGEST_SENT + 1)) == 413
    assert post(f"{ana}/v1/xorbs/default/{hash_}", as_ana, xorb) == 200
    assert post(f"{bob}/v1/shards", as_bob, shard) == 400  # bob sent no xorb
    assert post(f"{ana}/v1/shards", as_ana, shard[:100]) == 400
    assert read(ana, as_ana) == 404
    assert post(f"{ana}/v1/shards", as_ana, shard) == 200
    assert (read(ana, as_ana), read(ana, reads), read(bob, as_bob)) == (200, 200, 404)
    assert (read(ana, wrong), read(ana, {})) == (401, 401)

    team_hub.api("ana").update_repo_settings(MOODS, visibility="private")
    assert (read(ana, as_ana), read(ana, reads)) == (200, 404)  # a token outlives no right
    team_hub.api("ana").delete_repo(MOODS)
    assert (read(ana, as_ana), post(f"{ana}/v1/shards", as_ana, shard)) == (404, 404)


def test_ranges_of_a_file_are_told_and_an_old_address_is_refused(tmp_path: Path) -> None:
    told = sent(tmp_path, mixed(300_000))
    with running_hub(tmp_path, token_seconds=2) as server:
        server.api("ana").create_repo(MOODS)
        url, headers = sender(server, TOKEN, "ana")
        hash_ = told.xorb.name.removeprefix("default.")
        for path, content in ((f"xorbs/default/{hash_}", told.xorb), ("shards", told.shard)):
            body = {"content": content.read_bytes(), "headers": headers}
            assert server.ask("POST", f"{url}/v1/{path}", **body).status_code == 200
        asked = f"{url}/v1/reconstructions/{told.hash}"

        def ask(path: str, wanted: str) -> tuple[int, bytes]:
            found = server.ask("GET", path, headers={**headers, "Range": wanted})
            return found.status_code, found.content

        plan = server.ask("GET", asked, headers={**headers, "Range": "bytes=131072-131073"}).json()
        (term,), ((fetched,),) = plan["terms"], plan["fetch_info"].values()
        assert (term["range"], plan["offset_into_first_range"]) == ({"start": 1, "end": 2}, 0)
        within = "bytes={start}-{end}".format(**fetched["url_range"])
        row = b"\0\0\0\2\0\0\0\2" + told.content[LARGEST_CHUNK : 2 * LARGEST_CHUNK]
        assert ask(fetched["url"], within) == (206, row)
        assert [ask(asked, wrong)[0] for wrong in ("bytes=300000-", "bytes=-5", "lines=1-2")] == [
            416,
            416,
            416,
        ]
        server.hub.policy = type(server.hub.policy)(token_seconds=-1)
        assert (ask(asked, "bytes=0-1")[0], ask(fetched["url"], within)[0]) == (401, 403)
