"""Repositories: made, removed, moved, opened and closed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from ..access import (
    check_content,
    may_write,
    repo_named,
    the_admin_of,
    the_namespace,
    the_repo,
)
from ..accounts import Account
from ..commits import Change, Wording, add_small, commit, note_pushed
from ..git import object_id
from ..problem import Problem, no_repository, not_allowed
from ..quotas import check_quota, contents_of
from ..refs import MAIN, resolve
from ..repos import KINDS, Moved, Repo, create_repo, delete_repo, move_repo, repo_by_id
from ..routing import Answer, Call, Routes
from ..schema import accounts, repos
from ..storing import default_attributes
from ..trees import all_files

routes = Routes()
SDKS = ("gradio", "streamlit", "docker", "static")


def kind_of(call: Call) -> str:
    """Return the kind of repository a body asks for; raises Problem for one there isn't."""
    kind = call.text("type", "model") if call.body.get("type") is not None else "model"
    if kind not in KINDS:
        raise Problem(400, f'"type" must be one of {", ".join(KINDS)}')
    return kind


def told_repo(repo: Repo) -> dict[str, Any]:
    """Return what those who listen are told of a repository, which may be gone by then."""
    return {
        "kind": repo.kind,
        "id": repo.id_,
        "private": repo.private,
        "owner": repo.owner,
        "number": repo.id,
    }


def _private(call: Call, default: bool) -> bool:
    """Return whether a body asks for privacy: older clients say `private`, newer `visibility`."""
    if call.body.get("visibility") is not None:
        said = call.text("visibility")
        if said not in ("public", "private", "protected"):
            raise Problem(400, '"visibility" must be public, private or protected')
        return said != "public"
    return default if call.body.get("private") is None else call.flag("private")


@routes.post("/api/repos/create")
def create(call: Call) -> Answer:
    """Make a repository with a first commit."""
    kind, name = kind_of(call), call.text("name", largest=200)
    organization = call.optional_text("organization")
    if organization is None and "/" in name:
        organization, _, name = name.partition("/")
    with call.hub.database.writing() as db:
        owner = the_namespace(db, call.caller, organization)
        private = _private(call, owner.private_by_default)
        repo = _new(db, call, kind, owner, name, private)
        first_commit(db, call, repo)
    call.hub.announce(
        {"kind": "repo", "action": "create", "repo_id": repo.id, "repo": told_repo(repo)}
    )
    return Answer({"url": call.url(repo.path), "name": repo.id_, "id": str(repo.id)})


def _new(db: Connection, call: Call, kind: str, owner: Account, name: str, private: bool) -> Repo:
    """Return a new repository; the 409 for one there is says where, as `exist_ok` needs it."""
    try:
        return create_repo(db, kind, owner, name, call.user_id, private)
    except Problem as problem:
        if problem.status == 409:
            there = the_repo(db, call.caller, kind, owner.name, name)
            problem.body = {"url": call.url(there.path), "name": there.id_, "id": there.id_}
        raise


def first_commit(db: Connection, call: Call, repo: Repo) -> None:
    """Commit what a new repository starts with: which files git keeps apart, a space's card."""
    files = {".gitattributes": default_attributes(repo.kind)}
    if repo.kind == "space":
        sdk = call.body.get("sdk")
        if sdk not in SDKS:
            raise Problem(400, f'"sdk" must be one of {", ".join(SDKS)}')
        files["README.md"] = f"---\ntitle: {repo.name}\nsdk: {sdk}\n---\n".encode()
    changes = []
    for path, content in files.items():
        received, oid = call.hub.objects.receive_bytes(content), object_id("blob", content)
        add_small(db, call.hub.objects, [(received, oid, False)])
        changes.append(Change(path, "add", oid))
    commit(db, call.hub.objects, repo, MAIN, changes, Wording(call.caller.name, "initial commit"))


@routes.delete("/api/repos/delete", takes="json")
def delete(call: Call) -> Answer:
    """Remove a repository."""
    kind, name = kind_of(call), call.text("name", largest=200)
    organization = call.optional_text("organization") or call.caller.name
    if "/" in name:
        organization, _, name = name.partition("/")
    with call.hub.database.writing() as db:
        try:
            repo = the_repo(db, call.caller, kind, organization, name, "write")
        except Moved as moved:  # nobody means what is called otherwise by now
            raise no_repository(known_caller=True) from moved
        delete_repo(db, repo)
    call.hub.announce(
        {"kind": "repo", "action": "delete", "repo_id": repo.id, "repo": told_repo(repo)}
    )
    return Answer("OK")


@routes.post("/api/repos/move")
def move(call: Call) -> Answer:
    """Give a repository another name or owner; the old address leads to the new one."""
    kind = kind_of(call)
    source = call.text("fromRepo", largest=200)
    target, _, new = call.text("toRepo", largest=200).partition("/")
    with call.hub.database.writing() as db:
        repo = repo_named(db, call.caller, kind, source, "write")
        owner = the_namespace(db, call.caller, target)
        check_quota(db, owner.id, contents_of(db, repo.id))
        move_repo(db, repo, owner, new)
        moved = repo_by_id(db, repo.id)
    call.hub.announce(
        {"kind": "repo", "action": "move", "repo_id": repo.id, "repo": told_repo(moved)}
    )
    return Answer("OK")


@routes.put("/api/{kind:kind}/{owner}/{name}/settings")
def settings(call: Call) -> dict[str, Any]:
    """Open or close a repository: private or not, gated or not."""
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        values: dict[str, Any] = {"private": _private(call, repo.private)}
        if "gated" in call.body:
            gated = call.body["gated"]
            if gated not in (False, "auto", "manual"):
                raise Problem(400, '"gated" must be false, "auto" or "manual"')
            values["gated"] = gated or None
        db.execute(update(repos).where(repos.c.id == repo.id).values(**values))
    call.hub.announce(
        {"kind": "repo", "action": "update", "repo_id": repo.id, "repo": told_repo(repo)}
    )
    visibility = "private" if values["private"] else "public"
    return {
        "private": values["private"],
        "visibility": visibility,
        "gated": values.get("gated", repo.gated) or False,
    }


@routes.post("/api/{kind:kind}/{owner}/{name}/duplicate")
def duplicate(call: Call) -> dict[str, Any]:
    """Copy a repository's latest files to a new one of the caller's."""
    target, _, new = call.text("repository", largest=200).rpartition("/")
    with call.hub.database.writing() as db:
        source = call.repo(db)
        check_content(db, call.caller, source)
        if source.upstream:
            told = f"{source.id_} is a mirror of {source.upstream}, of which not all need be here"
            raise Problem(403, f"{told}: download it, and upload it under your own name")
        owner = the_namespace(db, call.caller, target or None)
        private = _private(call, source.private or owner.private_by_default)
        repo = _new(db, call, source.kind, owner, new, private)
        files = all_files(db, resolve(db, source).tree)
        check_quota(db, owner.id, {file.sha256: file.size for file in files})
        for sha256 in {file.sha256 for file in files if file.large}:
            note_pushed(db, repo, sha256)
        changes = [Change(file.path, "add", file.oid) for file in files]
        wording = Wording(call.caller.name, f"Duplicate from {source.id_}")
        commit(db, call.hub.objects, repo, MAIN, changes, wording)
    call.hub.announce(
        {"kind": "repo", "action": "create", "repo_id": repo.id, "repo": told_repo(repo)}
    )
    return {"url": call.url(repo.path), "filesCopyPending": False}


@routes.get(
    "/api/{kind:kind}/{owner}/{name}/auth-check",
    "/api/{kind:kind}/{owner}/{name}/auth-check/{deed}",
)
def auth_check(call: Call) -> Answer:
    """Say whether the caller may read the files, or write them."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        check_content(db, call.caller, repo)
        if call.params.get("deed") == "write" and not may_write(db, call.caller, repo):
            raise not_allowed(f"change {repo.id_}")
    return Answer("OK")


@routes.put("/api/organizations/{owner}/settings/repositories", "/api/settings/repositories")
def default_visibility(call: Call) -> dict[str, Any]:
    """Set whether new repositories of a namespace are private unless said otherwise."""
    private = call.text("defaultRepoVisibility", "public") != "public"
    with call.hub.database.writing() as db:
        owner = the_namespace(db, call.caller, call.params.get("owner"))
        the_admin_of(db, call.caller, owner)
        row = accounts.c.id == owner.id
        db.execute(update(accounts).where(row).values(private_by_default=private))
    return {"defaultRepoVisibility": "private" if private else "public"}
