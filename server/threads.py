"""Discussions and pull requests of a repository: what was said, and what became of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, select, update

from .access import Caller, may_write
from .problem import Problem, no_revision, not_allowed
from .refs import branch_ref, create_ref, ref_oid
from .repos import Repo
from .schema import accounts, discussions, events

PULL = "refs/pr/"
LONGEST_TITLE = 200
EDITS_KEPT = 20  # former texts of one comment
HISTORY_KEPT = 64_000  # characters of them in all
# What one thread may have: all of it goes back in one answer.
MOST_EVENTS = 2000
MOST_TEXT = 4 << 20
# The Hub's filter has two words for four states.
STATES = {"open": ("open", "draft"), "closed": ("closed", "merged")}


@dataclass(frozen=True, slots=True)
class Thread:
    """A discussion, or a pull request onto the branch `base`; `created` in seconds since 1970."""

    id: int
    number: int
    author_id: int | None
    author: str | None
    title: str
    status: str
    pull_request: bool
    base: str | None
    merged: str | None
    created: float

    @property
    def ref(self) -> str:
        """The ref of a pull request."""
        return f"{PULL}{self.number}"

    @property
    def kind(self) -> str:
        """What those who listen to changes know it as."""
        return "pull_request" if self.pull_request else "discussion"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a thread: a comment, a commit, another title or status."""

    id: int
    key: str
    kind: str
    author_id: int | None
    author: str | None
    data: Mapping[str, Any]
    created: float
    discussion_id: int


def _chosen_threads(repo: Repo, *columns: Any) -> Select[Any]:
    joined = discussions.outerjoin(accounts, accounts.c.id == discussions.c.author_id)
    return select(*columns).select_from(joined).where(discussions.c.repo_id == repo.id)


THREAD = tuple(
    accounts.c.name.label("author") if name == "author" else discussions.c[name]
    for name in Thread.__dataclass_fields__
)
EVENT = tuple(
    accounts.c.name.label("author") if name == "author" else events.c[name]
    for name in Event.__dataclass_fields__
)


def find_thread(db: Connection, repo: Repo, number: int) -> Thread | None:
    """Return a thread by its number in the repository, or None."""
    chosen = _chosen_threads(repo, *THREAD).where(discussions.c.number == number)
    row = db.execute(chosen).mappings().first()
    return Thread(**row) if row else None


def the_thread(db: Connection, repo: Repo, number: str) -> Thread:
    """Return the thread that an address names; raises Problem 404."""
    known = number.isascii() and number.isdecimal() and len(number) < 10
    found = find_thread(db, repo, int(number)) if known else None
    if found is None:
        raise Problem(404, f"There is no discussion {number[:20]} in {repo.id_}")
    return found


def threads_of(
    db: Connection,
    repo: Repo,
    start: int,
    limit: int,
    *,
    kind: str = "all",
    status: str = "all",
    author: str | None = None,
) -> tuple[list[Thread], int]:
    """Return a page of a repository's threads, newest first, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = []
    if kind != "all":
        wanted.append(discussions.c.pull_request == (kind == "pull_request"))
    if status != "all":
        wanted.append(discussions.c.status.in_(STATES.get(status, (status,))))
    if author is not None:
        wanted.append(accounts.c.folded == author.casefold())
    total = db.execute(_chosen_threads(repo, func.count()).where(*wanted)).scalar_one()
    page = _chosen_threads(repo, *THREAD).where(*wanted).order_by(discussions.c.number.desc())
    rows = db.execute(page.offset(start).limit(limit)).mappings()
    return [Thread(**row) for row in rows], int(total)


def _open(
    db: Connection, repo: Repo, author_id: int, title: str, description: str, **more: Any
) -> int:
    last = select(func.max(discussions.c.number)).where(discussions.c.repo_id == repo.id)
    row = {
        "repo_id": repo.id,
        "number": (db.execute(last).scalar() or 0) + 1,
        "author_id": author_id,
        "title": title,
        "created": time.time(),
        **more,
    }
    made = db.execute(discussions.insert().returning(discussions.c.id), row).scalar_one()
    add_comment(db, made, author_id, description)
    return int(row["number"])


def open_discussion(
    db: Connection, repo: Repo, author_id: int, title: str, description: str
) -> int:
    """Return the number of a new discussion."""
    state = {"status": "open", "pull_request": False}
    return _open(db, repo, author_id, title, description, **state)


def open_pull_request(
    db: Connection,
    repo: Repo,
    base_revision: str,
    author_id: int,
    title: str,
    description: str,
    status: str = "open",
) -> int:
    """Return the number of a new pull request, whose ref is where its base is now.

    Raises Problem RevisionNotFound where the base is no branch.
    """
    base = branch_ref(db, repo, base_revision)
    if not base.startswith("refs/heads/"):
        raise no_revision(base_revision)
    state = {"status": status, "pull_request": True, "base": base}
    number = _open(db, repo, author_id, title[:LONGEST_TITLE], description, **state)
    create_ref(db, repo, f"{PULL}{number}", str(ref_oid(db, repo, base)))
    return number


def _of_ref(db: Connection, repo: Repo, ref: str) -> Thread | None:
    number = ref.removeprefix(PULL)
    known = ref.startswith(PULL) and number.isdecimal()
    return find_thread(db, repo, int(number)) if known else None


def check_committable(db: Connection, caller: Caller, repo: Repo, ref: str) -> None:
    """Raise Problem unless the caller may commit to a ref: to a pull request its author may."""
    thread = _of_ref(db, repo, ref)
    if thread and thread.status == "merged":
        raise Problem(409, f"Pull request {thread.number} is merged already")
    own = thread is not None and thread.author_id == caller.id
    if not own and not may_write(db, caller, repo):
        raise not_allowed(f"commit to {ref} of {repo.id_}")


def note_commit(
    db: Connection, repo: Repo, ref: str, oid: str, subject: str, author_id: int
) -> None:
    """Note a commit in the pull request whose ref it went to; others are of no concern here."""
    thread = _of_ref(db, repo, ref)
    if thread:
        _check_room(db, thread.id)
        _add_event(db, thread.id, author_id, "commit", {"subject": subject, "oid": oid})


def events_of(db: Connection, thread: Thread) -> list[Event]:
    """Return all that happened in a thread, oldest first."""
    return _events(db, events.c.discussion_id == thread.id)


def find_event(db: Connection, thread: Thread, key: str) -> Event | None:
    """Return an event of a thread by its key, or None."""
    here = (events.c.discussion_id == thread.id) & (events.c.key == key)
    return next(iter(_events(db, here)), None)


def first_comment(db: Connection, thread: Thread) -> Event | None:
    """Return the comment that a thread was opened with."""
    here = (events.c.discussion_id == thread.id) & (events.c.kind == "comment")
    return next(iter(_events(db, here, limit=1)), None)


def _events(db: Connection, wanted: ColumnElement[bool], limit: int | None = None) -> list[Event]:
    joined = events.outerjoin(accounts, accounts.c.id == events.c.author_id)
    chosen = select(*EVENT).select_from(joined).where(wanted).order_by(events.c.id).limit(limit)
    return [Event(**row) for row in db.execute(chosen).mappings()]


def _check_room(db: Connection, thread_id: int) -> None:
    """Raise Problem 409 where a thread is full; it can still be closed or merged."""
    size = func.coalesce(func.sum(func.length(cast(events.c.data, Text))), 0)
    row = db.execute(select(func.count(), size).where(events.c.discussion_id == thread_id)).one()
    if row[0] >= MOST_EVENTS or row[1] >= MOST_TEXT:
        raise Problem(409, "This discussion is as long as one may be: open another")


def _add_event(
    db: Connection, thread_id: int, author_id: int, kind: str, data: Mapping[str, Any]
) -> Event:
    row = {
        "discussion_id": thread_id,
        "author_id": author_id,
        "key": secrets.token_hex(12),
        "kind": kind,
        "data": data,
        "created": time.time(),
    }
    made = db.execute(events.insert().returning(events.c.id), row).scalar_one()
    return _events(db, events.c.id == made)[0]


def add_comment(db: Connection, thread_id: int, author_id: int, text: str) -> Event:
    """Return a new comment."""
    _check_room(db, thread_id)
    data = {"text": text, "hidden": False, "edited": None, "history": []}
    return _add_event(db, thread_id, author_id, "comment", data)


def change_comment(db: Connection, comment: Event, text: str | None) -> Event:
    """Return a comment with another text, or with None hidden: all it ever said is gone then."""
    before = comment.data
    if before["hidden"]:
        raise Problem(409, "This comment is hidden, for good")
    history: list[dict[str, Any]] = []
    if text is not None:
        _check_room(db, comment.discussion_id)
        said = {"text": before["text"], "at": before["edited"] or comment.created}
        history = _latest([*before["history"], said])
    data = {"text": text or "", "hidden": text is None, "edited": time.time(), "history": history}
    db.execute(update(events).where(events.c.id == comment.id).values(data=data))
    return _events(db, events.c.id == comment.id)[0]


def _latest(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last of a comment's former texts, as many as are kept."""
    sizes = accumulate(len(each["text"]) for each in reversed(history))
    kept = sum(size <= HISTORY_KEPT for size in sizes)
    return list(history[len(history) - min(kept, EDITS_KEPT) :])


def rename(db: Connection, thread: Thread, author_id: int, title: str) -> Event:
    """Return the event of a thread's new title."""
    _check_room(db, thread.id)
    _change(db, thread, title=title)
    data = {"from": thread.title, "to": title}
    return _add_event(db, thread.id, author_id, "title-change", data)


def set_status(
    db: Connection, thread: Thread, author_id: int, status: str, merged: str | None = None
) -> Event:
    """Return the event of a thread's new status; raises Problem 409 where it is merged already."""
    if thread.status == "merged":
        raise Problem(409, f"Pull request {thread.number} is merged already")
    if status == "open" or status == thread.status:
        _check_room(db, thread.id)
    _change(db, thread, status=status, merged=merged)
    return _add_event(db, thread.id, author_id, "status-change", {"status": status})


def _change(db: Connection, thread: Thread, **values: Any) -> None:
    db.execute(update(discussions).where(discussions.c.id == thread.id).values(**values))
