"""Files of a revision: their content, and what the tree says of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from ..access import check_content
from ..ages import last_commits, moment
from ..facts import safetensors_header
from ..git import Node
from ..problem import Problem, no_entry
from ..refs import Commit, resolve
from ..repos import Repo
from ..routing import Answer, Call, FileAnswer, Routes
from ..signing import DOWNLOAD_SECONDS, sign, signed
from ..trees import File, file_at, files_of, node_at, walk
from ..xet_hash import xet_hash_of

routes = Routes()
PAGE, EXPANDED_PAGE = 1000, 50
OBJECTS = "object"


@routes.get(
    "/{kind:kind}/{owner}/{name}/resolve/{revision}/{path:path}",
    "/{owner}/{name}/resolve/{revision}/{path:path}",
    query=("download",),
)
def content(call: Call) -> Any:
    """Return a file's content; a large one by a redirect to an address that is signed."""
    revision, path = _revision_and_path(call)
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, revision)
        known = {"X-Repo-Commit": commit.oid}
        check_content(db, call.caller, repo)
        file = file_at(db, commit.tree, path)
        if file is None:
            problem = no_entry(path, revision)
            problem.headers |= known
            raise problem
        xet = xet_hash_of(db, [file.sha256]).get(file.sha256) if file.large else None
    if call.method == "GET":
        call.hub.announce({"kind": "download", "repo_id": repo.id})
    if not file.large:
        return _file(call, file.sha256, file.etag, file.path, {**known, **_no_sniffing()})
    linked = {**known, "X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    if xet:
        route = f"{call.base}/api/{repo.kind}s/{repo.id_}/xet-read-token/{commit.oid}"
        linked |= {"X-Xet-Hash": xet, "Link": f'<{route}>; rel="xet-auth"'}
    right = {"sha256": file.sha256, "path": file.path, "headers": linked}
    location = call.url(f"objects/{sign(call.hub, OBJECTS, right)}")
    return Answer(status=302, headers={**linked, "Location": location})


@routes.get("/objects/{signature}")
def signed_content(call: Call) -> FileAnswer:
    """Return a large file's content by its signed address."""
    right = signed(call.hub, OBJECTS, call.params["signature"], DOWNLOAD_SECONDS)
    return _file(
        call,
        right["sha256"],
        right["sha256"],
        right["path"],
        {**right["headers"], **_no_sniffing()},
    )


def _no_sniffing() -> dict[str, str]:
    # A card or a page that somebody uploaded is never shown as a page of this hub.
    return {"Content-Security-Policy": "default-src 'none'; sandbox", "Accept-Ranges": "bytes"}


def _file(call: Call, sha256: str, etag: str, path: str, headers: dict[str, str]) -> FileAnswer:
    place = call.hub.objects.path(sha256)
    if not place.is_file():
        raise Problem(410, f"The content of {path} has been deleted from this hub", "EntryNotFound")
    return FileAnswer(place, path.rpartition("/")[2], etag, headers)


def _revision_and_path(call: Call) -> tuple[str, str]:
    """Return revision and path; `refs/pr/1` may stand there unquoted."""
    revision, path = call.revision, call.params["path"]
    if revision == "refs":
        kind, _, rest = path.partition("/")
        name, _, path = rest.partition("/")
        revision = f"refs/{kind}/{name}"
    return revision, path


@routes.get(
    "/api/{kind:kind}/{owner}/{name}/tree/{revision}",
    "/api/{kind:kind}/{owner}/{name}/tree/{revision}/{path:path}",
    query=("recursive", "expand", "limit", "cursor"),
)
def tree(call: Call) -> Answer:
    """Return the files and folders below a path, a page at a time."""
    expand = call.query.get("expand", "").casefold() in ("true", "1")
    deep = call.query.get("recursive", "").casefold() in ("true", "1")
    most = EXPANDED_PAGE if expand else PAGE
    limit, skip = call.number("limit", most, 1, most), call.number("cursor", 0, 0, 10**9)
    path = call.params.get("path", "").strip("/")
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, call.revision)
        start = node_at(db, commit.tree, path)
        if start is None or not start.is_folder:
            raise no_entry(path, call.revision)
        listed = list(walk(db, start.oid, f"{path}/" if path else "", deep=deep))
        page = listed[skip : skip + limit]
        entries = entries_json(db, repo, commit, page, expand)
    if len(listed) <= skip + limit:
        return Answer(entries)
    return Answer(entries, headers=next_page(call, cursor=str(skip + limit)))


def next_page(call: Call, **changes: str) -> dict[str, str]:
    """Return the header that leads to the next page, by a whole address, as clients need it."""
    kept = [(key, value) for key, value in call.query.multi_items() if key not in changes]
    query = "&".join(f"{quote(k)}={quote(v)}" for k, v in [*kept, *changes.items()])
    return {"Link": f'<{call.base}{call.path}?{query}>; rel="next"'}


@routes.post("/api/{kind:kind}/{owner}/{name}/paths-info/{revision}", takes="form", private=False)
def paths_info(call: Call) -> list[dict[str, Any]]:
    """Return what is known of these paths; those that aren't there are left out."""
    paths = [str(path) for path in call.body.getlist("paths")]
    if len(paths) > PAGE:
        raise Problem(413, f"At most {PAGE} paths at once")
    expand = str(call.body.get("expand", "")).casefold() in ("true", "1")
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, call.revision)
        found = []
        for path in dict.fromkeys(path.strip("/") for path in paths):
            node = node_at(db, commit.tree, path) if path else None
            if node:
                found.append((path, node))
        return entries_json(db, repo, commit, found, expand)


def entries_json(
    db: Connection, repo: Repo, commit: Commit, found: list[tuple[str, Node]], expand: bool
) -> list[dict[str, Any]]:
    """Return what the Hub says of files and folders; with `expand`, also who touched them last."""
    files = {file.path: file for file in files_of(db, found)}
    xet = xet_hash_of(db, [file.sha256 for file in files.values() if file.large])
    last = last_commits(db, repo, commit, [path for path, _ in found]) if expand else {}
    listed = []
    for path, node in found:
        entry = _folder_json(path, node) if node.is_folder else file_json(files[path], xet)
        if expand:
            touched = last[path]
            entry["lastCommit"] = {
                "id": touched.oid,
                "title": touched.title,
                "date": moment(touched.created),
            }
            if not node.is_folder:
                entry["securityFileStatus"] = security_json(files[path])
        listed.append(entry)
    return listed


def _folder_json(path: str, node: Node) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": node.oid, "size": 0}


def file_json(file: File, xet: dict[str, str]) -> dict[str, Any]:
    """Return what the tree says of a file."""
    entry: dict[str, Any] = {"type": "file", "path": file.path, "oid": file.oid, "size": file.size}
    if file.lfs:
        entry["lfs"] = file.lfs
    if file.large and file.sha256 in xet:
        entry["xetHash"] = xet[file.sha256]
    return entry


def security_json(file: File) -> dict[str, Any]:
    """Return what is known of the danger of a file: whether loading it can run code."""
    status = "unsafe" if file.unsafe else "safe"
    return {"status": status, "avScan": None, "pickleImportScan": None}


@routes.get("/api/models/{owner}/{name}/safetensors-metadata/{path:path}")
def safetensors_metadata(call: Call) -> dict[str, Any]:
    """Return the header of a safetensors file of the latest revision."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, call.query.get("revision", "main"))
        check_content(db, call.caller, repo)
        path = call.params["path"]
        file = file_at(db, commit.tree, path)
        if file is None:
            raise no_entry(path, "main")
    header = safetensors_header(call.hub.objects, file.sha256)
    if not header:
        raise Problem(400, f"{path} is no safetensors file")
    return {"index": {"metadata": header.get("__metadata__", {})}, "headers": {path: header}}
