"""Git LFS: where large files go, what there is of them, and removing them for good.

As in https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, with the Hub's way of sending
a file in parts.
"""

from __future__ import annotations

import contextlib
import math
import re
from typing import Any

from sqlalchemy import Connection, delete, select

from ..access import check_content, granted_repo, repo_named
from ..ages import moment
from ..commits import note_pushed, pushed_size, rewrite
from ..contents import Received
from ..database import chunks
from ..lfs_parts import drop_parts, join_parts, keep_part
from ..problem import Problem
from ..quotas import check_quota
from ..refs import all_refs, commit_by_oid
from ..repos import Repo
from ..routing import Answer, Call, Routes
from ..schema import repo_objects
from ..signing import OBJECT, ObjectRight, sign, signed
from ..trees import all_files

routes = Routes()
UPLOAD = "lfs"
SHA256 = re.compile(r"[0-9a-f]{64}")
PART_SIZE = 64 << 20
IN_PARTS_FROM = 256 << 20
MOST = 1000  # files named in one request


@routes.post(
    "/{kind:kind}/{owner}/{name}/info/lfs/objects/batch",
    "/{owner}/{name}/info/lfs/objects/batch",
    private=False,
)
def batch(call: Call) -> Answer:
    """Say of each large file where it goes or comes from; what is there needs no sending."""
    operation = call.text("operation", "upload")
    asked = call.body.get("objects")
    if operation not in ("upload", "download") or not isinstance(asked, list) or len(asked) > MOST:
        raise Problem(422, f"A batch has an `operation`, and at most {MOST} `objects`")
    transfers = call.texts("transfers") or ["basic"]
    with call.hub.database.reading() as db:
        repo = call.repo(db, "discuss" if operation == "upload" else "read")
        check_content(db, call.caller, repo)
        wanted = [_asked_object(call, each) for each in asked]
        known = {sha256: pushed_size(db, repo, sha256) for sha256, _ in wanted}
        if operation == "upload":
            check_quota(db, repo.owner_id, dict(wanted))
    said, in_parts = [], False
    for sha256, size in wanted:
        entry: dict[str, Any] = {"oid": sha256, "size": size}
        if operation == "download":
            entry |= _download(call, repo, sha256, known[sha256])
        elif known[sha256] is None:
            parts = "multipart" in transfers and size > IN_PARTS_FROM
            in_parts = in_parts or parts
            entry["actions"] = _upload(call, repo, sha256, size, parts)
        said.append(entry)
    body = {
        "transfer": "multipart" if in_parts else "basic",
        "objects": said,
        "hash_algo": "sha256",
    }
    return Answer(body, headers={"Content-Type": "application/vnd.git-lfs+json"})


def _asked_object(call: Call, asked: Any) -> tuple[str, int]:
    sha256 = asked.get("oid") if isinstance(asked, dict) else None
    size = asked.get("size") if isinstance(asked, dict) else None
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise Problem(422, "each object must have a sha256 as `oid`")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Problem(422, "each object must have a `size` in bytes")
    if size > call.hub.policy.largest_file:
        raise Problem(413, f"A file may have at most {call.hub.policy.largest_file} bytes")
    return sha256, size


def _upload(call: Call, repo: Repo, sha256: str, size: int, in_parts: bool) -> dict[str, Any]:
    right = {"repo": repo.id, "user": call.user_id, "sha256": sha256, "size": size}
    seconds = call.hub.policy.token_seconds
    if in_parts:
        count = math.ceil(size / PART_SIZE)
        right["parts"] = count
        address = call.url(f"lfs/parts/{sign(call.hub, UPLOAD, right)}")
        header = {str(n): f"{address}/{n}" for n in range(1, count + 1)}
        upload = {"href": address, "header": {"chunk_size": str(PART_SIZE), **header}}
    else:
        upload = {"href": call.url(f"lfs/whole/{sign(call.hub, UPLOAD, right)}")}
    verify = call.url(f"lfs/verify/{sign(call.hub, UPLOAD, right)}")
    return {
        "upload": {**upload, "expires_in": seconds},
        "verify": {"href": verify, "expires_in": seconds},
    }


def _download(call: Call, repo: Repo, sha256: str, size: int | None) -> dict[str, Any]:
    if size is None:
        return {"error": {"code": 404, "message": "Object not found"}}
    right = ObjectRight(call.caller.id, repo.id, sha256, sha256, {})
    return {"actions": {"download": {"href": call.url(f"objects/{sign(call.hub, OBJECT, right)}")}}}


def _right(call: Call) -> dict[str, Any]:
    seconds = call.hub.policy.token_seconds
    found: dict[str, Any] = signed(call.hub, UPLOAD, call.params["signature"], seconds)
    return found


def _repo(db: Connection, right: dict[str, Any]) -> Repo:
    """Return the repository that an upload is for, if its user may still send it something."""
    return granted_repo(db, right["user"], right["repo"], "discuss")


def _take(call: Call, right: dict[str, Any], received: Received) -> None:
    """Put a content in the store as given to a repository."""
    if (received.sha256, received.size) != (right["sha256"], right["size"]):
        raise Problem(400, f"What came is {received.sha256}, not {right['sha256']}")
    call.hub.objects.carry([received])
    with call.hub.database.writing() as db:
        repo = _repo(db, right)
        check_quota(db, repo.owner_id, {received.sha256: received.size})
        call.hub.objects.keep(db, [received])
        note_pushed(db, repo, received.sha256)


def admit_whole(call: Call) -> int:
    """Return how many bytes the address was signed for."""
    right = _right(call)
    with call.hub.database.reading() as db:
        _repo(db, right)
    return int(right["size"])


def admit_part(call: Call) -> int:
    """Return how many bytes a part may have, if there is one of that number."""
    right, number = _right(call), call.params["number"]
    if not number.isdecimal() or not 1 <= int(number) <= right.get("parts", 0):
        raise Problem(400, f"There is no part {number[:20]}")
    with call.hub.database.reading() as db:
        _repo(db, right)
    return PART_SIZE


@routes.put("/lfs/whole/{signature}", private=False, admission=admit_whole)
def put_whole(call: Call) -> Answer:
    """Take in a large file."""
    assert call.received is not None, "the route takes a file"
    _take(call, _right(call), call.received)
    return Answer()


@routes.put("/lfs/parts/{signature}/{number}", private=False, admission=admit_part)
def put_part(call: Call) -> Answer:
    """Take in a part of a large file."""
    right, number = _right(call), call.params["number"]
    assert call.received is not None, "the route takes a file"
    keep_part(call.hub, right["user"], right["sha256"], int(number), call.received)
    return Answer(headers={"ETag": f'"{call.received.sha256}"'})


@routes.post("/lfs/parts/{signature}", private=False)
def complete(call: Call) -> Answer:
    """Put the parts of a large file together."""
    right = _right(call)
    with call.hub.database.reading() as db:
        _repo(db, right)
    whole = join_parts(
        call.hub, right["user"], right["sha256"], right["size"], right.get("parts", 0)
    )
    try:
        _take(call, right, whole)
    finally:
        with contextlib.suppress(OSError):
            whole.path.unlink(missing_ok=True)
    drop_parts(call.hub, right["user"], right["sha256"])
    return Answer({})


@routes.post("/lfs/verify/{signature}", private=False)
def verify(call: Call) -> Answer:
    """Say whether a large file has come in whole."""
    right = _right(call)
    with call.hub.database.reading() as db:
        there = pushed_size(db, _repo(db, right), right["sha256"])
    if there != right["size"]:
        raise Problem(404, "Object not found")
    return Answer({})


@routes.get("/api/{kind:kind}/{owner}/{name}/lfs-files")
def lfs_files(call: Call) -> list[dict[str, Any]]:
    """Return the large files of all branches and tags, once each."""
    with call.hub.database.reading() as db:
        repo = call.repo(db, "write")
        pushed = dict(
            db.execute(
                select(repo_objects.c.sha256, repo_objects.c.pushed).where(
                    repo_objects.c.repo_id == repo.id
                )
            ).all()
        )
        found: dict[str, dict[str, Any]] = {}
        for ref, oid, _ in sorted(
            all_refs(db, repo), key=lambda each: each[0] != "refs/heads/main"
        ):
            commit = commit_by_oid(db, repo, oid)
            for file in all_files(db, commit.tree) if commit else ():
                if file.large and file.sha256 not in found:
                    found[file.sha256] = {
                        "fileOid": file.sha256,
                        "filename": file.path,
                        "oid": file.sha256,
                        "pushedAt": moment(pushed.get(file.sha256, repo.created)),
                        "ref": ref,
                        "size": file.size,
                    }
    return list(found.values())


@routes.post("/api/{kind:kind}/{owner}/{name}/lfs-files/batch")
def delete_lfs_files(call: Call) -> Answer:
    """Remove large files for good: from the branches, and unless said otherwise from history."""
    deletions = call.body.get("deletions")
    asked = deletions.get("sha") if isinstance(deletions, dict) else None
    if (
        not isinstance(asked, list)
        or len(asked) > MOST
        or not all(isinstance(each, str) for each in asked)
    ):
        raise Problem(400, f'"deletions" must have a list "sha" of at most {MOST}')
    if not deletions.get("rewriteHistory", True):
        raise Problem(400, "This hub leaves no pointers to nothing: let it rewrite the history too")
    with call.hub.database.writing() as db:
        repo = call.repo(db, "write")
        rewrite(db, call.hub.objects, repo, set(asked))
        for some in chunks(asked):
            mine = (repo_objects.c.repo_id == repo.id) & repo_objects.c.sha256.in_(some)
            db.execute(delete(repo_objects).where(mine))
    return Answer("OK")


@routes.post("/api/{kind:kind}/{owner}/{name}/lfs-files/duplicate")
def duplicate_lfs_files(call: Call) -> dict[str, Any]:
    """Give another repository large files of this one, so that it may commit them unsent."""
    target, files = call.body.get("target"), call.body.get("files")
    if not isinstance(target, dict) or not isinstance(files, list) or len(files) > MOST:
        raise Problem(400, f'there must be a "target", and at most {MOST} "files"')
    kind, name = str(target.get("type", "model")), str(target.get("name", ""))
    failed, done = [], []
    with call.hub.database.writing() as db:
        source = call.repo(db)
        check_content(db, call.caller, source)
        goal = repo_named(db, call.caller, kind, name, "write")
        for each in files:
            sha256 = str(each.get("sha256", "")) if isinstance(each, dict) else ""
            size = pushed_size(db, source, sha256)
            if size is None:
                failed.append({"sha256": sha256, "error": "not a file of the source"})
                continue
            check_quota(db, goal.owner_id, {sha256: size})
            note_pushed(db, goal, sha256)
            call.hub.objects.touch(db, [sha256])
            done.append({"sha256": sha256})
    return {"success": done, "failed": failed}
