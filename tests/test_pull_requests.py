"""Pull requests of a team hub: offered, compared, merged, with the Hub's own client."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError

from .serving import TeamHubServer, team_hub  # noqa: F401
from .test_discussions import MOODS, ROUTE, ana, bob, happened, put, refused  # noqa: F401


def test_a_pull_request_is_a_draft_then_open_then_merged(ana: HfApi) -> None:
    put(ana, "notes.txt", "one\ntwo\n")
    draft = ana.create_pull_request(MOODS, "Better notes")
    assert (draft.status, draft.target_branch) == ("draft", "refs/heads/main")
    put(ana, "notes.txt", "one\n2\n", draft.git_reference)
    with refused(409):
        ana.merge_pull_request(MOODS, 1)
    ana.change_discussion_status(MOODS, 1, "open")
    ana.merge_pull_request(MOODS, 1, comment="Thanks")

    merged = ana.get_discussion_details(MOODS, 1)
    head = ana.list_repo_commits(MOODS)[0]
    assert (merged.status, merged.merge_commit_oid) == ("merged", head.commit_id)
    assert head.title == "Better notes (#1)"
    assert happened(ana, 1)[1:] == [
        ("commit", "ana", "Put notes.txt"),
        ("status-change", "ana", "open"),
        ("status-change", "ana", "merged"),
        ("comment", "ana", "Thanks"),
    ]
    assert merged.diff == NOTES
    with refused(409):
        ana.merge_pull_request(MOODS, 1)
    with refused(409):
        ana.change_discussion_status(MOODS, 1, "open")
    with refused(409):
        put(ana, "late.txt", "late", draft.git_reference)


NOTES = """\
diff --git a/notes.txt b/notes.txt
--- a/notes.txt
+++ b/notes.txt
@@ -1,2 +1,2 @@
 one
-two
+2
"""


def test_a_stranger_offers_a_change_and_a_writer_merges_it(ana: HfApi, bob: HfApi) -> None:
    offered = put(bob, "hello.txt", "hello", create_pr=True)
    assert offered.pr_url == f"{ana.endpoint}/acme/moods/discussions/1"
    put(bob, "more.txt", "more\n", "refs/pr/1")
    with refused(403):
        bob.merge_pull_request(MOODS, 1)
    found = ana.get_discussion_details(MOODS, 1)
    assert (found.status, found.author, found.title) == ("open", "bob", "Put hello.txt")
    assert found.diff == (
        "diff --git a/hello.txt b/hello.txt\nnew file mode 100644\n"
        "--- /dev/null\n+++ b/hello.txt\n@@ -0,0 +1 @@\n+hello\n\\ No newline at end of file\n"
        "diff --git a/more.txt b/more.txt\nnew file mode 100644\n"
        "--- /dev/null\n+++ b/more.txt\n@@ -0,0 +1 @@\n+more\n"
    )

    ana.merge_pull_request(MOODS, 1)
    assert ana.list_repo_commits(MOODS)[0].authors == ["bob"]
    assert {"hello.txt", "more.txt"} < set(ana.list_repo_files(MOODS))


def test_nobody_commits_to_another_s_pull_request_without_the_right_to_write(
    ana: HfApi,
    bob: HfApi,
    team_hub: TeamHubServer,
) -> None:
    put(ana, "hello.txt", "hello", create_pr=True)

    with refused(403):
        put(bob, "mine.txt", "mine", "refs/pr/1")
    put(bob, "mine.txt", "mine", create_pr=True)
    put(ana, "yours.txt", "yours", "refs/pr/2")
    with refused(403):
        put(team_hub.api("zoe"), "other.txt", "mine", "refs/pr/2")


def test_a_pull_request_that_conflicts_says_where_and_is_not_merged(ana: HfApi) -> None:
    put(ana, "a.txt", "a")
    put(ana, "a.txt", "b", create_pr=True)
    put(ana, "a.txt", "c")

    assert ana.get_discussion_details(MOODS, 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match="conflicts with refs/heads/main in: a.txt"):
        ana.merge_pull_request(MOODS, 1)
    assert ana.get_discussion_details(MOODS, 1).status == "open"


def test_of_what_is_large_or_no_text_a_difference_only_says_that_there_is_one(ana: HfApi) -> None:
    add = [
        CommitOperationAdd("long.txt", b"x\n" * 2000),
        CommitOperationAdd("strange.txt", b"\xff\xfe"),
        CommitOperationAdd("weights.bin", b"\0" * 100),
    ]
    ana.create_commit(MOODS, add, commit_message="Add", create_pr=True)

    names = ("long.txt", "strange.txt", "weights.bin")
    assert ana.get_discussion_details(MOODS, 1).diff == "".join(
        f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
        f"Binary files a/{name} and b/{name} differ\n"
        for name in names
    )


def test_a_gate_stands_before_a_difference_too(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    put(ana, "secret.txt", "secret", create_pr=True)
    ana.update_repo_settings(MOODS, gated="manual")

    told = team_hub.ask("GET", f"{ROUTE}/1?diff=1", "bob").json()
    assert "diff" not in told and told["num"] == 1
    assert "+secret" in team_hub.ask("GET", f"{ROUTE}/1?diff=1", "ana").json()["diff"]


def test_a_pull_request_starts_at_a_branch_never_at_a_commit_or_another_one(ana: HfApi) -> None:
    put(ana, "a.txt", "a", create_pr=True)
    oid = ana.list_repo_commits(MOODS)[0].commit_id

    for revision in (oid, "no-such-branch", "refs/pr/1"):
        with pytest.raises(RevisionNotFoundError):
            put(ana, "b.txt", "b", revision, create_pr=True)
    ana.create_branch(MOODS, branch="next")
    put(ana, "b.txt", "b", "next", create_pr=True)
    assert ana.get_discussion_details(MOODS, 2).target_branch == "refs/heads/next"


def test_a_pull_request_whose_base_is_gone_can_be_read_and_not_merged(ana: HfApi) -> None:
    ana.create_branch(MOODS, branch="next")
    put(ana, "b.txt", "b", "next", create_pr=True)
    ana.delete_branch(MOODS, branch="next")

    assert ana.get_discussion_details(MOODS, 1).diff == ""
    with pytest.raises(RevisionNotFoundError):
        ana.merge_pull_request(MOODS, 1)


def test_each_change_is_announced_once_it_is_made(
    ana: HfApi,
    team_hub: TeamHubServer,
) -> None:
    put(ana, "a.txt", "a", create_pr=True)
    heard: list[dict[str, Any]] = []
    team_hub.hub.told.append(heard.append)
    ana.merge_pull_request(MOODS, 1, comment="Thanks")
    ana.create_discussion(MOODS, "Hello")

    comment = ana.get_discussion_details(MOODS, 1).events[-1].id
    merged = ana.list_repo_commits(MOODS)[:2]
    change = {
        "ref": "refs/heads/main",
        "oldSha": merged[1].commit_id,
        "newSha": merged[0].commit_id,
    }
    assert heard == [
        {"kind": "content", "action": "update", "repo_id": 1, "refs": [change]},
        {"kind": "pull_request", "action": "update", "repo_id": 1, "number": 1},
        {"kind": "comment", "action": "create", "repo_id": 1, "number": 1, "comment": comment},
        {"kind": "discussion", "action": "create", "repo_id": 1, "number": 2},
    ]
