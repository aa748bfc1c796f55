"""Branches, tags, and the commits they lead to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from .dialects import insert_new
from .problem import Problem, no_revision
from .repos import Repo
from .schema import commits, refs

STALE = "The branch was updated since you opened this page. Please refresh and try again."
MAIN = "refs/heads/main"
SHA = re.compile(r"[0-9a-f]{40}")
SHORT = re.compile(r"[0-9a-f]{7,39}")
# What git itself refuses in the name of a ref: git-check-ref-format(1).
BAD_NAME = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$|^[./-]|^@$|^refs/"
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `created` in seconds since 1970."""

    oid: str
    tree: str
    parent: str | None
    author: str
    title: str
    message: str
    created: float


class Ref(NamedTuple):
    """A branch, tag or pull request by its whole name, its commit, and what was said of it."""

    name: str
    oid: str
    message: str | None


COLUMNS = tuple(commits.c[name] for name in Commit.__dataclass_fields__)


def import_ref(revision: str) -> str:
    """Return the ref that keeps a commit of another hub, whatever `main` is here."""
    return f"refs/imports/{revision}"


def check_ref_name(name: str) -> None:
    """Raise Problem unless a branch or a tag may be called so."""
    if not name or len(name) > 200 or BAD_NAME.search(name) or SHA.fullmatch(name):
        raise Problem(400, f"Invalid reference name: {name[:200]!r}")


def commit_by_oid(db: Connection, repo: Repo, oid: str) -> Commit | None:
    """Return a commit of a repository by its whole id, or None."""
    mine = (commits.c.repo_id == repo.id) & (commits.c.oid == oid)
    row = db.execute(select(*COLUMNS).where(mine)).first()
    return Commit(*row) if row else None


def ref_oid(db: Connection, repo: Repo, name: str) -> str | None:
    """Return the commit that a whole ref (`refs/heads/main`) points at, or None."""
    mine = (refs.c.repo_id == repo.id) & (refs.c.name == name)
    return db.execute(select(refs.c.oid).where(mine)).scalar()


def full_name(db: Connection, repo: Repo, revision: str) -> str | None:
    """Return the whole name of the ref that a revision stands for; a branch goes before a tag."""
    candidates = ([revision] if revision.startswith("refs/") else []) + [
        f"refs/heads/{revision}",
        f"refs/tags/{revision}",
        f"refs/{revision}",
    ]
    mine = (refs.c.repo_id == repo.id) & refs.c.name.in_(candidates)
    there = set(db.execute(select(refs.c.name).where(mine)).scalars())
    return next((name for name in candidates if name in there), None)


def resolve(db: Connection, repo: Repo, revision: str = "main") -> Commit:
    """Return the commit that a branch, a tag or an id stands for; raises Problem."""
    if SHA.fullmatch(revision):
        found = commit_by_oid(db, repo, revision)
        if found:
            return found
        raise no_revision(revision)
    name = full_name(db, repo, revision)
    if name:
        oid = ref_oid(db, repo, name)
        found = commit_by_oid(db, repo, str(oid))
        if found:
            return found
    if SHORT.fullmatch(revision):
        mine = (commits.c.repo_id == repo.id) & commits.c.oid.startswith(revision)
        rows = db.execute(select(*COLUMNS).where(mine).limit(2)).all()
        if len(rows) == 1:
            return Commit(*rows[0])
    raise no_revision(revision)


def branch_ref(db: Connection, repo: Repo, revision: str) -> str:
    """Return the whole name of a branch or pull request that can be committed to."""
    name = full_name(db, repo, revision)
    if name is None or name.startswith("refs/tags/"):
        raise no_revision(revision)
    return name


def create_ref(db: Connection, repo: Repo, name: str, oid: str, message: str | None = None) -> None:
    """Make a branch or a tag; raises Problem 409 where there is one."""
    if ref_oid(db, repo, name):
        raise Problem(409, f"Reference {name} already exists")
    row = {"repo_id": repo.id, "name": name, "oid": oid, "message": message}
    db.execute(refs.insert(), row)


def set_ref(db: Connection, repo: Repo, name: str, oid: str) -> None:
    """Point a ref at a commit."""
    mine = (refs.c.repo_id == repo.id) & (refs.c.name == name)
    if not db.execute(update(refs).where(mine).values(oid=oid)).rowcount:
        db.execute(refs.insert(), {"repo_id": repo.id, "name": name, "oid": oid})


def advance_ref(db: Connection, repo: Repo, name: str, before: str | None, oid: str) -> None:
    """Point a ref at a commit that follows `before`; raises Problem 412 where it moved on since.

    The database decides that by the row itself, whoever else commits.
    """
    if before is None:
        insert_new(db, refs, [{"repo_id": repo.id, "name": name, "oid": oid}])
    mine = (refs.c.repo_id == repo.id) & (refs.c.name == name)
    still = mine & (refs.c.oid == (before or oid))
    if not db.execute(update(refs).where(still).values(oid=oid)).rowcount:
        raise Problem(412, STALE)


def delete_ref(db: Connection, repo: Repo, name: str) -> None:
    """Take a branch or a tag away; raises Problem where there is none."""
    mine = (refs.c.repo_id == repo.id) & (refs.c.name == name)
    if not db.execute(delete(refs).where(mine)).rowcount:
        raise no_revision(name.split("/", 2)[-1])


def all_refs(db: Connection, repo: Repo) -> list[Ref]:
    """Return all refs with the commit of each, by name."""
    mine = select(refs.c.name, refs.c.oid, refs.c.message).where(refs.c.repo_id == repo.id)
    return [Ref(*row) for row in db.execute(mine.order_by(refs.c.name))]


def history(db: Connection, repo: Repo, start: Commit, limit: int) -> list[Commit]:
    """Return a commit and those before it, newest first, at most `limit`."""
    found, here = [start], start
    while here.parent and len(found) < limit:
        before = commit_by_oid(db, repo, here.parent)
        if before is None:
            break
        found.append(before)
        here = before
    return found
