"""When things were touched: moments as the Hub writes them, and the last commit of each path."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from .refs import Commit, commit_by_oid
from .repos import Repo
from .trees import node_at

FARTHEST = 2000  # commits that are looked through


def moment(seconds: float) -> str:
    """Return a time as the Hub writes it, in milliseconds at UTC."""
    found = datetime.fromtimestamp(seconds, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z"


def last_commits(
    db: Connection, repo: Repo, head: Commit, paths: Iterable[str]
) -> dict[str, Commit]:
    """Return the last commit that changed each path, as far back as is looked."""

    def at(root: str, path: str) -> str | None:
        node = node_at(db, root, path)
        return node.oid if node else None

    found: dict[str, Commit] = {}
    open_paths = {path: at(head.tree, path) for path in paths}
    here = head
    for _ in range(FARTHEST):
        before = commit_by_oid(db, repo, here.parent) if here.parent else None
        if not open_paths or before is None:
            break
        if before.tree != here.tree:
            for path, oid in list(open_paths.items()):
                if at(before.tree, path) != oid:
                    found[path] = here
                    del open_paths[path]
        here = before
    return {**found, **dict.fromkeys(open_paths, here)}
