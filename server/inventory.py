"""What is on a hub, for those who look after it: accounts, repositories, and their bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from .accounts import members_of
from .schema import accounts, blobs, mirrors, repo_blobs, repos


def accounts_listed(db: Connection) -> list[dict[str, Any]]:
    """Return the accounts by name, organisations with their members."""
    columns = (accounts.c.id, accounts.c.name, accounts.c.kind, accounts.c.fullname)
    found = []
    for row in db.execute(select(*columns).order_by(accounts.c.folded)).all():
        people = members_of(db, row.id) if row.kind == "org" else ()
        members = [{"name": each["name"], "role": each["role"]} for each in people]
        shown = {"name": row.name, "kind": row.kind, "fullname": row.fullname}
        found.append({**shown, "members": members})
    return found


def repositories_listed(db: Connection) -> list[dict[str, Any]]:
    """Return the repositories by name, with the files of all their revisions, each counted once."""
    held = (
        select(repo_blobs.c.repo_id, blobs.c.sha256, blobs.c.size)
        .join(blobs, blobs.c.oid == repo_blobs.c.oid)
        .distinct()
        .subquery()
    )
    sums = select(held.c.repo_id, func.count(), func.sum(held.c.size)).group_by(held.c.repo_id)
    sizes = {row[0]: (row[1], row[2]) for row in db.execute(sums)}
    columns = (repos.c.id, repos.c.kind, repos.c.name, repos.c.private, repos.c.head)
    joined = repos.join(accounts, accounts.c.id == repos.c.owner_id)
    joined = joined.outerjoin(mirrors, mirrors.c.repo_id == repos.c.id)
    chosen = select(*columns, mirrors.c.upstream, accounts.c.name.label("owner"))
    found = []
    for row in db.execute(chosen.select_from(joined).order_by(repos.c.folded)).all():
        files, size = sizes.get(row.id, (0, 0))
        shown = {"id": f"{row.owner}/{row.name}", "kind": row.kind, "private": row.private}
        shown |= {"files": files, "bytes": int(size), "head": row.head}
        found.append({**shown, "upstream": row.upstream})
    return found
