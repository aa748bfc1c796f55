"""What a right is good for on a team hub, and for how long."""

from __future__ import annotations

import hashlib
import json

import pytest

from hubtl.server.accounts import add_token, find, parse_scope, remove_member
from hubtl.server.schema import accounts

from .serving import running_hub, team_hub  # noqa: F401

NAME = "acme/moods"
ADDRESS = f"/api/models/{NAME}"
LARGE = b"\0large"
SHA256 = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture
def moods(team_hub):  # noqa: F811
    """A private repository of acme with one large file."""
    api = team_hub.api("ana")
    api.create_repo(NAME, private=True)
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="w.bin", repo_id=NAME)
    return team_hub


def settings(server, name=NAME, **changed):
    address = f"/api/models/{name}/settings"
    assert server.ask("PUT", address, "cleo", json=changed).status_code == 200


def leave(server, user):
    """Take a user out of acme."""
    with server.hub.database.writing() as db:
        remove_member(db, find(db, "acme").id, find(db, user).id)


def log(server):
    """Return the log's lines; each is written just before its answer's end."""
    return [json.loads(line) for line in server.hub.audit_log.read_text().splitlines()]


def location(server, user):
    answer = server.ask("GET", f"/{NAME}/resolve/main/w.bin", user, follow_redirects=False)
    return answer.headers["location"].removeprefix(server.url)


def batch(server, user, operation, content):
    asked = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    body = {"operation": operation, "objects": [asked]}
    address = f"/{NAME}.git/info/lfs/objects/batch"
    return server.ask("POST", address, user, json=body).json()["objects"][0]


def upload(server, user, content):
    """Return where a content is to be sent, and where to ask whether it came."""
    actions = batch(server, user, "upload", content)["actions"]
    return [actions[name]["href"].removeprefix(server.url) for name in ("upload", "verify")]


def cas(server, user, kind, revision="main"):
    """Return the address and the headers that a Xet client has."""
    found = server.ask("GET", f"{ADDRESS}/xet-{kind}-token/{revision}", user).json()
    return found["casUrl"], {"Authorization": f"Bearer {found['accessToken']}"}


def test_a_signed_address_is_good_for_its_user_for_as_long_as_that_may_read(moods):
    by_ana, by_dan = location(moods, "ana"), location(moods, "dan")
    listed = batch(moods, "dan", "download", LARGE)["actions"]["download"]["href"]
    by_lfs = listed.removeprefix(moods.url)
    assert {moods.ask("GET", each).content for each in (by_ana, by_dan, by_lfs)} == {LARGE}
    leave(moods, "dan")
    told = [moods.ask("GET", each).status_code for each in (by_ana, by_dan, by_lfs)]
    assert told == [200, 404, 404]


def test_a_signed_address_stops_at_a_gate_and_is_not_in_the_log(moods):
    settings(moods, private=False)
    address = location(moods, None)
    assert moods.ask("GET", address).status_code == 200
    settings(moods, gated="manual")
    assert moods.ask("GET", address).status_code == 401
    assert "/objects/..." in [line["path"] for line in log(moods)]
    assert address.rpartition("/")[2] not in moods.hub.audit_log.read_text()


def test_an_address_of_xet_contents_is_good_for_nothing_once_its_user_may_not_read(moods):
    url, headers = cas(moods, "dan", "read")
    with moods.hub.database.reading() as db:
        (hash_,) = db.exec_driver_sql("SELECT hash FROM xet_files").scalars()
    plan = moods.ask("GET", f"{url}/v1/reconstructions/{hash_}", headers=headers).json()
    ((fetched,),) = plan["fetch_info"].values()
    assert moods.ask("GET", fetched["url"]).status_code == 206
    leave(moods, "dan")
    assert moods.ask("GET", fetched["url"]).status_code == 404


def test_who_may_see_a_repository_no_more_sends_nothing_to_it_with_what_was_signed(moods):
    put, verify = upload(moods, "dan", b"new")
    url, headers = cas(moods, "dan", "write", "refs%2Fpr%2F1")
    leave(moods, "dan")
    assert moods.ask("PUT", put, content=b"new").status_code == 404
    assert moods.ask("POST", verify, json={}).status_code == 404
    for path in (f"{url}/v1/xorbs/default/{'0' * 64}", f"{url}/v1/shards"):
        assert moods.ask("POST", path, headers=headers, content=b"x").status_code == 404


def test_a_xet_token_to_write_is_good_for_nothing_once_its_user_may_only_read(moods):
    settings(moods, private=False)
    url, headers = cas(moods, "ana", "write")
    leave(moods, "ana")
    answer = moods.ask("POST", f"{url}/v1/shards", headers=headers, content=b"x")
    assert answer.status_code == 403


def test_a_user_who_is_removed_leaves_no_right_behind(moods):
    settings(moods, private=False)
    put, _ = upload(moods, "bob", b"new")
    with moods.hub.database.writing() as db:
        db.execute(accounts.delete().where(accounts.c.name == "bob"))
    assert moods.ask("PUT", put, content=b"new").status_code == 404


def test_a_scoped_token_does_not_turn_a_webhook_on_what_it_may_not_read_elsewhere(moods):
    watched = [{"type": "model", "name": NAME}]
    body = {"url": "http://example.com/", "watched": watched}
    made = moods.ask("POST", "/api/settings/webhooks", "ana", json=body).json()["webhook"]
    options = {"value": "hf_scoped_0123456789", "role": "fineGrained"}
    with moods.hub.database.writing() as db:
        scopes = [parse_scope("ana:write")]
        token = add_token(db, moods.hub.secret, "ana", scopes=scopes, **options)
    address = f"/api/settings/webhooks/{made['id']}"
    elsewhere = {"url": "http://example.org/"}
    assert moods.ask("POST", address, token, json=elsewhere).status_code == 403
    assert moods.ask("GET", address, "ana").json()["webhook"]["url"] == "http://example.com/"


def test_wrong_tokens_keep_nobody_else_at_their_address_waiting(tmp_path):
    with running_hub(tmp_path, failures_a_minute=2) as server:
        users = ["hf_wrong_0", "hf_wrong_1", "hf_wrong_2", "ana", None, "hf_wrong_3"]
        told = [server.ask("GET", "/api/models", user).status_code for user in users]
    assert told == [401, 401, 429, 200, 200, 429]


def test_what_a_proxy_tells_of_a_client_is_an_address_or_nothing(moods):
    for told in ("2001:db8::1", "evil text", "a" * 5000):
        moods.ask("POST", "/api/repos/create", headers={"X-Forwarded-For": told}, json={})
    told = [line["address"] for line in log(moods) if line["path"] == "/api/repos/create"][-3:]
    assert told == ["2001:db8::1", "unknown", "unknown"]


def test_a_large_file_that_was_squashed_away_is_given_to_nobody(moods):
    api = moods.api("ana")
    api.delete_file("w.bin", NAME)
    put, _ = upload(moods, "ana", b"not committed yet")
    assert moods.ask("PUT", put, content=b"not committed yet").status_code == 200
    api.super_squash_history(NAME)
    assert batch(moods, "ana", "download", LARGE)["error"]["code"] == 404
    assert "actions" in batch(moods, "ana", "download", b"not committed yet")


def test_counts_tell_nobody_of_what_they_may_not_see(moods):
    moods.ask("POST", f"{ADDRESS}/like", "ana")
    inner = moods.api("ana").create_collection("Inner", namespace="acme")
    outer = moods.api("ana").create_collection("Outer", namespace="acme")
    moods.api("ana").add_collection_item(inner.slug, NAME, "model")
    moods.api("ana").add_collection_item(outer.slug, inner.slug, "collection")
    for user, count in (("dan", 1), ("bob", 0), (None, 0)):
        assert moods.ask("GET", "/api/users/ana/overview", user).json()["numLikes"] == count
        (item,) = moods.ask("GET", f"/api/collections/{outer.slug}", user).json()["items"]
        assert item["numberItems"] == count
    assert "hubtl_repositories 0" in moods.ask("GET", "/metrics").text
