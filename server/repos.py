"""Repositories: found by any case and any former name; made, moved, removed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from ..registry.cache import NAME
from .accounts import Account
from .problem import Problem
from .schema import accounts, mirrors, moved, repos

KINDS = ("model", "dataset", "space", "kernel")
# The second part of addresses of the API: a repository of that name could not be reached.
RESERVED = frozenset(
    "tree refs commits commit revision resolve raw blob settings discussions branch tag preupload "
    "paths-info like likers lfs-files auth-check super-squash".split()
)


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository as the database has it; times in seconds since 1970."""

    id: int
    kind: str
    owner_id: int
    owner: str
    creator_id: int | None
    name: str
    private: bool
    gated: str | None
    created: float
    modified: float
    likes: int
    downloads: int
    head: str | None
    facts: Mapping[str, Any]
    upstream: str | None  # the hub it is a mirror of; none for what is our own

    @property
    def id_(self) -> str:
        """OWNER/NAME."""
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where its pages are: models have no prefix."""
        return self.id_ if self.kind == "model" else f"{self.kind}s/{self.id_}"


class Moved(Exception):
    """A repository was asked for by a former name; `repo` is what it is now."""

    def __init__(self, repo: Repo) -> None:
        super().__init__(repo.id_)
        self.repo = repo


def folded(kind: str, owner: str, name: str) -> str:
    """Return the key of a repository, without case."""
    return f"{kind}/{owner}/{name}".casefold()


ELSEWHERE = {"owner": accounts.c.name.label("owner"), "upstream": mirrors.c.upstream}
COLUMNS = tuple(
    ELSEWHERE[name] if name in ELSEWHERE else repos.c[name] for name in Repo.__dataclass_fields__
)
JOINED = repos.join(accounts, accounts.c.id == repos.c.owner_id).outerjoin(
    mirrors, mirrors.c.repo_id == repos.c.id
)


def find_repo(db: Connection, kind: str, owner: str, name: str) -> tuple[Repo | None, bool]:
    """Return the repository of that name, or that once had it; and whether it has moved."""
    key = folded(kind, owner, name)
    chosen = select(*COLUMNS).select_from(JOINED)
    row = db.execute(chosen.where(repos.c.folded == key)).mappings().first()
    if row:
        return Repo(**row), False
    there = select(moved.c.repo_id).where(moved.c.folded == key).scalar_subquery()
    row = db.execute(chosen.where(repos.c.id == there)).mappings().first()
    return (Repo(**row), True) if row else (None, False)


def repo_by_id(db: Connection, repo_id: int) -> Repo:
    """Return a repository by its number."""
    chosen = select(*COLUMNS).select_from(JOINED).where(repos.c.id == repo_id)
    return Repo(**db.execute(chosen).mappings().one())


def check_repo_name(name: str) -> None:
    """Raise Problem unless a repository may be called so, in the words of the Hub."""
    if not NAME.fullmatch(name) or name.endswith((".git", ".ipynb", ".", "-")):
        raise Problem(
            400,
            "Repo id must use alphanumeric chars, '-', '_' or '.'. The name cannot start or end "
            "with '-' or '.', '--' and '..' are forbidden, and the maximum length is 96: "
            f"'{name[:100]}'",
        )
    if name.casefold() in RESERVED:
        raise Problem(400, f"'{name}' is a word of the hub's own addresses")


def create_repo(
    db: Connection, kind: str, owner: Account, name: str, creator_id: int | None, private: bool
) -> Repo:
    """Return a new, empty repository; raises Problem 409 where there is one of that name."""
    check_repo_name(name)
    now = time.time()
    there, has_moved = find_repo(db, kind, owner.name, name)
    if there and not has_moved:
        raise Problem(409, f"You already created this {kind} repo: {there.id_}", id=there.id_)
    db.execute(delete(moved).where(moved.c.folded == folded(kind, owner.name, name)))
    row = {
        "kind": kind,
        "owner_id": owner.id,
        "creator_id": creator_id,
        "name": name,
        "folded": folded(kind, owner.name, name),
        "private": private,
        "created": now,
        "modified": now,
    }
    made = db.execute(repos.insert().returning(repos.c.id), row).scalar_one()
    return repo_by_id(db, made)


def delete_repo(db: Connection, repo: Repo) -> None:
    """Remove a repository with its history; its contents go when garbage is collected."""
    db.execute(delete(repos).where(repos.c.id == repo.id))


def move_repo(db: Connection, repo: Repo, owner: Account, name: str) -> None:
    """Give a repository another name; the old one leads to it until something else is called so."""
    check_repo_name(name)
    old, new = folded(repo.kind, repo.owner, repo.name), folded(repo.kind, owner.name, name)
    there, has_moved = find_repo(db, repo.kind, owner.name, name)
    if there and not has_moved and there.id != repo.id:
        raise Problem(409, f"A {repo.kind} repository called {there.id_} already exists")
    db.execute(delete(moved).where(moved.c.folded.in_([old, new])))
    values = {"owner_id": owner.id, "name": name, "folded": new}
    db.execute(update(repos).where(repos.c.id == repo.id).values(**values))
    if old != new:
        db.execute(moved.insert(), {"folded": old, "repo_id": repo.id})
