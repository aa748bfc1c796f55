"""Gated repositories: who asks for access, and who is let in."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, select, update

from ..access import Deed
from ..accounts import find
from ..ages import moment
from ..problem import Problem
from ..repos import Repo
from ..routing import Answer, Call, Routes
from ..schema import access_requests, accounts

routes = Routes()
STATUSES = ("pending", "accepted", "rejected")


def _gated(db: Connection, call: Call, deed: Deed = "write") -> Repo:
    repo = call.repo(db, deed)
    if not repo.gated:
        raise Problem(400, f"{repo.id_} is not gated")
    return repo


@routes.get("/api/{kind:kind}/{owner}/{name}/user-access-request/{status}", private=True)
def requests(call: Call) -> list[dict[str, Any]]:
    """Return the requests of a status, the latest first."""
    status = call.params["status"]
    if status not in STATUSES:
        raise Problem(404, f"There are only {', '.join(STATUSES)} requests")
    with call.hub.database.reading() as db:
        repo = _gated(db, call)
        joined = access_requests.join(accounts, accounts.c.id == access_requests.c.user_id)
        chosen = select(access_requests, accounts.c.name, accounts.c.fullname).select_from(joined)
        mine = (access_requests.c.repo_id == repo.id) & (access_requests.c.status == status)
        rows = db.execute(chosen.where(mine).order_by(access_requests.c.id.desc())).mappings().all()
    return [
        {
            "requestId": f"{row['id']:024x}",
            "user": {"user": row["name"], "fullname": row["fullname"], "type": "user"},
            "status": status,
            "timestamp": moment(row["created"]),
            "fields": row["fields"],
        }
        for row in rows
    ]


@routes.post("/api/{kind:kind}/{owner}/{name}/user-access-request/handle")
def handle(call: Call) -> Answer:
    """Accept, reject or put back a request, named by its user or its number."""
    status, reason = call.text("status"), call.optional_text("rejectionReason")
    if status not in STATUSES:
        raise Problem(400, f'"status" must be one of {", ".join(STATUSES)}')
    with call.hub.database.writing() as db:
        repo = _gated(db, call)
        mine = access_requests.c.repo_id == repo.id
        if call.body.get("requestId") is not None:
            mine &= access_requests.c.id == _number(call.text("requestId"))
        else:
            user = find(db, call.text("user"))
            mine &= access_requests.c.user_id == (user.id if user else -1)
        row = db.execute(select(access_requests).where(mine)).first()
        if row is None:
            raise Problem(404, "There is no such request")
        if row.status == status:
            raise Problem(404, f"The request is {status} already")
        values = {"status": status, "reason": reason}
        db.execute(update(access_requests).where(access_requests.c.id == row.id).values(**values))
    return Answer({"status": status})


def _number(text: str) -> int:
    try:
        return min(int(text, 16), 1 << 60)
    except ValueError as error:
        raise Problem(400, '"requestId" is not one') from error


@routes.post("/api/{kind:kind}/{owner}/{name}/user-access-request/grant")
def grant(call: Call) -> Answer:
    """Let a user in who hasn't asked."""
    with call.hub.database.writing() as db:
        repo = _gated(db, call)
        user = find(db, call.text("user"))
        if user is None or user.kind != "user":
            raise Problem(404, "This user does not exist")
        mine = (access_requests.c.repo_id == repo.id) & (access_requests.c.user_id == user.id)
        row = db.execute(select(access_requests.c.status).where(mine)).first()
        if row and row.status == "accepted":
            raise Problem(400, f"{user.name} has access already")
        db.execute(delete(access_requests).where(mine))
        _ask(db, repo, user.id, "accepted", None)
    return Answer({"status": "accepted"})


@routes.post("/api/{kind:kind}/{owner}/{name}/user-access-request/cancel", takes="nothing")
def cancel(call: Call) -> Answer:
    """Take one's own request back."""
    with call.hub.database.writing() as db:
        repo = _gated(db, call, "discuss")
        mine = (access_requests.c.repo_id == repo.id) & (access_requests.c.user_id == call.user_id)
        if not db.execute(delete(access_requests).where(mine)).rowcount:
            raise Problem(404, "There is no such request")
    return Answer({})


@routes.post("/{kind:kind}/{owner}/{name}/ask-access", "/{owner}/{name}/ask-access")
def ask(call: Call) -> Answer:
    """Ask for access: given at once where the gate is `auto`, else when somebody says so."""
    with call.hub.database.writing() as db:
        repo = _gated(db, call, "discuss")
        mine = (access_requests.c.repo_id == repo.id) & (access_requests.c.user_id == call.user_id)
        if db.execute(select(access_requests.c.id).where(mine)).first():
            raise Problem(409, "You have asked for access already")
        status = "accepted" if repo.gated == "auto" else "pending"
        fields = {str(key)[:100]: str(value)[:1000] for key, value in list(call.body.items())[:50]}
        _ask(db, repo, call.user_id, status, fields or None)
    return Answer({"status": status})


def _ask(
    db: Connection,
    repo: Repo,
    user_id: int,
    status: str,
    fields: dict[str, str] | None,
) -> None:
    row = {
        "repo_id": repo.id,
        "user_id": user_id,
        "status": status,
        "fields": fields,
        "created": time.time(),
    }
    db.execute(access_requests.insert(), row)
