"""Who a token belongs to, and what there is to know of users and organisations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from ..access import role_in
from ..accounts import Account, find, members_of, organisations_of
from ..ages import moment
from ..describing import Description
from ..finding import repos_of, seen_by
from ..problem import Problem
from ..repos import JOINED, KINDS, Repo
from ..routing import Answer, Call, Routes
from ..schema import accounts, collections, likes, repos

routes = Routes()
PAGE = 200  # repositories, whose sizes are added up one by one


@routes.get("/api/whoami-v2", private=True)
def whoami(call: Call) -> dict[str, Any]:
    """Say whose token this is, what it may do, and which organisations they belong to."""
    caller = call.caller
    with call.hub.database.reading() as db:
        listed = organisations_of(db, call.user_id)
    access: dict[str, Any] = {"displayName": caller.token, "role": caller.role}
    if caller.role == "fineGrained":
        access["fineGrained"] = {"scoped": list(caller.scopes), "canReadGatedRepos": False}
    return {
        "type": "user",
        "id": f"{call.user_id:024x}",
        "name": caller.name,
        "fullname": caller.fullname,
        "email": None,
        "emailVerified": True,
        "canPay": False,
        "isPro": False,
        "avatarUrl": "",
        "orgs": [
            {
                "type": "org",
                "id": f"{row['org_id']:024x}",
                "name": row["name"],
                "fullname": row["fullname"],
                "avatarUrl": "",
                "canPay": False,
                "isEnterprise": False,
                "roleInOrg": row["role"],
            }
            for row in listed
        ],
        "auth": {"type": "access_token", "accessToken": access},
    }


def _the(db: Connection, call: Call, kind: str) -> Account:
    found = find(db, call.params["account"])
    if found is None or found.kind != kind:
        word = "user" if kind == "user" else "organization"
        raise Problem(404, f"This {word} does not exist")
    return found


def _counts(db: Connection, account: Account) -> dict[str, int]:
    """Return how many public things an account has."""
    mine = (repos.c.owner_id == account.id) & ~repos.c.private
    rows = db.execute(select(repos.c.kind, func.count()).where(mine).group_by(repos.c.kind))
    found = {kind: number for kind, number in rows.all()}
    said = {f"num{kind.capitalize()}s": found.get(kind, 0) for kind in KINDS}
    open_ones = (collections.c.owner_id == account.id) & ~collections.c.private
    return {
        **said,
        "numCollections": db.execute(select(func.count()).where(open_ones)).scalar_one(),
    }


def _liked(db: Connection, call: Call, user: Account) -> int:
    """Return how many repositories a user likes, of those that the caller may see."""
    joined = likes.join(JOINED, likes.c.repo_id == repos.c.id)
    counted = select(func.count()).select_from(joined)
    mine = counted.where(likes.c.user_id == user.id, seen_by(call.caller))
    return db.execute(mine).scalar_one()


@routes.get("/api/users/{account}/overview")
def user_overview(call: Call) -> dict[str, Any]:
    """Return what there is to know of a user."""
    with call.hub.database.reading() as db:
        user = _the(db, call, "user")
        created = db.execute(
            select(accounts.c.created).where(accounts.c.id == user.id)
        ).scalar_one()
        liked = _liked(db, call, user)
        orgs = organisations_of(db, user.id)
        counts = _counts(db, user)
    return {
        "user": user.name,
        "fullname": user.fullname,
        "type": "user",
        "avatarUrl": "",
        "isPro": False,
        "createdAt": moment(created),
        "numLikes": liked,
        "numFollowers": 0,
        "numFollowing": 0,
        "orgs": [
            {"name": row["name"], "fullname": row["fullname"], "avatarUrl": ""} for row in orgs
        ],
        **counts,
    }


@routes.get("/api/organizations/{account}/overview")
def organisation_overview(call: Call) -> dict[str, Any]:
    """Return what there is to know of an organisation."""
    with call.hub.database.reading() as db:
        org = _the(db, call, "org")
        number, counts = len(members_of(db, org.id)), _counts(db, org)
    return {
        "name": org.name,
        "fullname": org.fullname,
        "type": "org",
        "avatarUrl": "",
        "isVerified": False,
        "numUsers": number,
        "numFollowers": 0,
        **counts,
    }


@routes.get("/api/organizations/{account}/members")
def organisation_members(call: Call) -> list[dict[str, Any]]:
    """Return an organisation's members."""
    with call.hub.database.reading() as db:
        org = _the(db, call, "org")
        inside = role_in(db, call.caller, org.id) is not None
        listed = members_of(db, org.id)
    return [
        {
            "user": row["name"],
            "fullname": row["fullname"],
            "avatarUrl": "",
            "isPro": False,
            "type": "user",
            **({"role": row["role"]} if inside else {}),
        }
        for row in listed
    ]


@routes.get(
    "/api/organizations/{account}/followers",
    "/api/users/{account}/followers",
    "/api/users/{account}/following",
)
def followers(call: Call) -> list[dict[str, Any]]:
    """Return nobody: on this hub one follows what one's organisation does."""
    with call.hub.database.reading() as db:
        _the(db, call, "user" if "/users/" in call.path else "org")
    return []


@routes.get(
    "/api/settings/repositories",
    "/api/organizations/{account}/settings/repositories",
    private=True,
    query=("cursor",),
)
def own_repositories(call: Call) -> Answer:
    """Return a page of the repositories of a namespace the caller belongs to, with their sizes."""
    start = call.number("cursor", 0, 0, 1 << 30)
    with call.hub.database.reading() as db:
        name = call.params.get("account", call.caller.name)
        owner = find(db, name)
        if owner is None or role_in(db, call.caller, owner.id) is None:
            raise Problem(404, "This organization does not exist")
        found = repos_of(db, call.caller, owner.id, start, PAGE + 1)
        listed = [_storage_json(db, call, repo) for repo in found[:PAGE]]
    more = call.next_page(cursor=str(start + PAGE)) if len(found) > PAGE else {}
    return Answer(listed, headers=more)


def _storage_json(db: Connection, call: Call, repo: Repo) -> dict[str, Any]:
    description = Description(db, call.hub, call.caller, repo, None, repo.facts)
    return {
        "id": repo.id_,
        "type": repo.kind,
        "visibility": "private" if repo.private else "public",
        "storage": description.say(["usedStorage"])["usedStorage"],
        "updatedAt": moment(repo.modified),
        "storagePercent": 0,
    }
