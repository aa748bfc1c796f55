"""How much a namespace may keep: each content that its repositories have, counted once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, Subquery, delete, func, select, union

from .database import chunks
from .problem import Problem
from .schema import accounts, blobs, objects, quotas, repo_blobs, repo_objects, repos

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def quota_of(db: Connection, owner_id: int) -> int | None:
    """Return the most bytes that a namespace may keep, None where nothing limits it."""
    return db.execute(select(quotas.c.most).where(quotas.c.owner_id == owner_id)).scalar()


def set_quota(db: Connection, owner_id: int, most: int | None) -> None:
    """Limit what a namespace may keep from now on; what it keeps already stays."""
    db.execute(delete(quotas).where(quotas.c.owner_id == owner_id))
    if most is not None:
        db.execute(quotas.insert(), {"owner_id": owner_id, "most": most})


def used(db: Connection, owner_id: int) -> int:
    """Return the bytes that a namespace keeps: of all commits, and of what was only pushed."""
    kept = _kept(repos.c.owner_id == owner_id)
    return int(db.execute(select(func.coalesce(func.sum(kept.c.size), 0))).scalar_one())


def _kept(of: ColumnElement[bool]) -> Subquery:
    """Return what some repositories keep, committed or only pushed: each sha256 and its size."""
    committed = (
        select(blobs.c.sha256, blobs.c.size)
        .join(repo_blobs, repo_blobs.c.oid == blobs.c.oid)
        .join(repos, repos.c.id == repo_blobs.c.repo_id)
        .where(of)
    )
    pushed = (
        select(objects.c.sha256, objects.c.size)
        .join(repo_objects, repo_objects.c.sha256 == objects.c.sha256)
        .join(repos, repos.c.id == repo_objects.c.repo_id)
        .where(of)
    )
    return union(committed, pushed).subquery()


def contents_of(db: Connection, repo_id: int) -> dict[str, int]:
    """Return the contents that a repository keeps, committed or not: sizes by sha256."""
    kept = _kept(repos.c.id == repo_id)
    return {row.sha256: row.size for row in db.execute(select(kept.c.sha256, kept.c.size))}


def check_quota(db: Connection, owner_id: int, contents: Mapping[str, int]) -> None:
    """Raise Problem 403 where a namespace may not keep these too: sizes by sha256.

    What it keeps already costs nothing. A name that is no sha256 stands for what is not known yet.
    """
    most = quota_of(db, owner_id)
    if most is None:
        return
    kept, had = _kept(repos.c.owner_id == owner_id), set[str]()
    for some in chunks(contents):
        had |= set(db.execute(select(kept.c.sha256).where(kept.c.sha256.in_(some))).scalars())
    more = sum(size for sha256, size in contents.items() if sha256 not in had)
    before = used(db, owner_id)
    if more and before + more > most:
        name = db.execute(select(accounts.c.name).where(accounts.c.id == owner_id)).scalar_one()
        told = f"{name} may keep {_size(most)} on this hub and keeps {_size(before)}"
        # Not one of the statuses on which clients try again.
        raise Problem(403, f"Storage limit reached: {told}, so {_size(more)} more do not fit")


def _size(number: float) -> str:
    for unit in UNITS:
        if number < 1000 or unit == UNITS[-1]:
            break
        number /= 1000
    return f"{number:.3g} {unit}" if unit != "bytes" else f"{int(number)} bytes"
