"""Files of a revision: their content, and what the tree says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from ..access import check_content, granted_repo
from ..ages import last_commits, moment
from ..facts import LARGEST_HEADER, safetensors_header
from ..git import Node
from ..mirrors import is_here, lacking
from ..problem import Problem, no_entry
from ..refs import Commit, resolve
from ..repos import Repo
from ..routing import Answer, Call, Routes, of_revision
from ..sending import download
from ..signing import DOWNLOAD_SECONDS, OBJECT, ObjectRight, sign, signed
from ..trees import File, file_at, files_of, node_at, walk
from ..xet_hash import xet_hash_of

routes = Routes()
PAGE, EXPANDED_PAGE = 1000, 50
MOST_HEADERS = 4 * LARGEST_HEADER  # bytes of one answer


def _of_file(call: Call) -> tuple[str, str | None]:
    revision, path = call.revision_and_path
    return revision, path if call.method == "GET" else None


@routes.get(
    "/{kind:kind}/{owner}/{name}/resolve/{revision}/{path:path}",
    "/{owner}/{name}/resolve/{revision}/{path:path}",
    query=("download",),
    about=_of_file,
    look="file",
)
def content(call: Call) -> Any:
    """Return a file's content; a large one of our own by a redirect to an address that is signed.

    Of a mirror's file, all but the content is told before that has come.
    """
    revision, path = call.revision_and_path
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
        here = is_here(db, call.hub.objects, repo, file)
    if call.method == "HEAD" and not here:
        return _told(file, known)
    if not here:
        raise lacking(repo, file)
    if call.method == "GET" and call.headers.get("sec-fetch-dest") != "image":  # of a card
        call.hub.announce({"kind": "download", "repo_id": repo.id})
    if not file.large or repo.upstream:
        return _file(call, file.sha256, file.etag, file.path, {**known, **_no_sniffing()})
    linked = {**known, "X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    if xet:
        route = f"{call.base}/api/{repo.kind}s/{repo.id_}/xet-read-token/{commit.oid}"
        linked |= {"X-Xet-Hash": xet, "Link": f'<{route}>; rel="xet-auth"'}
    right = ObjectRight(call.caller.id, repo.id, file.sha256, file.path, linked)
    location = call.url(f"objects/{sign(call.hub, OBJECT, right)}")
    return Answer(status=302, headers={**linked, "Location": location})


def _told(file: File, known: Mapping[str, str]) -> Answer:
    """Return the headers that a file will have once its content is here."""
    size = {"Content-Length": str(file.size), "ETag": f'"{file.etag}"'}
    return Answer(headers={**known, **size, **_no_sniffing()})


@routes.get("/objects/{signature}")
def signed_content(call: Call) -> Response:
    """Return a large file's content by its signed address, while its user may still have it."""
    read = signed(call.hub, OBJECT, call.params["signature"], DOWNLOAD_SECONDS)
    right = ObjectRight(*read)
    with call.hub.database.reading() as db:
        granted_repo(db, right.user_id, right.repo_id)
    headers = {**right.headers, **_no_sniffing()}
    return _file(call, right.sha256, right.sha256, right.path, headers)


def _no_sniffing() -> dict[str, str]:
    # A card or a page that somebody uploaded is never shown as a page of this hub.
    return {"Content-Security-Policy": "default-src 'none'; sandbox", "Accept-Ranges": "bytes"}


def _file(call: Call, sha256: str, etag: str, path: str, headers: dict[str, str]) -> Response:
    _check_there(call, sha256, path)
    told = {"ETag": f'"{etag}"', **headers}
    name, bodiless = path.rpartition("/")[2], call.method == "HEAD"
    return download(call.hub.objects, sha256, name, told, call.headers, bodiless)


def _check_there(call: Call, sha256: str, path: str) -> None:
    if not call.hub.objects.has(sha256):
        raise Problem(410, f"The content of {path} has been deleted from this hub", "EntryNotFound")


@routes.get(
    "/api/{kind:kind}/{owner}/{name}/tree/{revision}",
    "/api/{kind:kind}/{owner}/{name}/tree/{revision}/{path:path}",
    query=("recursive", "expand", "limit", "cursor"),
    about=of_revision,
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
    return Answer(entries, headers=call.next_page(cursor=str(skip + limit)))


@routes.post(
    "/api/{kind:kind}/{owner}/{name}/paths-info/{revision}",
    takes="form",
    private=False,
    about=of_revision,
)
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
    large = [file.sha256 for file in files.values() if file.large and not repo.upstream]
    xet = xet_hash_of(db, large)
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


@routes.get("/api/models/{owner}/{name}/safetensors-metadata/{path:path}", query=("revision",))
def safetensors_metadata(call: Call) -> dict[str, Any]:
    """Return the headers of the files that an index names, or of one safetensors file."""
    revision, path = call.query.get("revision", "main"), call.params["path"]
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        commit = resolve(db, repo, revision)
        check_content(db, call.caller, repo)
        index, names = None, [path]
        if path.endswith(".json"):
            index, names = _index(call, _the_file(call, db, commit, path))
        folder = f"{path.rpartition('/')[0]}/".lstrip("/") if index else ""
        files = {name: _the_file(call, db, commit, f"{folder}{name}") for name in names}
    headers = _headers(call, files)
    metadata = index.get("metadata") if index else headers[path].get("__metadata__")
    return {"index": {"metadata": metadata or {}}, "headers": headers}


def _the_file(call: Call, db: Connection, commit: Commit, path: str) -> File:
    file = file_at(db, commit.tree, path)
    if file is None:
        raise no_entry(path, commit.oid)
    _check_there(call, file.sha256, path)
    return file


def _index(call: Call, file: File) -> tuple[dict[str, Any], list[str]]:
    """Return what an index of safetensors files says, and the names of the files."""
    try:
        read = json.loads(call.hub.objects.read(file.sha256, LARGEST_HEADER))
        names = sorted(set(read["weight_map"].values()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Problem(400, f"{file.path} is no index of safetensors files") from error
    if len(names) > PAGE or not all(isinstance(name, str) for name in names):
        raise Problem(400, f"{file.path} names no files, or more than {PAGE}")
    return read, names


def _headers(call: Call, files: Mapping[str, File]) -> dict[str, dict[str, Any]]:
    store, size, found = call.hub.objects, 0, {}
    for name, file in files.items():
        size += int.from_bytes(store.read(file.sha256, 8), "little")
        found[name] = safetensors_header(store, file.sha256) if size <= MOST_HEADERS else {}
        if not found[name]:
            raise Problem(400, f"{name} is no safetensors file, or its header is too large")
    return found
