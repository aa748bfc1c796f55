"""Lists of repositories: searched, narrowed by what they are, a page at a time."""

from __future__ import annotations

from dataclasses import replace

from ...registry.domains import STATED
from ..facets import facets_of
from ..finding import Wanted, find_repos
from ..routing import Answer, Call, Routes
from .listed import line_of
from .rendering import page

routes = Routes()
PAGE = 30
SORTS = {
    "downloads": "Most used",
    "lastModified": "Changed last",
    "createdAt": "Newest",
    "likes": "Most liked",
}
NARROWING = ("search", "task", "domain", "library", "author", "base", "licence", "tag")
TITLES = {"model": "Models", "dataset": "Data sets", "space": "Spaces", "kernel": "Kernels"}
LONGEST = 200


@routes.get("/{kind:kind}", query=(*NARROWING, "sort", "p"), look="page")
def listing(call: Call) -> Answer:
    """Show the repositories that fit, best first, with how many there are of each sort."""
    kind = call.params["kind"]
    values = {name: call.query.get(name, "").strip()[:LONGEST] for name in NARROWING}
    sort = call.query.get("sort", "")
    wanted = _wanted(kind, values, sort if sort in SORTS else "downloads")
    with call.hub.database.reading() as db:
        after = call.query.get("p") or None
        found, following = find_repos(db, call.caller, replace(wanted, after=after), PAGE)
    return page(
        call,
        "list.html.jinja",
        kind=kind,
        title=TITLES[kind],
        lines=[line_of(repo) for repo in found],
        facets=facets_of(call.hub.database, call.caller, wanted),
        values=values,
        chosen={name: value for name, value in values.items() if value and name != "search"},
        sort=wanted.sort,
        sorts=SORTS,
        further=after is not None,
        following=following,
        search=values["search"],
    )


def _wanted(kind: str, values: dict[str, str], sort: str) -> Wanted:
    prefixes = {"domain": STATED, "library": "", "base": "base_model:", "licence": "license:"}
    tags = [f"{prefix}{values[name]}" for name, prefix in prefixes.items() if values[name]]
    return Wanted(
        kind,
        search=(values["search"],) if values["search"] else (),
        tags=(*tags, *([values["tag"]] if values["tag"] else [])),
        author=values["author"] or None,
        task=values["task"] or None,
        sort=sort,
    )
