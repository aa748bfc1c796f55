"""The first page: what is there, by domain, task and organisation; what is new, what is used."""

from __future__ import annotations

from ...registry.catalog import catalogue
from ..facets import facets_of
from ..finding import Wanted, find_repos
from ..routing import Answer, Call, Routes
from .listed import line_of
from .rendering import page

routes = Routes()
SOME = 5


@routes.get("/", look="page")
def home(call: Call) -> Answer:
    """Show what there is."""
    database, caller = call.hub.database, call.caller
    models = facets_of(database, caller, Wanted("model"))
    datasets = facets_of(database, caller, Wanted("dataset"))
    with database.reading() as db:
        used, _ = find_repos(db, caller, Wanted("model", sort="downloads"), SOME)
        new, _ = find_repos(db, caller, Wanted("model", sort="lastModified"), SOME)
    return page(
        call,
        "home.html.jinja",
        models=models,
        datasets=datasets,
        about=catalogue().domains,
        used=[line_of(repo) for repo in used if repo.downloads],
        new=[line_of(repo) for repo in new],
        base=call.base,
        anonymous=call.hub.policy.anonymous,
    )
