"""Discussions and pull requests of a team hub, as the Hub's own client uses them."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from .serving import TeamHubServer, team_hub  # noqa: F401

MOODS = "acme/moods"
ROUTE = f"/api/models/{MOODS}/discussions"


@pytest.fixture
def ana(team_hub: TeamHubServer) -> HfApi:
    """Somebody who may write to acme/moods, which is there."""
    api = team_hub.api("ana")
    api.create_repo(MOODS)
    return api


@pytest.fixture
def bob(team_hub: TeamHubServer) -> HfApi:
    """A stranger to acme."""
    return team_hub.api("bob")


def put(api: HfApi, path: str, content: str, revision: str = "main", **more: Any) -> Any:
    add = CommitOperationAdd(path, content.encode())
    return api.create_commit(MOODS, [add], commit_message=f"Put {path}", revision=revision, **more)


def happened(api: HfApi, number: int) -> list[tuple[str, ...]]:
    said = {
        "comment": lambda event: (event.content,),
        "commit": lambda event: (event.summary,),
        "status-change": lambda event: (event.new_status,),
        "title-change": lambda event: (event.old_title, event.new_title),
    }
    events = api.get_discussion_details(MOODS, number).events
    return [(event.type, event.author, *said[event.type](event)) for event in events]


def refused(status: int) -> Any:
    return pytest.raises(HfHubHTTPError, match=str(status))


def test_a_discussion_keeps_all_that_happened_in_it(ana: HfApi, bob: HfApi) -> None:
    opened = bob.create_discussion(MOODS, "  Which licence?  ", description="It says none.")
    ana.comment_discussion(MOODS, 1, "MIT")
    bob.rename_discussion(MOODS, 1, "Licence")
    ana.change_discussion_status(MOODS, 1, "closed", comment="Done")

    assert (opened.num, opened.title, opened.status) == (1, "Which licence?", "open")
    assert opened.url == f"{ana.endpoint}/acme/moods/discussions/1"
    assert happened(ana, 1) == [
        ("comment", "bob", "It says none."),
        ("comment", "ana", "MIT"),
        ("title-change", "bob", "Which licence?", "Licence"),
        ("status-change", "ana", "closed"),
        ("comment", "ana", "Done"),
    ]


def test_discussions_and_pull_requests_share_their_numbers_and_are_filtered(
    ana: HfApi, bob: HfApi
) -> None:
    bob.create_discussion(MOODS, "one")
    ana.create_pull_request(MOODS, "two")
    ana.create_discussion(MOODS, "three")
    ana.change_discussion_status(MOODS, 3, "closed")

    def numbers(**wanted: Any) -> list[int]:
        return [each.num for each in ana.get_repo_discussions(MOODS, **wanted)]

    assert numbers() == [3, 2, 1]
    assert numbers(discussion_type="pull_request") == [2]
    assert numbers(discussion_status="open") == [2, 1]
    assert numbers(discussion_status="closed", discussion_type="discussion") == [3]
    assert numbers(author="Bob") == [1]
    assert numbers(author="nobody") == []


def test_more_than_a_page_of_discussions_is_listed_whole(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    for number in range(51):
        assert team_hub.ask("POST", ROUTE, "ana", json={"title": f"No. {number}"}).json()["num"]

    assert len(list(ana.get_repo_discussions(MOODS))) == 51


def test_datasets_and_spaces_have_discussions_too(ana: HfApi) -> None:
    for kind in ("dataset", "space"):
        more = {"space_sdk": "static"} if kind == "space" else {}
        ana.create_repo("acme/other", repo_type=kind, **more)
        opened = ana.create_discussion("acme/other", "Hello", repo_type=kind)
        assert opened.url == f"{ana.endpoint}/{kind}s/acme/other/discussions/1"
        assert ana.get_discussion_details("acme/other", 1, repo_type=kind) == opened


def test_a_comment_is_edited_by_its_author_alone_and_hidden_for_good(
    ana: HfApi, bob: HfApi
) -> None:
    bob.create_discussion(MOODS, "Hello")
    key = bob.comment_discussion(MOODS, 1, "Frist").id

    edited = bob.edit_discussion_comment(MOODS, 1, key, "First")
    assert (edited.content, edited.edited, edited.number_of_edits) == ("First", True, 1)
    assert edited.edit_history[0]["raw"] == "Frist"
    assert edited.last_edited_by == "bob"
    with refused(403):
        ana.edit_discussion_comment(MOODS, 1, key, "Mine")

    with pytest.warns(UserWarning, match="irreversible"):
        hidden = ana.hide_discussion_comment(MOODS, 1, key)
    assert (hidden.content, hidden.hidden, hidden.edit_history) == ("", True, [])
    with refused(409):
        bob.edit_discussion_comment(MOODS, 1, key, "Back")


def test_a_comment_is_shown_as_text_never_as_markup(ana: HfApi) -> None:
    ana.create_discussion(MOODS, "Hello", description="<script>alert(1)</script>")

    first = ana.get_discussion_details(MOODS, 1).events[0]
    assert first.rendered == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"


def test_strangers_discuss_but_change_only_their_own(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    ana.create_discussion(MOODS, "Hello")
    key = ana.comment_discussion(MOODS, 1, "Mine").id

    def status(resource: str, **body: str) -> int:
        return team_hub.ask("POST", f"{ROUTE}/1/{resource}", "bob", json=body).status_code

    assert status("comment", comment="Yours") == 200
    assert status("title", title="Bye") == 403
    assert status("status", status="closed") == 403
    assert status(f"comment/{key}/hide") == 403
    assert status(f"comment/{key}/edit", content="Bye") == 403
    assert status("merge") == 403


def test_a_private_repository_s_discussions_are_not_there_for_strangers(
    ana: HfApi, bob: HfApi
) -> None:
    ana.create_discussion(MOODS, "Secret")
    ana.update_repo_settings(MOODS, private=True)

    for attempt in (
        lambda: list(bob.get_repo_discussions(MOODS)),
        lambda: bob.get_discussion_details(MOODS, 1),
        lambda: bob.comment_discussion(MOODS, 1, "Hello"),
        lambda: bob.create_discussion(MOODS, "Hello"),
    ):
        with pytest.raises(RepositoryNotFoundError):
            attempt()


def test_what_a_client_sends_amiss_is_refused_never_a_failure(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    ana.create_discussion(MOODS, "Hello")

    def status(method: str, path: str, body: Any = None) -> int:
        return team_hub.ask(method, f"{ROUTE}{path}", "ana", json=body).status_code

    assert status("POST", "", {"title": "ab"}) == 400
    assert status("POST", "", {"title": "x" * 201}) == 400
    assert status("POST", "", {"title": 3}) == 400
    assert status("POST", "", {"title": "Hello", "pullRequest": "yes"}) == 400
    assert status("POST", "/1/comment", {"comment": "  "}) == 400
    assert status("POST", "/1/status", {"status": "merged"}) == 400
    assert status("POST", "/1/merge") == 400
    assert status("POST", "/1/comment/nothing/edit", {"content": "x"}) == 404
    half = rb'{"title": "Hello", "description": "\ud800"}'
    assert team_hub.ask("POST", ROUTE, "ana", content=half).status_code == 400
    assert status("GET", "?type=gossip") == 400
    assert status("GET", "?p=many") == 400
    for number in ("0", "9", "x", "²", "99999999999999999999"):
        assert status("GET", f"/{number}") == 404


def test_who_has_no_token_reads_and_writes_nothing(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    ana.create_discussion(MOODS, "Hello")

    assert team_hub.ask("GET", f"{ROUTE}/1").status_code == 200
    assert team_hub.ask("POST", f"{ROUTE}/1/comment", json={"comment": "x"}).status_code == 401
    read_only = "hf_ana_reads_0123456789"
    answer = team_hub.ask("POST", f"{ROUTE}/1/comment", read_only, json={"comment": "x"})
    assert answer.status_code == 403
