"""Lists of repositories, a page at a time, and the tags they can be found by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from ..describing import LISTED, SHORT, Description
from ..finding import Wanted, find_repos
from ..problem import Problem
from ..refs import commit_by_oid
from ..routing import Answer, Call, Routes
from ..schema import repo_tags, repos
from .files import next_page
from .information import expanded

routes = Routes()
PAGE = 1000
QUERY = (
    "search author filter pipeline_tag gated num_parameters sort limit full cardData config expand "
    "cursor"
)


@routes.get("/api/{kind:kind}", query=tuple(QUERY.split()))
def listing(call: Call) -> Answer:
    """Return the repositories that fit, best first, a page at a time."""
    kind, limit = call.params["kind"], call.number("limit", PAGE, 1, PAGE)
    names = expanded(call, kind) or _fields(call)
    if call.query.get("inference_provider") or call.query.get("inference"):
        return Answer([])  # no model of this hub is served anywhere
    with call.hub.database.reading() as db:
        found, cursor = find_repos(db, call.caller, _wanted(call, kind), limit)
        said = []
        for repo in found:
            tree = "siblings" in names or "evalResults" in names
            head = commit_by_oid(db, repo, repo.head) if repo.head and tree else None
            said.append(Description(db, call.hub, call.caller, repo, head, repo.facts).say(names))
    return Answer(said, headers=next_page(call, cursor=cursor) if cursor else {})


def _fields(call: Call) -> list[str]:
    whole = call.query.get("full", "").casefold() in ("true", "1")
    more = [name for name in ("cardData", "config") if call.query.get(name)]
    if whole and call.params["kind"] != "model":
        more.append("cardData")
    return [*(LISTED if whole else SHORT), *more]


def _wanted(call: Call, kind: str) -> Wanted:
    query = call.query
    gated = query.get("gated")
    if gated not in (None, "", "true", "false", "True", "False"):
        raise Problem(400, '"gated" must be true or false')
    tags = [tag for text in query.getlist("filter") for tag in text.split(",") if tag]
    return Wanted(
        kind,
        search=query.getlist("search"),
        tags=tags[:50],
        author=query.get("author"),
        task=query.get("pipeline_tag"),
        gated=gated.casefold() == "true" if gated else None,
        parameters=query.get("num_parameters"),
        sort=query.get("sort") or "trendingScore",
        after=query.get("cursor"),
    )


@routes.get("/api/models-tags-by-type", "/api/datasets-tags-by-type")
def tags_by_type(call: Call) -> dict[str, Any]:
    """Return the tags of public repositories by what they tell of."""
    kind = "model" if "models" in call.path else "dataset"
    with call.hub.database.reading() as db:
        joined = repo_tags.join(repos, repos.c.id == repo_tags.c.repo_id)
        chosen = select(repo_tags.c.tag, func.count().label("number")).select_from(joined)
        public = (repos.c.kind == kind) & ~repos.c.private
        rows = db.execute(chosen.where(public).group_by(repo_tags.c.tag).limit(PAGE)).all()
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        prefix, colon, label = row.tag.partition(":")
        group = prefix if colon else "other"
        found.setdefault(group, []).append(
            {"id": row.tag, "label": label or row.tag, "type": group}
        )
    return found
