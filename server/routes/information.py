"""One repository: what it is, at its head or at a revision."""

from __future__ import annotations

from typing import Any

from ..describing import EXPANDABLE, WHOLE, Description, security_status
from ..facts import facts_of
from ..problem import Problem
from ..refs import commit_by_oid, resolve
from ..routing import Call, Routes, of_revision
from ..trees import all_files

routes = Routes()


def expanded(call: Call, kind: str) -> list[str]:
    """Return the fields that a query asks for by name; raises Problem for one there isn't."""
    asked = call.query.getlist("expand") + call.query.getlist("expand[]")
    known = EXPANDABLE[kind]
    if any(name not in known for name in asked):
        listed = ", ".join(sorted(known))
        raise Problem(400, f'"expand" must be one of [{listed}]')
    return asked


@routes.get(
    "/api/{kind:kind}/{owner}/{name}",
    "/api/{kind:kind}/{owner}/{name}/revision/{revision}",
    query=("blobs", "securityStatus", "expand"),
    about=of_revision,
)
def information(call: Call) -> dict[str, Any]:
    """Return what a repository is; `blobs` adds sizes and hashes of its files."""
    kind = call.params["kind"]
    names = expanded(call, kind)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        head = commit_by_oid(db, repo, repo.head) if repo.head else None
        commit = resolve(db, repo, call.revision) if "revision" in call.params else head
        facts = repo.facts
        if commit and (head is None or commit.tree != head.tree):
            facts = facts_of(db, call.hub.objects, kind, commit.tree)
        blobs = call.query.get("blobs", "").casefold() in ("true", "1")
        description = Description(db, call.hub, call.caller, repo, commit, facts, blobs_too=blobs)
        said = description.say(names or WHOLE)
        if call.query.get("securityStatus") and commit:
            said["securityRepoStatus"] = security_status(all_files(db, commit.tree))
    return said
