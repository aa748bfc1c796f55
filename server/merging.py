"""Merging a pull request: what it changed since it left goes onto what its base is now."""

from __future__ import annotations

from sqlalchemy import Connection

from .commits import Wording, add_commit, move_head
from .git import EMPTY_TREE
from .objects import Objects
from .problem import Problem
from .refs import Commit, commit_by_oid, ref_oid
from .repos import Repo
from .trees import changed, walk


def merge(
    db: Connection, store: Objects, repo: Repo, head: Commit, base: str, wording: Wording
) -> str:
    """Commit to `base` what a pull request changed since it left; a conflict is Problem 409."""
    into = commit_by_oid(db, repo, str(ref_oid(db, repo, base)))
    assert into is not None, "a ref points at a commit"
    changes, clash = compare(db, repo, head, into)
    if clash:
        raise Problem(409, f"This pull request conflicts with {base} in: {', '.join(clash[:5])}")
    tree = changed(db, into.tree, changes)
    oid = add_commit(db, repo, tree, into.oid, wording)
    move_head(db, store, repo, base, oid, tree)
    return oid


def compare(
    db: Connection, repo: Repo, head: Commit, into: Commit
) -> tuple[dict[str, str | None], list[str]]:
    """Return what a pull request changes, and where its base has changed the same otherwise."""
    fork = _fork(db, repo, head, into)
    was = _files(db, fork.tree if fork else EMPTY_TREE)
    mine, theirs = _files(db, head.tree), _files(db, into.tree)
    changes = {p: mine.get(p) for p in was.keys() | mine.keys() if was.get(p) != mine.get(p)}
    return changes, sorted(p for p in changes if theirs.get(p) not in (was.get(p), changes[p]))


def _fork(db: Connection, repo: Repo, one: Commit, other: Commit) -> Commit | None:
    """Return the last commit that two histories share."""
    seen: set[str] = set()
    here: Commit | None = one
    while here:
        seen.add(here.oid)
        here = commit_by_oid(db, repo, here.parent) if here.parent else None
    there: Commit | None = other
    while there and there.oid not in seen:
        there = commit_by_oid(db, repo, there.parent) if there.parent else None
    return there


def _files(db: Connection, tree: str) -> dict[str, str]:
    return {path: node.oid for path, node in walk(db, tree) if not node.is_folder}
