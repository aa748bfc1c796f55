"""Commits: changes to the files of a branch, made whole or not at all, one after another."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update

from .contents import Received
from .database import chunks
from .dialects import insert_new
from .facts import refresh
from .git import EMPTY_TREE, commit_id, object_id, pointer
from .objects import Objects
from .problem import Problem
from .refs import MAIN, STALE, advance_ref, commit_by_oid, ref_oid, set_ref
from .repos import Repo
from .schema import blobs, commits, objects, refs, repo_blobs, repo_objects, repos
from .trees import changed, node_at, nodes, walk


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a tree: a blob at a path, or a path to take away."""

    path: str
    kind: Literal["add", "file", "folder"]
    oid: str | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """Who commits, and what they say of it."""

    author: str
    title: str
    message: str = ""


def check_path(path: str) -> str:
    """Return a path that may stand in a tree; raises Problem 422 for any other.

    A backslash within is allowed, as on the Hub; Windows clients refuse such files themselves.
    """
    parts = path.split("/")
    bad = (
        not path
        or len(path) > 1000
        or path.startswith("..\\")
        or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts)
        or any(ord(letter) < 32 or ord(letter) == 127 for letter in path)
        or len(parts) > 60
        or any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in parts)
        or any(0xD800 <= ord(letter) < 0xE000 for letter in path)
    )
    if bad:
        raise Problem(422, f"Invalid path in repo: {path[:200]!r}")
    return path


def _add_blobs(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Note contents; one that was harmless under its first name may be no longer."""
    insert_new(db, blobs, rows)
    for some in chunks(row["oid"] for row in rows if row["unsafe"]):
        db.execute(update(blobs).where(blobs.c.oid.in_(some)).values(unsafe=True))


def add_small(
    db: Connection, store: Objects, received: Iterable[tuple[Received, str, bool]]
) -> None:
    """Keep contents that stand in trees themselves: (file, its git id, unsafe) each."""
    listed = list(received)
    store.keep(db, (each for each, _, _ in listed))
    rows = [
        {"oid": oid, "sha256": r.sha256, "size": r.size, "large": False, "unsafe": unsafe}
        for r, oid, unsafe in listed
    ]
    _add_blobs(db, rows)


def add_large(db: Connection, sha256: str, size: int, unsafe: bool = False) -> str:
    """Keep a pointer to a content that is in the store, and return the pointer's id."""
    oid = object_id("blob", pointer(sha256, size))
    row = {"oid": oid, "sha256": sha256, "size": size, "large": True, "unsafe": unsafe}
    _add_blobs(db, [row])
    return oid


def note_pushed(db: Connection, repo: Repo, sha256: str) -> None:
    """Note that a repository has been given a content, so that it may commit it."""
    mine = (repo_objects.c.repo_id == repo.id) & (repo_objects.c.sha256 == sha256)
    db.execute(delete(repo_objects).where(mine))
    db.execute(repo_objects.insert(), {"repo_id": repo.id, "sha256": sha256, "pushed": time.time()})


def pushed_size(db: Connection, repo: Repo, sha256: str) -> int | None:
    """Return the size of a content that a repository was given, or None."""
    joined = repo_objects.join(objects, objects.c.sha256 == repo_objects.c.sha256)
    mine = (repo_objects.c.repo_id == repo.id) & (repo_objects.c.sha256 == sha256)
    return db.execute(select(objects.c.size).select_from(joined).where(mine)).scalar()


def commit(
    db: Connection,
    store: Objects,
    repo: Repo,
    ref: str,
    changes: Sequence[Change],
    wording: Wording,
    *,
    parent: str | None = None,
    oid: str | None = None,
) -> str:
    """Return the id of a new commit at the head of a ref; `db` is held for writing.

    With `parent`, raises Problem 412 where the head is another; without, the changes are made to
    whatever is the head now, so a commit that came in between is kept. `oid` is given where the
    commit is an upstream's, whose id must stay.
    """
    head = ref_oid(db, repo, ref)
    if parent is not None and parent != head:
        raise Problem(412, STALE)
    before = commit_by_oid(db, repo, head) if head else None
    root = before.tree if before else EMPTY_TREE
    tree = changed(db, root, _by_path(db, root, changes))
    made = add_commit(db, repo, tree, head, wording, oid)
    rows = ({"repo_id": repo.id, "oid": each.oid} for each in changes if each.oid)
    insert_new(db, repo_blobs, rows)
    advance_ref(db, repo, ref, head, made)
    _tell(db, store, repo, ref, made, tree)
    return made


def move_head(db: Connection, store: Objects, repo: Repo, ref: str, oid: str, tree: str) -> None:
    """Point a ref at a commit, and learn what it tells where that is what people see."""
    set_ref(db, repo, ref, oid)
    _tell(db, store, repo, ref, oid, tree)


def _tell(db: Connection, store: Objects, repo: Repo, ref: str, oid: str, tree: str) -> None:
    db.execute(update(repos).where(repos.c.id == repo.id).values(modified=time.time()))
    if ref == MAIN:
        refresh(db, store, repo, oid, tree)


def add_commit(
    db: Connection,
    repo: Repo,
    tree: str,
    parent: str | None,
    wording: Wording,
    oid: str | None = None,
) -> str:
    """Keep a commit, and return its id."""
    now = time.time()
    text = f"{wording.title}\n\n{wording.message}".strip()
    oid = oid or commit_id(tree, parent, wording.author, int(now), text)
    row = {
        "repo_id": repo.id,
        "oid": oid,
        "tree": tree,
        "parent": parent,
        "author": wording.author,
        "title": wording.title,
        "message": wording.message,
        "created": now,
    }
    insert_new(db, commits, [row])
    return oid


def _by_path(db: Connection, root: str, changes: Sequence[Change]) -> dict[str, str | None]:
    """Return what each path becomes; deleting what is not there is an error, as on the Hub.

    What a folder has is taken away once, however often that is asked for.
    """
    found: dict[str, str | None] = {}
    added, gone = set[str](), set[str]()  # with the folders above; folders
    for each in changes:
        if each.kind == "add":
            found[each.path] = each.oid
            added |= {*_with_those_above(each.path)}
            gone -= {*_with_those_above(each.path)}
            continue
        node = node_at(db, root, each.path)
        if node is None or (each.kind == "folder" and not node.is_folder):
            if each.path in added or each.path in found:
                continue
            raise Problem(404, "A file with this name doesn't exist", "EntryNotFound")
        if not node.is_folder:
            found[each.path] = None
        elif not any(above in gone for above in _with_those_above(each.path)):
            gone.add(each.path)
            inner = walk(db, node.oid, f"{each.path}/")
            found |= {path: None for path, below in inner if not below.is_folder}
    return found


def _with_those_above(path: str) -> Iterator[str]:
    """Give a path and the folders it is in, the innermost first."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def squash(db: Connection, store: Objects, repo: Repo, ref: str, wording: Wording) -> str:
    """Make a branch's head its only commit, and forget those that nothing else leads to."""
    head = commit_by_oid(db, repo, str(ref_oid(db, repo, ref)))
    assert head is not None, "a ref points at a commit"
    oid = add_commit(db, repo, head.tree, None, wording)
    move_head(db, store, repo, ref, oid, head.tree)
    forget_unreachable(db, repo)
    return oid


def forget_unreachable(db: Connection, repo: Repo) -> None:
    """Remove the commits that no ref leads to, and the claims on contents that only they had."""
    mine = select(commits.c.oid, commits.c.tree, commits.c.parent)
    known = {row.oid: row for row in db.execute(mine.where(commits.c.repo_id == repo.id))}
    reached: set[str] = set()
    waiting = list(db.execute(select(refs.c.oid).where(refs.c.repo_id == repo.id)).scalars())
    while waiting:
        oid = waiting.pop()
        if oid in known and oid not in reached:
            reached.add(oid)
            waiting.extend([known[oid].parent] if known[oid].parent else [])
    for some in chunks(set(known) - reached):
        db.execute(delete(commits).where(commits.c.repo_id == repo.id, commits.c.oid.in_(some)))
    had = _large_of(db, repo)
    claim(db, repo, {known[oid].tree for oid in reached})
    for some in chunks(had - _large_of(db, repo)):
        gone = (repo_objects.c.repo_id == repo.id) & repo_objects.c.sha256.in_(some)
        db.execute(delete(repo_objects).where(gone))


def _large_of(db: Connection, repo: Repo) -> set[str]:
    """Return the contents of the large files that any commit of a repository has."""
    joined = blobs.join(repo_blobs, repo_blobs.c.oid == blobs.c.oid)
    mine = (repo_blobs.c.repo_id == repo.id) & blobs.c.large
    return set(db.execute(select(blobs.c.sha256).select_from(joined).where(mine)).scalars())


def claim(db: Connection, repo: Repo, roots: Iterable[str]) -> None:
    """Note anew which blobs a repository has, given the trees of all its commits."""
    seen, found, waiting = set[str](), set[str](), list(roots)
    while waiting:
        tree = waiting.pop()
        if tree in seen:
            continue
        seen.add(tree)
        for node in nodes(db, tree).values():
            if node.is_folder:
                waiting.append(node.oid)
            else:
                found.add(node.oid)
    db.execute(delete(repo_blobs).where(repo_blobs.c.repo_id == repo.id))
    insert_new(db, repo_blobs, ({"repo_id": repo.id, "oid": oid} for oid in found))


def rewrite(db: Connection, store: Objects, repo: Repo, unwanted: set[str]) -> None:
    """Write a repository's history again without the large files of these sha256s."""
    trees: dict[str, str] = {}
    oids: dict[str, str] = {}
    rows = db.execute(select(commits).where(commits.c.repo_id == repo.id).order_by(commits.c.id))
    for row in rows.mappings().all():
        if row["tree"] not in trees:
            trees[row["tree"]] = _without(db, row["tree"], unwanted)
        tree, parent = trees[row["tree"]], oids.get(row["parent"], row["parent"])
        if (tree, parent) == (row["tree"], row["parent"]):
            continue
        text = f"{row['title']}\n\n{row['message']}".strip()
        oid = commit_id(tree, parent, row["author"], int(row["created"]), text)
        oids[row["oid"]] = oid
        changes = {"oid": oid, "tree": tree, "parent": parent}
        db.execute(update(commits).where(commits.c.id == row["id"]).values(**changes))
    for name, oid in db.execute(
        select(refs.c.name, refs.c.oid).where(refs.c.repo_id == repo.id)
    ).all():
        set_ref(db, repo, name, oids.get(oid, oid))
    claim(db, repo, set(trees.values()))
    head = commit_by_oid(db, repo, str(ref_oid(db, repo, MAIN)))
    assert head is not None, "main points at a commit"
    move_head(db, store, repo, MAIN, head.oid, head.tree)


def _without(db: Connection, root: str, unwanted: set[str]) -> str:
    found = [(path, node) for path, node in walk(db, root) if not node.is_folder]
    oids = {node.oid for _, node in found}
    gone = set()
    for some in chunks(oids):
        large = select(blobs.c.oid, blobs.c.sha256).where(blobs.c.oid.in_(some), blobs.c.large)
        gone |= {row.oid for row in db.execute(large) if row.sha256 in unwanted}
    return changed(db, root, {path: None for path, node in found if node.oid in gone})
