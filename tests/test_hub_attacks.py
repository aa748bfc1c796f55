"""What somebody who means harm tries on a team hub, and gets nothing by."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import struct
import tarfile
import time

import pytest

from hubtl.registry.errors import HubtlError
from hubtl.server.accounts import add_token, parse_scope
from hubtl.server.backup import back_up, restore
from hubtl.server.hub import open_hub

from . import serving
from .serving import make, running_hub, team_hub  # noqa: F401

NAME = "acme/moods"
ADDRESS = f"/api/models/{NAME}"
LONE = '"\\ud800"'  # half of a pair: JSON may say it, UTF-8 can't


@pytest.fixture
def moods(team_hub):  # noqa: F811
    """A public repository of acme."""
    make(team_hub, NAME)
    return team_hub


def commit(server, files, user="ana", name=NAME, query="", more=()):
    return serving.commit(server, files, name, user, query, more)


def token_of(server, *scopes):
    value = "hf_" + hashlib.sha256("".join(scopes).encode()).hexdigest()[:20]
    options = {"value": value, "role": "fineGrained", "scopes": [parse_scope(s) for s in scopes]}
    with server.hub.database.writing() as db:
        return add_token(db, server.hub.secret, "ana", **options)


def close(server, name=NAME, **settings):
    address = f"/api/models/{name}/settings"
    assert server.ask("PUT", address, "ana", json=settings).status_code == 200


def weights(header):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


@contextlib.contextmanager
def within(seconds):
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < seconds


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("*a*a*a*a*b", "a" * 210), ("a/**/a/**/a/**/a/**/a/**/b", "a/" * 150 + "c")],
)
def test_a_pattern_that_takes_for_ever_to_match_stops_nobody(pattern, path, moods):
    body = {"gitIgnore": pattern, "files": [{"path": path, "size": 1, "sample": ""}]}
    with within(1.5):
        answer = moods.ask("POST", f"{ADDRESS}/preupload/main?create_pr=1", "bob", json=body)
    assert answer.status_code in (200, 400, 422)


@pytest.mark.parametrize("text", ["1:" * 150_000 + "1", "1:" * 400 + "1.0", "0x" + "f" * 10_000])
def test_a_number_of_many_digits_in_a_card_is_read_at_once_or_not_at_all(text, moods):
    card = f"---\na: {text}\n---\n"
    with within(3):
        said = moods.ask("POST", "/api/validate-yaml", json={"content": card})
        assert said.status_code in (200, 400)
        assert commit(moods, {"README.md": card.encode()}).status_code in (200, 400)


@pytest.mark.parametrize(
    "text", ["- {dataset: {id: a, task_id: b}, value: .nan}", "- !!set {a}", "- !!int x", "[" * 90]
)
def test_results_that_would_stop_an_answer_stop_none(text, moods):
    assert commit(moods, {".eval_results/a.yaml": text.encode()}).status_code == 200
    assert moods.ask("GET", f"{ADDRESS}?expand=evalResults").status_code == 200


def test_a_folder_taken_away_many_times_is_walked_once(moods):
    assert commit(moods, {f"d/{n}": b"" for n in range(1000)}).status_code == 200
    away = [{"key": "deletedFolder", "value": {"path": "d"}}] * 4000
    with within(3):
        assert commit(moods, {}, "bob", query="?create_pr=1", more=away).status_code == 200


def test_a_shape_of_many_dimensions_is_not_multiplied(moods):
    content = weights({"a": {"dtype": "F32", "shape": [999_999_999] * 90_000}})
    with within(1.5):
        assert commit(moods, {"m.safetensors": content}).status_code == 200


def test_what_is_told_of_a_repository_is_short_however_much_its_files_say(moods):
    header = {f"t{n}": {"dtype": f"D{n}", "shape": [1]} for n in range(20_000)}
    card = "---\ntags: [" + ",".join(f"tag-{n}" for n in range(20_000)) + "]\n---\n"
    commit(moods, {"m.safetensors": weights(header)})
    commit(moods, {"README.md": card.encode()})
    config = {"architectures": ["x" * 200_000]}
    commit(moods, {"config.json": json.dumps(config).encode()})
    assert len(moods.ask("GET", ADDRESS).content) < 100_000


def test_a_comment_written_anew_many_times_stays_small(moods):
    opened = moods.ask("POST", f"{ADDRESS}/discussions", "bob", json={"title": "Hello"}).json()
    address, text = f"{ADDRESS}/discussions/{opened['num']}", "&" * 60_000
    made = moods.ask("POST", f"{address}/comment", "bob", json={"comment": text}).json()
    for _ in range(20):
        edit = f"{address}/comment/{made['newMessage']['id']}/edit"
        moods.ask("POST", edit, "bob", json={"content": text})
    assert len(moods.ask("GET", address).content) < 1_000_000


SENT = (
    (f"{ADDRESS}/preupload/main", f'{{"files":[{{"path":{LONE},"size":1}}]}}'),
    (f"{ADDRESS}/lfs-files/batch", f'{{"deletions":{{"sha":[{LONE}]}}}}'),
    (
        f"{ADDRESS}/lfs-files/duplicate",
        f'{{"target":{{"name":"{NAME}"}},"files":[{{"sha256":{LONE}}}]}}',
    ),
    (f"{ADDRESS}/lfs-files/duplicate", f'{{"target":{{"name":{LONE}}},"files":[]}}'),
    ("/api/models?cursor=" + base64.urlsafe_b64encode(b"[" * 20_000).decode(), None),
    ("/api/models?search=" + "%20".join(["a"] * 2000), None),
    ("/api/models?search=" + "a" * 60_000, None),
    ("/api/models?num_parameters=" + ",".join(["min:1"] * 3000), None),
)


@pytest.mark.parametrize(("path", "body"), SENT, ids=range(len(SENT)))
def test_nothing_that_is_sent_makes_the_hub_fail(path, body, moods):
    method = "POST" if body else "GET"
    assert moods.ask(method, path, "ana", content=body).status_code < 500


def test_a_stranger_s_words_never_keep_an_owner_from_reading_requests(moods):
    close(moods, gated="manual")
    moods.ask("POST", f"/{NAME}/ask-access", "bob", content=f'{{"why":{LONE}}}')
    assert moods.ask("GET", f"{ADDRESS}/user-access-request/pending", "ana").status_code == 200


@pytest.mark.parametrize("field", ["architectures", "model_type"])
def test_a_configuration_with_half_a_letter_stops_no_list(field, moods):
    said = f'{{"architectures":["x"],"{field}":{LONE}}}'.encode()
    assert commit(moods, {"config.json": said}).status_code < 500
    for path in ("/api/models?config=true", ADDRESS):
        assert moods.ask("GET", path).status_code == 200


def test_an_upload_to_a_repository_that_is_gone_is_refused(moods):
    sha256 = hashlib.sha256(b"q").hexdigest()
    asked = {"operation": "upload", "objects": [{"oid": sha256, "size": 1}]}
    batch = moods.ask("POST", f"/{NAME}.git/info/lfs/objects/batch", "ana", json=asked).json()
    actions = batch["objects"][0]["actions"]
    put, verify = (actions[n]["href"].removeprefix(moods.url) for n in ("upload", "verify"))
    moods.ask("DELETE", "/api/repos/delete", "ana", json={"name": NAME})
    assert moods.ask("PUT", put, content=b"q").status_code == 404
    assert moods.ask("POST", verify, json={}).status_code == 404
    assert put.rpartition("/")[2] not in moods.hub.audit_log.read_text()


def test_a_scoped_token_reaches_no_gated_content_outside_its_scope(moods):
    commit(moods, {"a.txt": b"gated"})
    close(moods, gated="manual")
    for scope, status in (("acme/other:read", 403), (f"{NAME}:read", 200)):
        token = token_of(moods, scope)
        assert moods.ask("GET", f"/{NAME}/resolve/main/a.txt", token).status_code == status


def test_results_of_a_gated_repository_are_told_to_those_let_in(moods):
    result = "- {dataset: {id: a, task_id: b}, value: 0.123}"
    commit(moods, {".eval_results/a.yaml": result.encode()})
    close(moods, gated="manual")
    for user, shown in ((None, False), ("ana", True)):
        said = moods.ask("GET", f"{ADDRESS}?expand=evalResults", user)
        assert ("0.123" in said.text) is shown


def test_a_token_to_discuss_lists_nothing_that_it_may_not_read(moods):
    make(moods, "acme/secret", private=True)
    token = token_of(moods, "acme/secret:discuss")
    listed = moods.ask("GET", "/api/models", token).json()
    assert [each["id"] for each in listed] == [NAME]


def test_a_scoped_token_sets_up_no_webhook_outside_its_scope(moods):
    make(moods, "acme/secret", private=True)
    watched = [{"type": "model", "name": "acme/secret"}]
    body = {"url": "http://example.com/", "watched": watched}
    answer = moods.ask("POST", "/api/settings/webhooks", token_of(moods, "ana:write"), json=body)
    assert answer.status_code in (403, 404)


def test_a_signed_address_is_good_for_nothing_once_the_repository_is_closed(moods):
    content = b"\0large"
    moods.api("ana").upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=NAME)
    answer = moods.ask("GET", f"/{NAME}/resolve/main/w.bin", follow_redirects=False)
    address = answer.headers["location"].removeprefix(moods.url)
    assert moods.ask("GET", address).content == content
    close(moods, private=True)
    assert moods.ask("GET", address).status_code in (403, 404)


def test_what_is_private_is_not_to_be_kept_by_proxies(moods):
    commit(moods, {"a.txt": b"private"})
    close(moods, private=True)
    for path in (ADDRESS, f"/{NAME}/resolve/main/a.txt"):
        told = moods.ask("GET", path, "ana").headers.get("cache-control", "")
        assert "private" in told or "no-store" in told


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("0.pkl", b"cos\nsystem\n(S'id'\ntR."),
        ("1.bin", b"(cos\nsystem\nU\x02idtR."),
        ("2.pt", b"\x80\x02)\x81."),
    ],
)
def test_a_pickle_of_any_protocol_is_refused_where_pickles_are(path, content, tmp_path):
    with running_hub(tmp_path, pickles="refuse") as server:
        make(server, NAME)
        assert commit(server, {path: content}).status_code == 403


def test_a_pickle_is_flagged_though_it_came_before_under_a_harmless_name(moods):
    packed = b"PK\x03\x04 torch"
    commit(moods, {"notes.txt": packed})
    commit(moods, {"weights.pt": packed})
    listed = moods.ask("GET", f"{ADDRESS}/tree/main?expand=true").json()
    told = {each["path"]: each["securityFileStatus"]["status"] for each in listed}
    assert told["weights.pt"] == "unsafe"


def test_a_repository_s_name_counts_as_no_wrong_token(tmp_path):
    with running_hub(tmp_path, failures_a_minute=3) as server:
        make(server, "acme/credentials")
        commit(server, {"a.txt": b"a"}, name="acme/credentials")
        close(server, "acme/credentials", gated="manual")
        told = {
            server.ask("GET", "/acme/credentials/resolve/main/a.txt").status_code for _ in "1234"
        }
        assert told == {401}


def test_a_backup_writes_nothing_outside_its_store(tmp_path):
    tar, room = tmp_path / "evil.tar", tmp_path / "room"
    room.mkdir()
    with tarfile.open(tar, "w") as file:
        file.addfile(tarfile.TarInfo("objects/../../...." + "0" * 60), io.BytesIO())
    with pytest.raises(HubtlError):
        restore(tar, room / "store", lambda *_: None)
    assert list(room.iterdir()) == []


def test_a_backup_whose_files_lead_elsewhere_is_refused(tmp_path, moods):
    commit(moods, {"a.txt": b"hello"})
    with moods.hub.database.writing() as db:
        db.exec_driver_sql("UPDATE blobs SET sha256 = '/etc/passwd' WHERE size = 5")
    back_up(moods.hub, tmp_path / "evil.tar", lambda *_: None)
    with pytest.raises(HubtlError):
        restore(tmp_path / "evil.tar", tmp_path / "store", lambda *_: None)


def test_a_link_that_leads_out_of_a_folder_is_not_imported(tmp_path, hubtl_cli):
    (tmp_path / "key.txt").write_text("a secret of the machine")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "a.txt").symlink_to(tmp_path / "key.txt")
    said = hubtl_cli(f"hub import {folder} --as {NAME} --store {tmp_path / 'hub'}")
    assert said.code != 0 and "a.txt" in said.err


def test_a_store_in_a_folder_that_was_there_is_closed_to_other_users(tmp_path):
    tmp_path.chmod(0o755)
    open_hub(tmp_path).close()
    assert 0 in [path.stat().st_mode & 0o077 for path in (tmp_path, tmp_path / "hub.sqlite")]
