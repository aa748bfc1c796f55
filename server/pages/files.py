"""The files of a revision: folders with sizes, and texts to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..access import check_content
from ..ages import last_commits
from ..git import Node
from ..mirrors import is_here
from ..problem import no_entry
from ..refs import Commit, all_refs, resolve
from ..repos import Repo
from ..routing import Answer, Call, Routes
from ..trees import File, files_of, node_at, walk
from .listed import line_of
from .rendering import page

routes = Routes()
PAGE = 200
LONGEST = 200_000  # bytes of a text that is shown


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder of a list, and the commit that changed it last."""

    path: str
    file: File | None
    changed: Commit

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@routes.get(
    "/{kind:kind}/{owner}/{name}/tree/{revision}",
    "/{owner:account}/{name}/tree/{revision}",
    "/{kind:kind}/{owner}/{name}/tree/{revision}/{path:path}",
    "/{owner:account}/{name}/tree/{revision}/{path:path}",
    "/{kind:kind}/{owner}/{name}/blob/{revision}/{path:path}",
    "/{owner:account}/{name}/blob/{revision}/{path:path}",
    query=("start",),
    look="page",
)
def tree(call: Call) -> Answer:
    """Show a folder's files, or a file."""
    path, start = call.params.get("path", "").strip("/"), call.number("start", 0, 0, 10**9)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, call.revision)
        node = node_at(db, commit.tree, path)
        if node is None:
            raise no_entry(path, call.revision)
        names = _names(db, repo)
        if not node.is_folder:
            check_content(db, call.caller, repo)
            file = files_of(db, [(path, node)])[0]
            has_come = is_here(db, call.hub.objects, repo, file)
            changed = last_commits(db, repo, commit, [path])[path]
        else:
            listed = sorted(
                walk(db, node.oid, f"{path}/" if path else "", deep=False),
                key=lambda each: (not each[1].is_folder, each[0]),
            )
            entries = _entries(db, repo, commit, listed[start : start + PAGE])
    common: dict[str, Any] = {
        "repo": repo,
        "line": line_of(repo),
        "revision": call.revision,
        "commit": commit,
        "names": names,
        "way": _way(path),
        "tab": "files",
    }
    if not node.is_folder:
        text = _text(call, file) if has_come else None
        common |= {"changed": changed, "has_come": has_come}
        return page(call, "file.html.jinja", file=file, text=text, **common)
    common |= {"entries": entries, "start": start, "total": len(listed)}
    more = start + PAGE if len(listed) > start + PAGE else None
    return page(call, "tree.html.jinja", more=more, **common)


def _entries(
    db: Connection, repo: Repo, commit: Commit, some: list[tuple[str, Node]]
) -> list[Entry]:
    files = {file.path: file for file in files_of(db, some)}
    last = last_commits(db, repo, commit, [path for path, _ in some])
    return [Entry(path, files.get(path), last[path]) for path, _ in some]


def _names(db: Connection, repo: Repo) -> list[str]:
    """Return the branches and tags that can be looked at."""
    kept = ("refs/heads/", "refs/tags/")
    found = [ref.name for ref in all_refs(db, repo) if ref.name.startswith(kept)]
    return [name.split("/", 2)[2] for name in found][:50]


def _way(path: str) -> list[tuple[str, str]]:
    """Return each part of a path with the path up to it."""
    names = path.split("/") if path else []
    return [(name, "/".join(names[: number + 1])) for number, name in enumerate(names)]


def _text(call: Call, file: File) -> str | None:
    """Return the text of a file, None for one that is too large or that is no text."""
    if file.size > LONGEST:
        return None
    content = call.hub.objects.read(file.sha256)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
