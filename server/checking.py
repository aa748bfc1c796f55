"""Checking a store: every byte, every tree and every reference is what it says it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from ..registry.errors import HubtlError
from .dialects import damage
from .git import EMPTY_TREE, decode_tree, object_id, pointer
from .hub import TeamHub
from .objects import PART, Objects
from .refs import MAIN, all_refs
from .repos import Repo, repo_by_id
from .schema import commits, objects, repo_blobs, repos, trees
from .trees import awaited_of, blobs_of

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong with a store, a sentence each, and how much was looked at; sizes in bytes."""

    problems: tuple[str, ...]
    objects: int
    bytes: int
    commits: int

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        counts = {"objects": self.objects, "bytes": self.bytes, "commits": self.commits}
        return {"sound": not self.problems, "problems": list(self.problems), **counts}


def check(hub: TeamHub, progress: Progress) -> Report:
    """Return what is wrong with a store; it may serve meanwhile."""
    problems: list[str] = []
    try:
        with hub.database.reading() as db:
            problems += (f"database: {wrong}" for wrong in damage(db))
            histories = Histories(db)
            problems += histories.problems()
    except DatabaseError as error:
        return Report((*problems, f"database: it can't be read further: {error.orig}"), 0, 0, 0)
    listed = histories.contents
    suspects = {}
    for done, (sha256, size) in enumerate(sorted(listed.items()), 1):
        wrong = _content(hub.objects, sha256, size, histories.small.get(sha256, set()))
        if wrong:
            suspects[sha256] = wrong
        progress("checking contents", done, len(listed))
    with hub.database.reading() as db:
        # What was collected since the list was made is not missing.
        still = set(db.execute(select(objects.c.sha256)).scalars())
    problems += [wrong for sha256, wrong in suspects.items() if sha256 in still]
    return Report(tuple(problems), len(listed), sum(listed.values()), histories.commits)


def _content(store: Objects, sha256: str, size: int, oids: set[str]) -> str | None:
    """Return what is wrong with one content, or None; `oids` are the ids git has it by."""
    head = f"blob {size}\0".encode()
    hashes = [(sha256, hashlib.sha256())]
    hashes += [(oid, hashlib.sha1(head, usedforsecurity=False)) for oid in oids]
    read = 0
    try:
        with store.open(sha256) as file:
            while part := file.read(PART):
                read += len(part)
                for _, each in hashes:
                    each.update(part)
    except FileNotFoundError:
        return f"content {sha256}: its file is gone"
    except HubtlError:
        raise  # of the other contents it would tell no more
    except OSError as error:
        return f"content {sha256}: its file can't be read: {error.strerror}"
    if read != size:
        return f"content {sha256}: it has {read} bytes, not {size}"
    wrong = [name for name, each in hashes if each.hexdigest() != name]
    return f"content {sha256}: its bytes have changed" if wrong else None


class Histories:
    """The histories of all repositories, and the files they lead to, at one moment."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.contents = {
            sha256: size for sha256, size in db.execute(select(objects.c.sha256, objects.c.size))
        }
        self.small: dict[str, set[str]] = {}  # by sha256: the ids git has a content by
        self.commits = 0
        self._known: set[str] = set()

    def problems(self) -> Iterator[str]:
        """Give what does not hold together."""
        for repo_id in self._db.execute(select(repos.c.id).order_by(repos.c.id)).scalars().all():
            repo = repo_by_id(self._db, repo_id)
            for wrong in self._history(repo):
                yield f"{repo.kind} {repo.id_}: {wrong}"

    def _history(self, repo: Repo) -> Iterator[str]:
        columns = (commits.c.oid, commits.c.tree, commits.c.parent)
        mine = self._db.execute(select(*columns).where(commits.c.repo_id == repo.id)).all()
        self.commits += len(mine)
        known = {row.oid for row in mine}
        for row in mine:
            if row.parent and row.parent not in known:
                yield f"commit {row.oid}: its parent {row.parent} is not there"
        led = {each.name: each.oid for each in all_refs(self._db, repo)}
        for name, oid in led.items():
            if oid not in known:
                yield f"{name} leads to {oid}, which is not there"
        if repo.head != led.get(MAIN):
            yield f"what is told of it is of {repo.head}, and main is {led.get(MAIN)}"
        used: set[str] = set()
        yield from self._trees({row.tree for row in mine}, used)
        claimed = select(repo_blobs.c.oid).where(repo_blobs.c.repo_id == repo.id)
        for oid in sorted(used - set(self._db.execute(claimed).scalars())):
            yield f"file {oid} is in use, and would be collected"
        yield from self._files(used - self._known)

    def _trees(self, roots: set[str], used: set[str]) -> Iterator[str]:
        """Give what is wrong with trees and those below; adds the files they have to `used`."""
        seen: set[str] = set()
        waiting = list(roots)
        while waiting:
            oid = waiting.pop()
            if oid in seen or oid == EMPTY_TREE:
                continue
            seen.add(oid)
            body = self._db.execute(select(trees.c.body).where(trees.c.oid == oid)).scalar()
            if body is None:
                yield f"tree {oid} is not there"
            elif object_id("tree", body) != oid:
                yield f"tree {oid} has changed"
            else:
                for node in decode_tree(body).values():
                    (waiting.append if node.is_folder else used.add)(node.oid)

    def _files(self, oids: set[str]) -> Iterator[str]:
        rows = blobs_of(self._db, oids)
        self._known |= oids
        # A mirror's file may be one that nobody asked for yet.
        for oid in sorted(oids - (awaited_of(self._db, oids).keys() - rows.keys())):
            if oid not in rows:
                yield f"file {oid} is not there"
                continue
            sha256, size = rows[oid]["sha256"], rows[oid]["size"]
            if not rows[oid]["large"]:
                self.small.setdefault(sha256, set()).add(oid)
            elif object_id("blob", pointer(sha256, size)) != oid:
                yield f"file {oid} is not the pointer to {sha256}"
            if sha256 not in self.contents:
                yield f"file {oid}: its content {sha256} is not there"
            elif self.contents[sha256] != size:
                yield f"file {oid}: its size is not that of its content"
