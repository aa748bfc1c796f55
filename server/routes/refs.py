"""Branches, tags, history, and squashing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ages import moment
from ..commits import Wording, squash
from ..problem import Problem
from ..refs import (
    MAIN,
    Ref,
    all_refs,
    branch_ref,
    check_ref_name,
    create_ref,
    delete_ref,
    history,
    ref_oid,
    resolve,
)
from ..routing import Answer, Call, Routes, of_revision

routes = Routes()
PAGE = 50
GROUPS = {"branches": "refs/heads/", "tags": "refs/tags/", "converts": "refs/convert/"}


@routes.get("/api/{kind:kind}/{owner}/{name}/refs", query=("include_prs",), about=of_revision)
def refs(call: Call) -> dict[str, Any]:
    """Return branches, tags and, if asked, pull requests with the commit of each."""
    with call.hub.database.reading() as db:
        found = all_refs(db, call.repo(db))
    said = {group: _group(found, prefix) for group, prefix in GROUPS.items()}
    if call.query.get("include_prs", "").casefold() in ("1", "true"):
        said["pullRequests"] = _group(found, "refs/pr/")
    return said


def _group(found: Sequence[Ref], prefix: str) -> list[dict[str, str]]:
    return [
        {
            "name": each.name.removeprefix(prefix),
            "ref": each.name,
            "targetCommit": each.oid,
            **({"message": each.message} if each.message else {}),
        }
        for each in found
        if each.name.startswith(prefix)
    ]


@routes.post("/api/{kind:kind}/{owner}/{name}/branch/{branch}")
def create_branch(call: Call) -> Answer:
    """Make a branch at a revision, main if none is said."""
    name, start = call.params["branch"], call.optional_text("startingPoint", 300) or "main"
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        check_ref_name(name)
        create_ref(db, repo, f"refs/heads/{name}", resolve(db, repo, start).oid)
    return Answer("OK", 201)


@routes.delete("/api/{kind:kind}/{owner}/{name}/branch/{branch}")
def delete_branch(call: Call) -> Answer:
    """Take a branch away; main stays."""
    ref = f"refs/heads/{call.params['branch']}"
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        if ref == MAIN:
            raise Problem(403, f"Cannot delete {ref}")
        delete_ref(db, repo, ref)
    return Answer("OK")


@routes.post("/api/{kind:kind}/{owner}/{name}/tag/{revision}")
def create_tag(call: Call) -> Answer:
    """Give a revision a name."""
    name, message = call.text("tag", largest=300), call.optional_text("message")
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        commit = resolve(db, repo, call.revision)
        check_ref_name(name)
        create_ref(db, repo, f"refs/tags/{name}", commit.oid, message)
    return Answer("OK", 201)


@routes.delete("/api/{kind:kind}/{owner}/{name}/tag/{tag}")
def delete_tag(call: Call) -> Answer:
    """Take a tag away."""
    with call.hub.database.writing() as db:
        delete_ref(db, call.repo(db, "write"), f"refs/tags/{call.params['tag']}")
    return Answer("OK")


@routes.get(
    "/api/{kind:kind}/{owner}/{name}/commits/{revision}",
    query=("expand[]", "limit", "cursor"),
    about=of_revision,
)
def commits(call: Call) -> Answer:
    """Return the history of a revision, newest first, a page at a time."""
    formatted = "formatted" in call.query.getlist("expand[]") + call.query.getlist("expand")
    limit = call.number("limit", PAGE, 1, 1000)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        start = resolve(db, repo, call.query.get("cursor") or call.revision)
        found = history(db, repo, start, limit + 1)
    listed = []
    for each in found[:limit]:
        said: dict[str, Any] = {
            "id": each.oid,
            "title": each.title,
            "message": each.message,
            "date": moment(each.created),
            "authors": [{"user": each.author, "avatar": ""}],
        }
        if formatted:
            said["formatted"] = {"title": each.title, "message": each.message}
        listed.append(said)
    more = call.next_page(cursor=found[limit].oid) if len(found) > limit else {}
    return Answer(listed, headers=more)


@routes.post("/api/{kind:kind}/{owner}/{name}/super-squash/{branch}")
def super_squash(call: Call) -> Answer:
    """Make the head of a branch its only commit; what led to it is gone for good."""
    message = call.optional_text("message") or f"Super-squash branch '{call.params['branch']}'"
    title, _, rest = message.partition("\n")
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        ref = branch_ref(db, repo, call.params["branch"])
        before = ref_oid(db, repo, ref)
        wording = Wording(call.caller.name, title.strip(), rest.strip())
        oid = squash(db, call.hub.objects, repo, ref, wording)
    change = {"ref": ref, "oldSha": before, "newSha": oid}
    call.hub.announce({"kind": "content", "action": "update", "repo_id": repo.id, "refs": [change]})
    return Answer("OK")
