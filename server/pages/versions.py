"""The versions of a repository: commits with their tags, newest first."""

from __future__ import annotations

from ..refs import all_refs, history, resolve
from ..routing import Answer, Call, Routes
from .listed import line_of
from .rendering import page

routes = Routes()
PAGE = 50


@routes.get(
    "/{kind:kind}/{owner}/{name}/commits/{revision}",
    "/{owner:account}/{name}/commits/{revision}",
    query=("p",),
    look="page",
)
def commits(call: Call) -> Answer:
    """Show who changed what and when, up to a revision."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        start = resolve(db, repo, call.query.get("p") or call.revision)
        found = history(db, repo, start, PAGE + 1)
        refs = all_refs(db, repo)
    tagged: dict[str, list[str]] = {}
    for ref in refs:
        if ref.name.startswith("refs/tags/"):
            tagged.setdefault(ref.oid, []).append(ref.name.removeprefix("refs/tags/"))
    return page(
        call,
        "versions.html.jinja",
        repo=repo,
        line=line_of(repo),
        revision=call.revision,
        commits=found[:PAGE],
        tagged=tagged,
        following=found[PAGE].oid if len(found) > PAGE else None,
        tab="versions",
    )
