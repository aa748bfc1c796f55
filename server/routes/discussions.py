"""Discussions and pull requests: listed, opened, commented, changed, merged."""

from __future__ import annotations

from html import escape
from typing import Any

from sqlalchemy import Connection

from ..access import may_read_content, may_write
from ..ages import moment
from ..differences import diff, difference, merge_pull_request
from ..problem import Problem, not_allowed
from ..repos import Repo
from ..routing import Call, Routes
from ..threads import (
    LONGEST_TITLE,
    Event,
    Thread,
    add_comment,
    change_comment,
    events_of,
    find_event,
    open_discussion,
    open_pull_request,
    rename,
    set_status,
    the_thread,
    threads_of,
)

routes = Routes()
ALL = "/api/{kind:kind}/{owner}/{name}/discussions"
ONE = f"{ALL}/{{number}}"
PAGE = 50
KINDS = ("all", "discussion", "pull_request")
STATUSES = ("all", "open", "closed", "merged", "draft")


@routes.get(ALL, query=("p", "type", "status", "author"))
def listing(call: Call) -> dict[str, Any]:
    """Return a page of a repository's discussions, newest first."""
    start = call.number("p", 0, 0, 1_000_000) * PAGE
    kind, status = _one_of(call, "type", KINDS), _one_of(call, "status", STATUSES)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        author = call.query.get("author") or None
        found, total = threads_of(db, repo, start, PAGE, kind=kind, status=status, author=author)
    return {
        "discussions": [_thread_json(repo, thread) for thread in found],
        "count": total,
        "start": start,
    }


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str:
    found = call.query.get(name) or "all"
    if found not in known:
        raise Problem(400, f'"{name}" must be one of {", ".join(known)}')
    return found


@routes.get(ONE, query=("diff",))
def details(call: Call) -> dict[str, Any]:
    """Return a discussion with all that happened; `diff` adds what a pull request changes."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        thread = the_thread(db, repo, call.params["number"])
        said = _thread_json(repo, thread)
        said["events"] = [event_json(event) for event in events_of(db, thread)]
        if thread.pull_request:
            said |= _changes_json(db, call, repo, thread)
    return said


def _changes_json(db: Connection, call: Call, repo: Repo, thread: Thread) -> dict[str, Any]:
    merged = {"mergeCommitId": thread.merged} if thread.merged else {}
    said: dict[str, Any] = {"changes": {"base": thread.base, **merged}}
    found = difference(db, repo, thread)
    said["filesWithConflicts"] = list(found.conflicts) if found else []
    if call.query.get("diff") and may_read_content(db, call.caller, repo):
        said["diff"] = diff(db, call.hub.objects, found) if found else ""
    return said


def _thread_json(repo: Repo, thread: Thread) -> dict[str, Any]:
    return {
        "num": thread.number,
        "title": thread.title,
        "status": thread.status,
        "createdAt": moment(thread.created),
        "isPullRequest": thread.pull_request,
        "pinned": False,
        "repo": {"name": repo.id_, "type": repo.kind},
        "repoOwner": {"name": repo.owner},
        **_author_json(thread.author),
    }


def _author_json(name: str | None) -> dict[str, Any]:
    """Return who did it; the client says "deleted" where that is left out."""
    return {"author": {"name": name}} if name else {}


def event_json(event: Event) -> dict[str, Any]:
    """Return what the Hub says of something that happened in a discussion."""
    data = dict(event.data)
    if event.kind == "comment":
        edited = event.data["edited"]
        latest = _text_json(event, event.data["text"], edited or event.created)
        history = [_text_json(event, each["text"], each["at"]) for each in event.data["history"]]
        data = {
            "edited": edited is not None and not event.data["hidden"],
            "hidden": event.data["hidden"],
            "latest": latest | {"html": f"<p>{escape(latest['raw'])}</p>"},
            "history": history,
            "numEdits": len(history),
        }
    return {
        "id": event.key,
        "type": event.kind,
        "createdAt": moment(event.created),
        "data": data,
        **_author_json(event.author),
    }


def _text_json(event: Event, text: str, at: float) -> dict[str, Any]:
    return {"raw": text, "updatedAt": moment(at), **_author_json(event.author)}


def _title(call: Call) -> str:
    title = call.text("title").strip()
    if not 3 <= len(title) <= LONGEST_TITLE:
        raise Problem(400, f"A title has 3 to {LONGEST_TITLE} characters")
    return title


def _said(call: Call, name: str) -> str:
    text = call.text(name)
    if not text.strip():
        raise Problem(400, f'"{name}" must not be empty')
    return text


@routes.post(ALL)
def create(call: Call) -> dict[str, Any]:
    """Open a discussion, or a pull request that is a draft until it is said to be open."""
    title, pull = _title(call), call.flag("pullRequest")
    description = call.optional_text("description") or ""
    with call.hub.database.writing() as db:
        repo = call.repo(db, "discuss")
        if pull:
            state = {"status": "draft"}
            number = open_pull_request(db, repo, "main", call.user_id, title, description, **state)
        else:
            number = open_discussion(db, repo, call.user_id, title, description)
    kind = "pull_request" if pull else "discussion"
    _announce(call, repo, kind, "create", number)
    return {
        "num": number,
        "pullRequest": pull,
        "url": call.url(f"{repo.path}/discussions/{number}"),
    }


@routes.post(f"{ONE}/comment")
def comment(call: Call) -> dict[str, Any]:
    """Add a comment."""
    text = _said(call, "comment")
    with call.hub.database.writing() as db:
        repo, thread = _there(db, call)
        event = add_comment(db, thread.id, call.user_id, text)
    _announce(call, repo, "comment", "create", thread.number, event)
    return {"newMessage": event_json(event)}


@routes.post(f"{ONE}/comment/{{key}}/edit")
def edit(call: Call) -> dict[str, Any]:
    """Give a comment another text; only its author may."""
    text = _said(call, "content")
    with call.hub.database.writing() as db:
        repo, thread = _there(db, call)
        event = _comment(db, call, thread)
        if event.author_id != call.user_id:
            raise not_allowed("edit another's comment")
        event = change_comment(db, event, text)
    _announce(call, repo, "comment", "update", thread.number, event)
    return {"updatedComment": event_json(event)}


@routes.post(f"{ONE}/comment/{{key}}/hide")
def hide(call: Call) -> dict[str, Any]:
    """Take a comment's text away, for good; its author may, and who may write."""
    with call.hub.database.writing() as db:
        repo, thread = _there(db, call)
        event = _comment(db, call, thread)
        _check_own(db, call, repo, event.author_id)
        event = change_comment(db, event, None)
    _announce(call, repo, "comment", "update", thread.number, event)
    return {"updatedComment": event_json(event)}


@routes.post(f"{ONE}/title")
def retitle(call: Call) -> dict[str, Any]:
    """Give a discussion another title."""
    title = _title(call)
    with call.hub.database.writing() as db:
        repo, thread = _there(db, call)
        _check_own(db, call, repo, thread.author_id)
        event = rename(db, thread, call.user_id, title)
    _announce(call, repo, thread.kind, "update", thread.number)
    return {"newTitle": event_json(event)}


@routes.post(f"{ONE}/status")
def status(call: Call) -> dict[str, Any]:
    """Open or close a discussion, with a comment where there is something to say."""
    wanted = call.text("status")
    if wanted not in ("open", "closed"):
        raise Problem(400, '"status" must be open or closed')
    said = call.optional_text("comment")
    with call.hub.database.writing() as db:
        repo, thread = _there(db, call)
        _check_own(db, call, repo, thread.author_id)
        event = set_status(db, thread, call.user_id, wanted)
        more = add_comment(db, thread.id, call.user_id, said) if said else None
    _announce_change(call, repo, thread, more)
    return {"newStatus": event_json(event)}


@routes.post(f"{ONE}/merge")
def merge(call: Call) -> dict[str, Any]:
    """Merge a pull request into its base."""
    said = call.optional_text("comment")
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        thread = the_thread(db, repo, call.params["number"])
        who = (call.user_id, call.caller.name)
        event, change = merge_pull_request(db, call.hub.objects, repo, thread, *who)
        more = add_comment(db, thread.id, call.user_id, said) if said else None
    event_of_ref = {"kind": "content", "action": "update", "repo_id": repo.id, "refs": [change]}
    call.hub.announce(event_of_ref)
    _announce_change(call, repo, thread, more)
    return {"newStatus": event_json(event), "mergeCommitId": change["newSha"]}


def _there(db: Connection, call: Call) -> tuple[Repo, Thread]:
    repo = call.repo(db, "discuss")
    return repo, the_thread(db, repo, call.params["number"])


def _comment(db: Connection, call: Call, thread: Thread) -> Event:
    found = find_event(db, thread, call.params["key"])
    if found is None or found.kind != "comment":
        raise Problem(404, "There is no such comment in this discussion")
    return found


def _check_own(db: Connection, call: Call, repo: Repo, author_id: int | None) -> None:
    if author_id != call.user_id and not may_write(db, call.caller, repo):
        raise not_allowed("change what another has written")


def _announce_change(call: Call, repo: Repo, thread: Thread, more: Event | None) -> None:
    _announce(call, repo, thread.kind, "update", thread.number)
    if more:
        _announce(call, repo, "comment", "create", thread.number, more)


def _announce(
    call: Call, repo: Repo, kind: str, action: str, number: int, comment: Event | None = None
) -> None:
    event = {"kind": kind, "action": action, "repo_id": repo.id, "number": number}
    call.hub.announce({**event, "comment": comment.key} if comment else event)
