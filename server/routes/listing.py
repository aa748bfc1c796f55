"""Lists of repositories, a page at a time, and the tags they can be found by."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import func, select

from ..describing import LISTED, SHORT, SHORT_OF_DATA, Description
from ..finding import Wanted, find_repos
from ..problem import Problem
from ..refs import commit_by_oid
from ..routing import Answer, Call, Routes
from ..schema import repo_tags, repos
from .information import expanded

routes = Routes()
PAGE = 1000
SMALLER_PAGE = 200  # of what has whole cards, or takes a look at each one's files
SMALLEST_PAGE = 20  # of what has files of each one read
SHORTLY_TOLD = {*SHORT_OF_DATA, "config", "downloadsAllTime", "safetensors", "baseModels"}
QUERY = (
    "search author filter pipeline_tag gated num_parameters sort limit full cardData config expand "
    "cursor models datasets linked apps inference inference_provider"
)


@routes.get("/api/{kind:kind}", query=tuple(QUERY.split()))
def listing(call: Call) -> Answer:
    """Return the repositories that fit, best first, a page at a time."""
    kind = call.params["kind"]
    names = expanded(call, kind) or _fields(call)
    short = set(names) <= SHORTLY_TOLD
    most = SMALLEST_PAGE if "evalResults" in names else PAGE if short else SMALLER_PAGE
    limit = call.number("limit", most, 1, most)
    if any(call.query.get(name) for name in ("inference_provider", "inference", "apps")):
        return Answer([])  # no model of this hub is known to be served or to run anywhere
    with call.hub.database.reading() as db:
        found, cursor = find_repos(db, call.caller, _wanted(call, kind), limit, cards=not short)
        said = []
        for repo in found:
            tree = "siblings" in names or "evalResults" in names
            head = commit_by_oid(db, repo, repo.head) if repo.head and tree else None
            said.append(Description(db, call.hub, call.caller, repo, head, repo.facts).say(names))
    return _named(call, said, call.next_page(cursor=cursor) if cursor else {})


def _named(call: Call, said: list[dict[str, Any]], headers: dict[str, str]) -> Answer:
    """Return a page under a name that changes with it, or that it is what the client has."""
    body = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    headers |= {"ETag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in call.headers.get("if-none-match", ""):
        return Answer(status=304, headers=headers)
    return Answer(body, headers={"Content-Type": "application/json", **headers})


def _fields(call: Call) -> list[str]:
    whole = call.query.get("full", "").casefold() in ("true", "1")
    more = [name for name in ("cardData", "config") if call.query.get(name)]
    if whole and call.params["kind"] != "model":
        more.append("cardData")
    short = SHORT_OF_DATA if call.params["kind"] == "dataset" else SHORT
    return [*(LISTED if whole else short), *more]


def _wanted(call: Call, kind: str) -> Wanted:
    query = call.query
    gated = query.get("gated")
    if gated not in (None, "", "true", "false", "True", "False"):
        raise Problem(400, '"gated" must be true or false')
    tags = [tag for text in query.getlist("filter") for tag in text.split(",") if tag]
    for used in ("model", "dataset"):  # by a space
        tags += [f"{used}:{name}" for name in query.getlist(f"{used}s")]
    return Wanted(
        kind,
        search=query.getlist("search"),
        tags=tags,
        linked=query.get("linked", "").casefold() in ("true", "1"),
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
