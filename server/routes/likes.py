"""Likes: given, taken back, and listed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from ..access import may_see
from ..accounts import find
from ..ages import moment
from ..dialects import insert_new
from ..problem import Problem
from ..repos import Repo, repo_by_id
from ..routing import Answer, Call, Routes
from ..schema import accounts, likes, repos

routes = Routes()
PAGE = 1000


def _count(db: Connection, repo: Repo) -> None:
    number = select(func.count()).where(likes.c.repo_id == repo.id).scalar_subquery()
    db.execute(update(repos).where(repos.c.id == repo.id).values(likes=number))


@routes.post("/api/{kind:kind}/{owner}/{name}/like", takes="nothing")
def like(call: Call) -> Answer:
    """Like a repository; once is enough."""
    with call.hub.database.writing() as db:
        repo = call.repo(db, "discuss")
        row = {"repo_id": repo.id, "user_id": call.user_id, "created": time.time()}
        insert_new(db, likes, [row])
        _count(db, repo)
    return Answer("OK")


@routes.delete("/api/{kind:kind}/{owner}/{name}/like")
def unlike(call: Call) -> Answer:
    """Take a like back."""
    with call.hub.database.writing() as db:
        repo = call.repo(db, "discuss")
        mine = (likes.c.repo_id == repo.id) & (likes.c.user_id == call.user_id)
        db.execute(delete(likes).where(mine))
        _count(db, repo)
    return Answer("OK")


@routes.get("/api/{kind:kind}/{owner}/{name}/likers", query=("cursor",))
def likers(call: Call) -> Answer:
    """Return a page of who likes a repository, the latest first."""
    start = call.number("cursor", 0, 0, 1 << 30)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        joined = likes.join(accounts, accounts.c.id == likes.c.user_id)
        chosen = select(accounts.c.name, accounts.c.fullname).select_from(joined)
        rows = _page(db, chosen.where(likes.c.repo_id == repo.id), start)
    said = [
        {
            "user": row.name,
            "fullname": row.fullname,
            "type": "user",
            "avatarUrl": "",
            "isPro": False,
        }
        for row in rows[:PAGE]
    ]
    return Answer(said, headers=_more(call, start, rows))


def _page(db: Connection, chosen: Select[Any], start: int) -> Sequence[Row[Any]]:
    """Return a page of likes, the latest first, and one more where more follow."""
    ordered = chosen.order_by(likes.c.created.desc(), likes.c.repo_id, likes.c.user_id)
    return db.execute(ordered.offset(start).limit(PAGE + 1)).all()


def _more(call: Call, start: int, rows: Sequence[Row[Any]]) -> dict[str, str]:
    return call.next_page(cursor=str(start + PAGE)) if len(rows) > PAGE else {}


@routes.get("/api/users/{account}/likes", query=("cursor",))
def liked(call: Call) -> Answer:
    """Return a page of what a user likes, as far as the caller may see it, the latest first."""
    start = call.number("cursor", 0, 0, 1 << 30)
    with call.hub.database.reading() as db:
        user = find(db, call.params["account"])
        if user is None or user.kind != "user":
            raise Problem(404, "This user does not exist")
        chosen = select(likes.c.repo_id, likes.c.created).where(likes.c.user_id == user.id)
        rows = _page(db, chosen, start)
        found = [(repo_by_id(db, row.repo_id), row.created) for row in rows[:PAGE]]
        said = [
            {"createdAt": moment(created), "repo": {"name": repo.id_, "type": repo.kind}}
            for repo, created in found
            if may_see(db, call.caller, repo)
        ]
    return Answer(said, headers=_more(call, start, rows))
