"""Plain files of another hub put under their own id, at the very revision that they have there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from sqlalchemy import Connection

from ..registry.cache import check_id
from ..registry.errors import BadOption, Refused
from .accounts import add_account, find
from .commits import (
    Change,
    Wording,
    add_large,
    add_small,
    check_path,
    commit,
    move_head,
    note_pushed,
)
from .contents import Received
from .git import is_pointer, object_id
from .hub import TeamHub
from .objects import PART, Objects
from .pickles import SAMPLE, is_pickle, unsafe_by_content
from .problem import Problem
from .refs import MAIN, SHA, check_ref_name, commit_by_oid, import_ref, ref_oid, set_ref
from .repos import KINDS, Repo, create_repo, find_repo
from .storing import default_attributes, is_large, large_patterns


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; not `new` where the hub had that revision, and so nothing was copied."""

    id: str
    revision: str
    new: bool
    main: bool  # points at this revision now
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was copied, and how it will be kept; `oid` is None for one that is kept apart."""

    path: str
    received: Received
    oid: str | None
    unsafe: bool


def imported(hub: TeamHub, kind: str, model_id: str, revision: str) -> Imported | None:
    """Return what is said of a revision that the hub has, or None where it has to be imported."""
    owner, _, name = model_id.partition("/")
    with hub.database.reading() as db:
        repo, moved = find_repo(db, kind, owner, name)
        if repo is None or moved or commit_by_oid(db, repo, revision) is None:
            return None
        return Imported(repo.id_, revision, False, ref_oid(db, repo, MAIN) == revision, 0, 0)


def import_files(
    hub: TeamHub,
    kind: str,
    model_id: str,
    files: Mapping[str, Path],
    revision: str,
    author: str,
    *,
    private: bool = False,
    lead: bool = True,
    tags: tuple[str, ...] = (),
) -> Imported:
    """Put files in as the commit `revision`, whole or not at all; what is there is left as it is.

    `main` follows where it came from an import too and `lead` says so, and a new repository always
    has it; else the commit is kept by the ref `refs/imports/REVISION`. A tag that the hub has
    already stays where it is. Raises Refused or BadOption.
    """
    owner, name = _checked(kind, model_id, files, revision, tags)
    known = imported(hub, kind, model_id, revision) is not None
    with contextlib.ExitStack() as room, _problems_told():
        taken = [] if known else _take_all(hub, kind, files, room)
        hub.objects.carry(each.received for each in taken)
        with hub.database.writing() as db:
            repo = _repo(db, kind, owner, name, private)
            new = commit_by_oid(db, repo, revision) is None
            if new and known:
                raise Refused(f"`{model_id}` was removed just now", "import it again")
            if new:
                _commit(db, hub.objects, repo, taken, revision, author)
            for tag in tags:
                if ref_oid(db, repo, f"refs/tags/{tag}") is None:
                    set_ref(db, repo, f"refs/tags/{tag}", revision)
            main = _follow(db, hub.objects, repo, revision, lead and new)
    size = sum(each.received.size for each in taken)
    return Imported(repo.id_, revision, new, main, len(files), size)


def _checked(
    kind: str, model_id: str, files: Mapping[str, Path], revision: str, tags: tuple[str, ...]
) -> tuple[str, str]:
    check_id(model_id)
    if kind not in KINDS:
        raise BadOption(f"`{kind}` is no kind of repository", f"one of: {', '.join(KINDS)}")
    if not SHA.fullmatch(revision):
        raise BadOption(f"`{revision}` is no revision", "it has 40 hex digits")
    if not files:
        raise Refused(f"`{model_id}` has no files", "is it the right folder?")
    with _problems_told():
        for path in files:
            check_path(path)
        for tag in tags:
            check_ref_name(tag)
    owner, _, name = model_id.partition("/")
    return owner, name


@contextlib.contextmanager
def _problems_told() -> Iterator[None]:
    """Word for the command line what the server would answer a client."""
    try:
        yield
    except Problem as problem:
        raise Refused(problem.message) from problem


def _take_all(
    hub: TeamHub, kind: str, files: Mapping[str, Path], room: contextlib.ExitStack
) -> list[Taken]:
    """Copy files to where the store can take them in; they are gone when the room is closed."""
    own = files.get(".gitattributes")
    rules = own.read_bytes() if own else default_attributes(kind)
    patterns = large_patterns(rules.decode("utf-8", "replace"))
    return [_take(hub, path, source, patterns, room) for path, source in sorted(files.items())]


def _take(
    hub: TeamHub, path: str, source: Path, patterns: GitIgnoreSpec, room: contextlib.ExitStack
) -> Taken:
    incoming = room.enter_context(hub.objects.receive())
    with source.open("rb") as file:
        head = part = file.read(PART)
        while part:
            incoming.write(part)
            part = file.read(PART)
    received = incoming.done()
    unsafe = unsafe_by_content(path, head[:SAMPLE])
    if hub.policy.pickles == "refuse" and is_pickle(path, head[:SAMPLE]):
        raise Refused(f"`{path}` is a pickle, which this hub does not take", "use safetensors")
    largest = hub.policy.largest_regular
    if is_large(path, received.size, head[:SAMPLE], patterns, largest):
        return Taken(path, received, None, unsafe)
    content = received.path.read_bytes()
    if is_pointer(content):
        raise Refused(
            f"`{path}` is a pointer of Git LFS, not the file itself", "run `git lfs pull` there"
        )
    return Taken(path, received, object_id("blob", content), unsafe)


def _repo(db: Connection, kind: str, owner: str, name: str, private: bool) -> Repo:
    """Return the repository of that name, made with its organisation where it isn't there."""
    found, moved = find_repo(db, kind, owner, name)
    if found and not moved:
        return found
    account = find(db, owner)
    if account is None:
        add_account(db, owner, "org")
        account = find(db, owner)
        assert account is not None, "it was just made"
    closed = private or account.private_by_default
    return create_repo(db, kind, account, name, None, closed)


def _commit(
    db: Connection, store: Objects, repo: Repo, taken: list[Taken], revision: str, author: str
) -> None:
    """Keep files as a commit of their own, whose id is given, at the ref of that import."""
    add_small(db, store, [(t.received, t.oid, t.unsafe) for t in taken if t.oid])
    store.keep(db, (t.received for t in taken if t.oid is None))
    changes = []
    for each in taken:
        received, oid = each.received, each.oid
        if oid is None:
            oid = add_large(db, received.sha256, received.size, each.unsafe)
        if each.oid is None or repo.upstream:  # a mirror has what it was given, and no more
            note_pushed(db, repo, received.sha256)
        changes.append(Change(each.path, "add", oid))
    wording = Wording(author, f"Import {repo.id_} at {revision}")
    commit(db, store, repo, import_ref(revision), changes, wording, oid=revision)


def _follow(db: Connection, store: Objects, repo: Repo, revision: str, lead: bool) -> bool:
    """Point `main` at an import where nothing of people's own is there; return if it does so."""
    head = ref_oid(db, repo, MAIN)
    ours = head is None or (lead and ref_oid(db, repo, import_ref(head)) is not None)
    if ours and head != revision:
        made = commit_by_oid(db, repo, revision)
        assert made is not None, "it was just made"
        move_head(db, store, repo, MAIN, revision, made.tree)
        return True
    return head == revision
