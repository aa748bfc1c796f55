"""What a webhook is told of a change, in the form that the Hub gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from .hooks import Hook, Subject
from .threads import Event, Thread, find_event, find_thread, first_comment

# Which part of a repository an event is about; the first word is the domain that a webhook has.
SCOPES = {
    "repo": "repo",
    "content": "repo.content",
    "discussion": "discussion",
    "pull_request": "discussion",
    "comment": "discussion.comment",
}
VERSION = 3


def scope_of(event: Mapping[str, Any]) -> str:
    """Return the scope of an event, as in `repo.content`."""
    if (event["kind"], event["action"]) == ("repo", "update"):
        return "repo.config"
    return SCOPES[event["kind"]]


def payload(
    db: Connection, event: Mapping[str, Any], subject: Subject, hook: Hook
) -> dict[str, Any]:
    """Return what a webhook is sent."""
    said: dict[str, Any] = {
        "event": {"action": event["action"], "scope": scope_of(event)},
        "repo": _repo(subject, hook.hub),
        "webhook": {"id": hook.key, "version": VERSION},
    }
    if event.get("refs"):
        said["updatedRefs"] = event["refs"]
    if event["action"] == "move":
        said["movedTo"] = {"name": subject.id, "owner": {"id": object_id(subject.owner_id)}}
    number = event.get("number")
    thread = find_thread(db, subject.repo, number) if number and subject.repo else None
    if thread:
        web = f"{_page(subject, hook.hub)}/discussions/{thread.number}"
        said["discussion"] = _discussion(subject, hook.hub, thread, web)
        comment = _comment_of(db, thread, event)
        if comment:
            said["comment"] = _comment(comment, web)
    return said


def object_id(number: int) -> str:
    """Return a number as the Hub writes the ids of what it has."""
    return f"{number:024x}"


def _page(subject: Subject, hub: str) -> str:
    prefix = "" if subject.kind == "model" else f"{subject.kind}s/"
    return f"{hub}/{prefix}{subject.id}"


def _repo(subject: Subject, hub: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": object_id(subject.number),
        "type": subject.kind,
        "name": subject.id,
        "private": subject.private,
        "owner": {"id": object_id(subject.owner_id)},
        "url": {
            "web": _page(subject, hub),
            "api": f"{hub}/api/{subject.kind}s/{subject.id}",
        },
    }
    if subject.repo:
        said |= {"headSha": subject.repo.head, "tags": subject.repo.facts.get("tags") or []}
    return said


def _discussion(subject: Subject, hub: str, thread: Thread, web: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": object_id(thread.id),
        "num": thread.number,
        "title": thread.title,
        "status": thread.status,
        "isPullRequest": thread.pull_request,
        "author": {"id": object_id(thread.author_id or 0)},
        "url": {
            "web": web,
            "api": f"{hub}/api/{subject.kind}s/{subject.id}/discussions/{thread.number}",
        },
    }
    if thread.pull_request:
        merged = {"mergeCommitId": thread.merged} if thread.merged else {}
        said["changes"] = {"base": thread.base, **merged}
    return said


def _comment_of(db: Connection, thread: Thread, event: Mapping[str, Any]) -> Event | None:
    """Return the comment an event is about; a thread that is opened brings its first."""
    if event.get("comment"):
        return find_event(db, thread, event["comment"])
    return first_comment(db, thread) if event["action"] == "create" else None


def _comment(comment: Event, web: str) -> dict[str, Any]:
    return {
        "id": comment.key,
        "author": {"id": object_id(comment.author_id or 0)},
        "hidden": comment.data["hidden"],
        "content": comment.data["text"],
        "url": {"web": f"{web}#{comment.key}"},
    }
