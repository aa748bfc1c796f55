"""The page of an organisation or a user: what they have, and who belongs to it."""

from __future__ import annotations

from ..access import role_in
from ..accounts import find, members_of, organisations_of
from ..facets import facets_of
from ..finding import Wanted, find_repos
from ..problem import Problem
from ..routing import Answer, Call, Routes
from .listed import line_of
from .rendering import page

routes = Routes()
SOME = 20


@routes.get("/{owner:account}", look="page")
def account(call: Call) -> Answer:
    """Show what an organisation or a user has."""
    with call.hub.database.reading() as db:
        found = find(db, call.params["owner"])
        if found is None:
            raise Problem(404, "There is no organisation and no user of that name")
        kinds = {}
        for kind in ("model", "dataset", "space", "kernel"):
            wanted = Wanted(kind, author=found.name, sort="lastModified")
            kinds[kind], more = find_repos(db, call.caller, wanted, SOME)
        role = role_in(db, call.caller, found.id)
        members = members_of(db, found.id) if found.kind == "org" else []
        orgs = organisations_of(db, found.id) if found.kind == "user" else []
    return page(
        call,
        "account.html.jinja",
        account=found,
        lines={kind: [line_of(repo) for repo in some] for kind, some in kinds.items() if some},
        facets=facets_of(call.hub.database, call.caller, Wanted("model", author=found.name)),
        members=members,
        inside=role is not None,
        orgs=orgs,
    )
