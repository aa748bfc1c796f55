"""Webhooks: what each one watches, and which of them a change concerns."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from .access import Caller, role_in
from .accounts import find
from .repos import COLUMNS as REPO
from .repos import JOINED, Repo, folded
from .schema import moved, repos, webhooks

KINDS = ("model", "dataset", "space", "user", "org")
DOMAINS = ("repo", "discussion")


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook; `hub` is this hub's address as its owner knows it."""

    id: int
    key: str
    user_id: int
    url: str
    hub: str
    watched: Sequence[Mapping[str, str]]
    domains: Sequence[str]
    secret: str | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """The repository that a change was made to; `repo` is None where it is gone."""

    number: int
    kind: str
    id: str
    owner: str
    owner_id: int
    private: bool
    repo: Repo | None = None


def hooks_of(db: Connection, user_id: int) -> list[Hook]:
    """Return a user's webhooks, oldest first."""
    return _hooks(db, webhooks.c.user_id == user_id)


def find_hook(db: Connection, user_id: int, key: str) -> Hook | None:
    """Return a user's webhook by its key, or None."""
    mine = (webhooks.c.user_id == user_id) & (webhooks.c.key == key)
    return next(iter(_hooks(db, mine)), None)


def _hooks(db: Connection, wanted: ColumnElement[bool]) -> list[Hook]:
    rows = db.execute(select(webhooks).where(wanted).order_by(webhooks.c.id)).mappings()
    return [Hook(**row) for row in rows]


def add_hook(db: Connection, user_id: int, hub: str, values: Mapping[str, Any]) -> Hook:
    """Return a new webhook with these values of `Hook`."""
    key = secrets.token_hex(12)
    row = {"user_id": user_id, "key": key, "hub": hub, **values}
    made = db.execute(webhooks.insert().returning(webhooks.c.id), row).scalar_one()
    return _hooks(db, webhooks.c.id == made)[0]


def change_hook(db: Connection, hook: Hook, values: Mapping[str, Any]) -> Hook:
    """Return a webhook with other values."""
    db.execute(update(webhooks).where(webhooks.c.id == hook.id).values(**values))
    return _hooks(db, webhooks.c.id == hook.id)[0]


def remove_hook(db: Connection, hook: Hook) -> None:
    """Remove a webhook."""
    db.execute(delete(webhooks).where(webhooks.c.id == hook.id))


def subject_of(db: Connection, event: Mapping[str, Any]) -> Subject | None:
    """Return the repository of an event, None where nothing is known of it any more."""
    chosen = select(*REPO).select_from(JOINED).where(repos.c.id == event["repo_id"])
    row = db.execute(chosen).mappings().first()
    if row:
        repo = Repo(**row)
        about = (repo.id, repo.kind, repo.id_, repo.owner, repo.owner_id, repo.private)
        return Subject(*about, repo)
    told = event.get("repo")
    owner = find(db, told["owner"]) if told else None
    if told is None or owner is None:
        return None
    about = (event["repo_id"], told["kind"], told["id"], owner.name, owner.id, told["private"])
    return Subject(*about)


def listeners(db: Connection, subject: Subject, domain: str) -> list[Hook]:
    """Return the webhooks that a change concerns, and whose owners may see the repository."""
    owner, _, name = subject.id.partition("/")
    former = select(moved.c.folded).where(moved.c.repo_id == subject.number)
    names = {folded(subject.kind, owner, name), *db.execute(former).scalars()}
    return [
        hook
        for hook in _hooks(db, ~webhooks.c.disabled)
        if domain in hook.domains
        and any(_is_watched(item, subject, names) for item in hook.watched)
        and (not subject.private or role_in(db, Caller(hook.user_id), subject.owner_id))
    ]


def _is_watched(item: Mapping[str, str], subject: Subject, names: set[str]) -> bool:
    if item["type"] in ("user", "org"):
        return item["name"].casefold() == subject.owner.casefold()
    return f"{item['type']}/{item['name']}".casefold() in names
