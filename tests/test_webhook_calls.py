"""Webhooks of a team hub: who is told of a change, in which words, and again where it fails."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, WebhookPayload

from hubtl.server.outgoing import post

from .receiving import Receiver, receiver  # noqa: F401
from .serving import TeamHubServer, running_hub

MOODS = "acme/moods"
WATCHED = [{"type": "model", "name": MOODS}]


@pytest.fixture
def calling_hub(tmp_path: Path) -> Iterator[TeamHubServer]:
    """A hub that may call webhooks on this machine; ana's acme/moods is there."""
    with running_hub(tmp_path, webhook_hosts=("127.0.0.1",)) as server:
        server.api("ana").create_repo(MOODS)
        yield server


def put(api: HfApi, path: str, **more: Any) -> Any:
    add = CommitOperationAdd(path, path.encode())
    return api.create_commit(MOODS, [add], commit_message=f"Put {path}", **more)


def test_a_commit_is_told_as_the_hub_tells_it_and_signed(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    hook = ana.create_webhook(url=receiver.url, watched=WATCHED, secret="s3cret")
    before = ana.list_repo_commits(MOODS)[0].commit_id
    made = put(ana, "a.txt")

    told = receiver.next()
    head = ana.model_info(MOODS)
    signed = hmac.new(b"s3cret", told.body, hashlib.sha256).hexdigest()
    assert told.headers["x-webhook-secret"] == "s3cret"
    assert told.headers["x-hub-signature-256"] == f"sha256={signed}"
    assert told.headers["content-type"] == "application/json"
    assert told.said == {
        "event": {"action": "update", "scope": "repo.content"},
        "repo": {
            "id": f"{1:024x}",
            "type": "model",
            "name": MOODS,
            "private": False,
            "owner": {"id": f"{1:024x}"},
            "url": {"web": f"{ana.endpoint}/{MOODS}", "api": f"{ana.endpoint}/api/models/{MOODS}"},
            "headSha": made.oid,
            "tags": head.tags,
        },
        "webhook": {"id": hook.id, "version": 3},
        "updatedRefs": [{"ref": "refs/heads/main", "oldSha": before, "newSha": made.oid}],
    }


def test_a_discussion_is_told_with_what_was_said(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    pytest.importorskip("pydantic")
    ana, bob = calling_hub.api("ana"), calling_hub.api("bob")
    ana.create_webhook(url=receiver.url, watched=WATCHED, domains=["discussion"])
    bob.create_discussion(MOODS, "Which licence?", description="It says none.")
    bob.comment_discussion(MOODS, 1, "Well?")
    ana.change_discussion_status(MOODS, 1, "closed")
    put(ana, "a.txt")  # not of this webhook's domain

    opened, comment, closed = (
        WebhookPayload.model_validate_json(receiver.next().body) for _ in range(3)
    )
    assert (opened.event.action, opened.event.scope) == ("create", "discussion")
    assert opened.discussion and opened.comment and comment.comment and closed.discussion
    assert (opened.discussion.num, opened.discussion.title) == (1, "Which licence?")
    assert opened.discussion.url.web == f"{ana.endpoint}/{MOODS}/discussions/1"
    assert opened.comment.content == "It says none."
    assert (comment.event.action, comment.event.scope) == ("create", "discussion.comment")
    assert comment.comment.content == "Well?"
    assert (closed.event.action, closed.discussion.status) == ("update", "closed")
    assert closed.comment is None
    assert receiver.told.empty()


def test_pull_requests_tell_their_base_and_the_commit_they_became(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    ana.create_webhook(url=receiver.url, watched=WATCHED)
    ana.create_pull_request(MOODS, "Offer")
    put(ana, "a.txt", revision="refs/pr/1")
    ana.change_discussion_status(MOODS, 1, "open")
    assert receiver.gists(3) == [
        ("discussion", "create"),
        ("repo.content", "update"),
        ("discussion", "update"),
    ]
    ana.merge_pull_request(MOODS, 1)

    assert receiver.next().gist == ("repo.content", "update")
    merged = receiver.next().said["discussion"]
    head = ana.list_repo_commits(MOODS)[0].commit_id
    assert merged["status"] == "merged"
    assert merged["changes"] == {"base": "refs/heads/main", "mergeCommitId": head}


def test_an_owner_s_repositories_are_told_of_from_first_to_last(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    ana.create_webhook(url=receiver.url, watched=[{"type": "org", "name": "ACME"}])
    ana.create_repo("acme/said", repo_type="dataset")
    ana.update_repo_settings("acme/said", repo_type="dataset", private=True)
    ana.move_repo("acme/said", "acme/told", repo_type="dataset")
    ana.delete_repo("acme/told", repo_type="dataset")

    told = [receiver.next() for _ in range(4)]
    assert [each.gist for each in told] == [
        ("repo", "create"),
        ("repo.config", "update"),
        ("repo", "move"),
        ("repo", "delete"),
    ]
    assert told[2].said["movedTo"]["name"] == "acme/told"
    assert told[3].said["repo"]["name"] == "acme/told"


def test_who_may_not_see_a_repository_is_told_nothing_of_it(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana, bob = calling_hub.api("ana"), calling_hub.api("bob")
    ana.create_repo("acme/secret", private=True)
    watched = [{"type": "org", "name": "acme"}, {"type": "model", "name": "acme/secret"}]
    bob.create_webhook(url=receiver.url, watched=watched)
    ana.create_discussion("acme/secret", "Secret")
    ana.delete_repo("acme/secret")
    ana.create_discussion(MOODS, "Public")

    assert receiver.next().said["discussion"]["title"] == "Public"


def test_a_watched_repository_is_still_watched_after_it_has_moved(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    ana.create_webhook(url=receiver.url, watched=WATCHED, domains=["discussion"])
    ana.move_repo(MOODS, "acme/feelings")
    ana.create_discussion("acme/feelings", "Hello")

    assert receiver.next().said["repo"]["name"] == "acme/feelings"


def test_a_call_that_fails_is_made_again_and_the_others_keep_their_order(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    ana.create_webhook(url=receiver.url, watched=WATCHED)
    receiver.answers = [500]
    ana.create_discussion(MOODS, "One")
    ana.create_discussion(MOODS, "Two")
    ana.create_discussion(MOODS, "Three")

    titles = [receiver.next().said["discussion"]["title"] for _ in range(4)]
    assert titles == ["One", "One", "Two", "Three"]


def test_what_a_receiver_refuses_or_redirects_is_not_sent_again(
    calling_hub: TeamHubServer, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    ana = calling_hub.api("ana")
    hook = ana.create_webhook(url=receiver.url, watched=WATCHED, secret="s3cret")
    receiver.answers = [404, 302]
    for title in ("One", "Two", "Three"):
        ana.create_discussion(MOODS, title)

    titles = [receiver.next().said["discussion"]["title"] for _ in range(3)]
    assert titles == ["One", "Two", "Three"]
    assert caplog.messages == [
        f"webhook {hook.id} was not told of a change: status 404",
        f"webhook {hook.id} was not told of a change: status 302",
    ]


def test_a_disabled_webhook_is_not_called(calling_hub: TeamHubServer, receiver: Receiver) -> None:
    ana = calling_hub.api("ana")
    hooks = [ana.create_webhook(url=receiver.url, watched=WATCHED).id for _ in range(2)]
    ana.disable_webhook(hooks[0])
    ana.create_discussion(MOODS, "One")
    ana.create_discussion(MOODS, "Two")

    assert [receiver.next().said["webhook"]["id"] for _ in range(2)] == [hooks[1]] * 2


def test_a_slow_receiver_keeps_nobody_else_waiting(
    calling_hub: TeamHubServer, receiver: Receiver
) -> None:
    ana = calling_hub.api("ana")
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler, bind_and_activate=True)
    ana.create_webhook(url=f"http://127.0.0.1:{silent.server_port}/", watched=WATCHED)
    ana.create_webhook(url=receiver.url, watched=WATCHED)
    began = time.monotonic()
    ana.create_discussion(MOODS, "One")
    assert receiver.next().said["discussion"]["title"] == "One"
    silent.server_close()

    assert time.monotonic() - began < 5


def test_a_hub_that_stops_makes_the_calls_that_wait(tmp_path: Path, receiver: Receiver) -> None:
    with running_hub(tmp_path, webhook_hosts=("127.0.0.1",)) as server:
        ana = server.api("ana")
        ana.create_repo(MOODS)
        ana.create_webhook(url=receiver.url, watched=WATCHED)
        for number in range(20):
            ana.create_discussion(MOODS, f"No. {number}")

    assert receiver.told.qsize() == 20


def test_a_server_that_never_ends_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubtl.server.outgoing.PATIENCE", 0.5)

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            for _ in range(50):
                try:
                    self.wfile.write(b"H")
                    time.sleep(0.1)
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    began = time.monotonic()
    with pytest.raises(OSError):
        post(f"http://127.0.0.1:{server.server_port}/", b"{}", {}, ("127.0.0.1",))
    assert time.monotonic() - began < 2
    server.shutdown()
    server.server_close()
