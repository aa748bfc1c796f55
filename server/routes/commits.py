"""Committing: which files to send how, what a card must be, and the commit itself."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from sqlalchemy import Connection

from ..access import Deed, check_content
from ..cards import read_matter
from ..commits import (
    Change,
    Wording,
    add_large,
    add_small,
    check_path,
    commit,
    pushed_size,
)
from ..contents import Received
from ..git import is_pointer, object_id
from ..pickles import is_pickle, unsafe_by_content
from ..problem import Problem, no_revision
from ..quotas import check_quota
from ..refs import branch_ref, commit_by_oid, ref_oid, resolve
from ..repos import Repo
from ..routing import Call, Routes
from ..storing import attributes_of, ignored_by, is_large, read_sample
from ..threads import check_committable, note_commit, open_pull_request
from ..trees import file_at

routes = Routes()
MOST_FILES = 25_000
LINE_SLACK = 64 * 1024
SHA256 = re.compile(r"[0-9a-f]{64}")


@routes.post("/api/validate-yaml", private=False)
def validate_yaml(call: Call) -> dict[str, Any]:
    """Say what is wrong with a card's metadata."""
    matter = check_card(call.text("content", largest=4 << 20))
    empty = {"message": "empty or missing yaml metadata in repo card"}
    return {"errors": [], "warnings": [] if matter else [empty]}


def check_card(text: str) -> dict[str, Any]:
    """Return a card's metadata; raises Problem 400 for what would hide the repository."""
    try:
        matter = read_matter(text)
    except ValueError as error:
        raise Problem(400, str(error), errors=[{"message": str(error)}], warnings=[]) from error
    wrong = [
        f'"{name}" must be {what}'
        for name, kinds, what in CARD_FIELDS
        if name in matter and matter[name] is not None and not isinstance(matter[name], kinds)
    ]
    if wrong:
        errors = [{"message": each} for each in wrong]
        raise Problem(400, "; ".join(wrong), errors=errors, warnings=[])
    return matter


CARD_FIELDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("license", (str, list), "a licence's id"),
    ("language", (str, list), "a language's code, or a list of them"),
    ("tags", (list,), "a list"),
    ("datasets", (str, list), "a data set's id, or a list of them"),
    ("pipeline_tag", (str,), "a task's name"),
    ("library_name", (str,), "a library's name"),
    ("base_model", (str, list), "a model's id, or a list of them"),
    ("model-index", (list,), "a list"),
)


def deed_of(call: Call) -> Deed:
    """Return what a commit takes: only to discuss, where it opens a pull request or adds to one."""
    opening = call.query.get("create_pr", "").casefold() in ("1", "true")
    return "discuss" if opening or call.revision.startswith("refs/pr/") else "write"


@routes.post("/api/{kind:kind}/{owner}/{name}/preupload/{revision}", query=("create_pr",))
def preupload(call: Call) -> dict[str, Any]:
    """Say of each file how it is to be sent, and what is there of it already."""
    asked = call.body.get("files")
    if not isinstance(asked, list) or len(asked) > 1000:
        raise Problem(400, '"files" must be a list of at most 1000 files')
    with call.hub.database.reading() as db:
        repo = call.repo(db, deed_of(call))
        check_content(db, call.caller, repo)
        tree = resolve(db, repo, call.revision).tree
        store = call.hub.objects
        attributes = attributes_of(db, store, tree)
        ignored = ignored_by(db, store, tree, call.optional_text("gitIgnore", 1 << 20))
        said, more = [], {}
        for each in asked:
            path, size, sample = _asked_file(each)
            large = is_large(path, size, sample, attributes, call.hub.policy.largest_regular)
            _check_pickle(call, path, sample)
            there = file_at(db, tree, path)
            oid = there.etag if there and there.large == large else None
            more[path] = 0 if there and there.size == size else size
            mode, ignore = "lfs" if large else "regular", ignored.match_file(path)
            said.append({"path": path, "uploadMode": mode, "shouldIgnore": ignore, "oid": oid})
        check_quota(db, repo.owner_id, more)  # what the same content elsewhere is, nobody said yet
    return {"files": said, "commitOid": None}


def _asked_file(asked: Any) -> tuple[str, int, bytes]:
    if not isinstance(asked, dict) or not isinstance(asked.get("path"), str):
        raise Problem(400, "each file must have a path")
    size = asked.get("size", 0)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 53:
        raise Problem(400, '"size" must be a number of bytes')
    return check_path(asked["path"]), size, read_sample(asked.get("sample"))


def _check_pickle(call: Call, path: str, head: bytes) -> bool:
    """Return whether a file holds a pickle; raises Problem 403 where this hub takes none."""
    if call.hub.policy.pickles == "refuse" and is_pickle(path, head):
        raise Problem(403, f"{path} can run code when it is loaded: send it as safetensors")
    return unsafe_by_content(path, head)


@dataclass(slots=True)
class Sent:
    """What a commit's body says, its files' contents already on this disk."""

    title: str = ""
    description: str = ""
    parent: str | None = None
    small: list[tuple[str, Received, str, bool]] = field(default_factory=list)
    large: list[tuple[str, str, int | None]] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)


def admit_commit(call: Call) -> int:
    """Return the most bytes a commit's body may have, for somebody who may commit."""
    with call.hub.database.reading() as db:
        check_content(db, call.caller, call.repo(db, deed_of(call)))
    return call.hub.policy.largest_commit


@routes.post(
    "/api/{kind:kind}/{owner}/{name}/commit/{revision}",
    query=("create_pr", "hot_reload"),
    admission=admit_commit,
)
def create_commit(call: Call) -> dict[str, Any]:
    """Commit changes to a branch, or to a new pull request."""
    assert call.received is not None, "the route takes a file"
    sent = Sent()
    try:
        with call.received.path.open("rb") as file:
            for key, value in _lines(file, call.hub.policy.largest_regular * 4 // 3 + LINE_SLACK):
                _take(call, sent, key, value)
        if not sent.title:
            raise Problem(400, "Add a line with the key `header` and a summary")
        return _commit(call, sent)
    finally:
        for _, received, _, _ in sent.small:
            received.path.unlink(missing_ok=True)


def _lines(file: IO[bytes], longest: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each line's key and value; raises Problem for what is none."""
    for number in range(MOST_FILES + 1):
        line = file.readline(longest)
        if not line:
            return
        if len(line) == longest:
            raise Problem(413, "A line of the commit is too long: send large files by LFS or Xet")
        if not line.strip():
            continue
        try:
            read = json.loads(line)
            key, value = read["key"], read["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Problem(400, f"Line {number + 1} of the commit is not as it should be") from error
        if not isinstance(key, str) or not isinstance(value, dict):
            raise Problem(400, f"Line {number + 1} of the commit is not as it should be")
        yield key, value
    raise Problem(413, f"A commit may have at most {MOST_FILES} changes")


def _take(call: Call, sent: Sent, key: str, value: dict[str, Any]) -> None:
    """Take in one line of a commit."""
    if key == "header":
        sent.title = _line_text(value, "summary", "")[:1000].strip() or "Update"
        sent.description = _line_text(value, "description", "")
        sent.parent = _line_text(value, "parentCommit", "") or None
        return
    path = check_path(_line_text(value, "path").rstrip("/"))
    if key == "file":
        sent.small.append(_small_file(call, path, value))
    elif key == "lfsFile":
        sha256, size = _line_text(value, "oid"), value.get("size")
        if not SHA256.fullmatch(sha256) or value.get("algo", "sha256") != "sha256":
            raise Problem(400, f"{path}: `oid` must be a sha256")
        sent.large.append((path, sha256, size if isinstance(size, int) else None))
    elif key in ("deletedFile", "deletedFolder"):
        sent.removed.append(Change(path, "file" if key == "deletedFile" else "folder"))
    else:
        raise Problem(
            400, "Add a line with the key `lfsFile`, `file`, `deletedFile` or `deletedFolder`"
        )


def _line_text(value: dict[str, Any], name: str, default: str | None = None) -> str:
    found = value.get(name, default)
    if found is None and default is not None:
        return default
    if not isinstance(found, str) or len(found) > 1 << 20 or not _writable(found):
        raise Problem(400, f"`{name}` must be a text")
    return found


def _writable(text: str) -> bool:
    return "\0" not in text and not any(0xD800 <= ord(letter) < 0xE000 for letter in text)


def _small_file(call: Call, path: str, value: dict[str, Any]) -> tuple[str, Received, str, bool]:
    """Write a file that came within the commit to this disk."""
    said = value.get("content", "")
    try:
        if value.get("encoding", "utf-8") == "base64":
            content = base64.b64decode(said, validate=True)
        else:
            content = said.encode()
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise Problem(400, f"{path}: `content` can't be read") from error
    if len(content) > call.hub.policy.largest_regular:
        raise Problem(413, f"{path} is too large to be sent within a commit")
    if is_pointer(content):
        # Its writer would get whatever it points at, without ever having shown to have it.
        raise Problem(400, f"{path} is a pointer of Git LFS: send what it points at")
    if path == "README.md":
        check_card(content.decode("utf-8", "replace"))
    unsafe = _check_pickle(call, path, content[:512])
    received = call.hub.objects.receive_bytes(content)
    return path, received, object_id("blob", content), unsafe


def _commit(call: Call, sent: Sent) -> dict[str, Any]:
    hub, opened = call.hub, None
    hub.objects.carry(received for _, received, _, _ in sent.small)
    with hub.database.writing() as db:
        repo = call.repo(db, deed_of(call))
        check_content(db, call.caller, repo)
        check_quota(db, repo.owner_id, {each.sha256: each.size for _, each, _, _ in sent.small})
        if call.query.get("create_pr", "").casefold() in ("1", "true"):
            said = (sent.title, sent.description)
            opened = open_pull_request(db, repo, call.revision, call.user_id, *said)
        ref = f"refs/pr/{opened}" if opened else _writable_ref(db, call, repo)
        before = ref_oid(db, repo, ref)
        if sent.parent and not commit_by_oid(db, repo, sent.parent):
            raise no_revision(sent.parent)
        changes = [*sent.removed, *_changes(db, call, repo, sent)]
        wording = Wording(call.caller.name, sent.title, sent.description)
        oid = commit(db, hub.objects, repo, ref, changes, wording, parent=sent.parent)
        note_commit(db, repo, ref, oid, sent.title, call.user_id)
    about = {"repo_id": repo.id, "action": "create", "number": opened}
    if opened:
        hub.announce({"kind": "pull_request", **about})
    change = {"ref": ref, "oldSha": before, "newSha": oid}
    hub.announce({"kind": "content", "action": "update", "repo_id": repo.id, "refs": [change]})
    answer = {"success": True, "commitOid": oid, "commitUrl": call.url(f"{repo.path}/commit/{oid}")}
    if opened:
        answer["pullRequestUrl"] = call.url(f"{repo.path}/discussions/{opened}")
    return {**answer, "hookOutput": ""}


def _writable_ref(db: Connection, call: Call, repo: Repo) -> str:
    """Return the ref to commit to; a pull request's is its author's, while it is open."""
    ref = branch_ref(db, repo, call.revision)
    check_committable(db, call.caller, repo, ref)
    return ref


def _changes(db: Connection, call: Call, repo: Repo, sent: Sent) -> Iterator[Change]:
    """Keep what was sent, and give the changes to the tree."""
    add_small(db, call.hub.objects, ((r, oid, unsafe) for _, r, oid, unsafe in sent.small))
    for path, _, oid, _ in sent.small:
        yield Change(path, "add", oid)
    for path, sha256, size in sent.large:
        there = pushed_size(db, repo, sha256)
        if there is None or size not in (None, there):
            raise Problem(
                404, f"{path}: its content {sha256} has not been uploaded to this repository"
            )
        call.hub.objects.touch(db, [sha256])
        unsafe = _check_pickle(call, path, call.hub.objects.read(sha256, 512))
        yield Change(path, "add", add_large(db, sha256, there, unsafe))
