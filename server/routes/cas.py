"""What Xet clients ask for: a token, to send xorbs and shards, and where to read a file.

They hold on to what they believe the server has by the server's address, so that changes with the
day and with the user: xorbs need to be kept no longer, and nobody counts on another's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, select

from ..access import Deed, check_content, granted_repo
from ..commits import note_pushed
from ..contents import Received
from ..hub import TeamHub
from ..problem import Problem
from ..quotas import check_quota
from ..repos import Repo
from ..routing import Answer, Call, Routes
from ..schema import blobs, repo_blobs, repo_objects, xet_files
from ..sending import Passing
from ..shards import LARGEST_SHARD, ShardFile, rebuilt
from ..signing import sign, signed
from ..xet_hash import note_xet_hashes
from ..xorbs import LARGEST_SENT, Shown, checked_xorb

routes = Routes()
TOKEN, CONTENT = "xet token", "a repository's xet content"
RANGE = re.compile(r"bytes=([0-9]{1,20})-([0-9]{1,20})?")
PROPOSED = re.compile(r"None|refs/pr/[0-9]+")
DAY = 24 * 3600


class Grant(NamedTuple):
    """What a token allows, and to whom."""

    user_id: int | None
    repo_id: int
    deed: Deed  # to discuss is to send what a pull request will have


@routes.get("/api/{kind:kind}/{owner}/{name}/xet-write-token/{revision}", private=True)
def write_token(call: Call) -> Answer:
    """Return a token to send files for a repository, or for a pull request to it."""
    proposed = call.query.get("create_pr") == "1" or PROPOSED.fullmatch(call.revision)
    deed: Deed = "discuss" if proposed else "write"
    with call.hub.database.reading() as db:
        repo = call.repo(db, deed)
    return _token(call, repo, deed)


@routes.get("/api/{kind:kind}/{owner}/{name}/xet-read-token/{revision}")
def read_token(call: Call) -> Answer:
    """Return a token to read a repository's files."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        check_content(db, call.caller, repo)
    return _token(call, repo, "read")


def _token(call: Call, repo: Repo, deed: Deed) -> Answer:
    now = int(time.time())
    store = f"{call.hub.generation}-{now // DAY}-{call.caller.id or 0}"
    url = f"{call.base}/cas/{store}"
    token = sign(call.hub, TOKEN, Grant(call.caller.id, repo.id, deed))
    expires = now + call.hub.policy.token_seconds
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": token,
        "X-Xet-Token-Expiration": str(expires),
    }
    return Answer({"casUrl": url, "accessToken": token, "exp": expires}, headers=headers)


def _grant(call: Call, *, sends: bool = False) -> Grant:
    """Return what the call's token allows; raises Problem unless that is enough."""
    kind, _, token = call.headers.get("authorization", "").partition(" ")
    try:
        grant = Grant(*signed(call.hub, TOKEN, token, call.hub.policy.token_seconds))
    except Problem as error:
        raise Problem(401, "The Xet token is missing, wrong or old") from error
    if kind.casefold() != "bearer" or (sends and grant.deed == "read"):
        raise Problem(403, "The Xet token does not allow this")
    return grant


def _repo(db: Connection, grant: Grant) -> Repo:
    """Return the repository that a token is for, if its user may still do so much with it."""
    return granted_repo(db, grant.user_id, grant.repo_id, grant.deed)


def _sending(call: Call) -> Grant:
    """Return what the token allows of somebody who may still send files; raises Problem."""
    grant = _grant(call, sends=True)
    with call.hub.database.reading() as db:
        _repo(db, grant)
    return grant


def admit_xorb(call: Call) -> int:
    """Return how large a xorb may be, for somebody with a token to send some."""
    _sending(call)
    return LARGEST_SENT


def admit_shard(call: Call) -> int:
    """Return how large a shard may be, for somebody with a token to send some."""
    _sending(call)
    return LARGEST_SHARD


@routes.post("/cas/{store}/v1/xorbs/default/{hash}", private=False, admission=admit_xorb)
def send_xorb(call: Call) -> dict[str, bool]:
    """Keep a xorb for a day, for the user who sent it."""
    grant = _grant(call, sends=True)
    received = call.received
    assert received is not None, "the route takes a file"
    if checked_xorb(received.path) != call.params["hash"]:
        raise Problem(400, "This is another xorb than its address says")
    place = call.hub.xorbs / str(grant.user_id) / call.params["hash"]
    known = place.exists()
    place.parent.mkdir(exist_ok=True)
    received.path.replace(place)
    return {"was_inserted": not known}


@routes.post("/cas/{store}/v1/shards", private=False, admission=admit_shard)
def send_shard(call: Call) -> dict[str, int]:
    """Take the files of a shard into the store, made of the xorbs that their sender sent."""
    grant = _grant(call, sends=True)
    assert call.received is not None, "the route takes a file"
    hub, path = call.hub, call.received.path
    mine = hub.xorbs / str(grant.user_id)
    with rebuilt(hub.objects, path, mine, hub.policy.largest_file) as files:
        hub.objects.carry(received for _, received in files)
        _keep(hub, grant, files)
    return {"result": 1}


def _keep(hub: TeamHub, grant: Grant, files: Sequence[tuple[ShardFile, Received]]) -> None:
    with hub.database.writing() as db:
        repo = _repo(db, grant)
        check_quota(db, repo.owner_id, {file.sha256: file.size for file, _ in files})
        hub.objects.keep(db, (received for _, received in files))
        for file, _ in files:
            note_pushed(db, repo, file.sha256)
        note_xet_hashes(db, ((file.sha256, file.hash, file.size) for file, _ in files))


@routes.get("/cas/{store}/v1/chunks/default/{hash}")
@routes.get("/cas/{store}/v2/reconstructions/{hash}")
@routes.post("/cas/{store}/v1/xorb-grants/{rest:path}", takes="nothing", private=False)
@routes.post("/cas/{store}/v2/shards", private=False, admission=admit_shard)
def not_spoken(call: Call) -> None:
    """Say that there is no such thing here, on which clients do without it."""
    raise Problem(404, "This hub does without")


@routes.get("/cas/{store}/v1/reconstructions/{hash}")
def reconstruction(call: Call) -> dict[str, Any]:
    """Return where a file's chunks are to be had."""
    grant = _grant(call)
    with call.hub.database.reading() as db:
        repo = _repo(db, grant)
        shown = _shown(db, repo, call.params["hash"])
    start, end = _range(call, shown.size)
    right = [grant.user_id, repo.id, shown.sha256, shown.size]
    text = sign(call.hub, CONTENT, right)
    return shown.plan(start, end, f"{call.base}/cas/{call.params['store']}/v1/contents/{text}")


@routes.get("/cas/{store}/v1/contents/{signed}")
def content(call: Call) -> Passing:
    """Return some chunks of a file; 403 makes a client ask for the address anew."""
    seconds = call.hub.policy.token_seconds
    right = signed(call.hub, CONTENT, call.params["signed"], seconds)
    user_id, repo_id, sha256, size = right
    with call.hub.database.reading() as db:
        granted_repo(db, user_id, repo_id)
    shown = Shown(sha256, size)
    start, end = _range(call, shown.length)
    parts = shown.read(call.hub.objects, start, end)
    try:
        first = next(parts)
    except FileNotFoundError as error:
        raise Problem(404, "This content is gone") from error
    headers = {
        "Content-Length": str(end - start),
        "Content-Range": f"bytes {start}-{end - 1}/{shown.length}",
        "Content-Type": "application/octet-stream",
    }
    return Passing(chain([first], parts), parts.close, 206, headers)


def _shown(db: Connection, repo: Repo, hash_: str) -> Shown:
    """Return a file by its Xet hash, if the repository has it."""
    same = repo_objects.c.sha256 == xet_files.c.sha256
    pushed = exists().where(same, repo_objects.c.repo_id == repo.id)
    has = repo_blobs.join(blobs, blobs.c.oid == repo_blobs.c.oid)
    same = blobs.c.sha256 == xet_files.c.sha256
    committed = exists().select_from(has).where(same, repo_blobs.c.repo_id == repo.id)
    chosen = select(xet_files.c.sha256, xet_files.c.size).where(xet_files.c.hash == hash_)
    row = db.execute(chosen.where(pushed | committed)).first()
    if row is None:
        raise Problem(404, "There is no such file", "EntryNotFound")
    return Shown(row.sha256, row.size)


def _range(call: Call, size: int) -> tuple[int, int]:
    """Return the first byte asked for and the one after the last; raises Problem 416."""
    asked = RANGE.fullmatch(call.headers.get("range", "bytes=0-"))
    start = int(asked[1]) if asked else size
    end = min(int(asked[2]) + 1, size) if asked and asked[2] else size
    if start >= end:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "There are no such bytes", headers=headers)
    return start, end
