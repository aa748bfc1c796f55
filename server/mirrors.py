"""Repositories of another hub, under their own ids, at the very commits that they have there.

A commit comes with its whole tree at once, and a content when somebody asks for it: until then its
file stands in `awaited`. What came is a content like any other, pushed to that repository.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, exists, select, update

from ..registry.entry import Entry
from ..registry.errors import Refused
from .accounts import Account, add_account, find
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
from .dialects import insert_new
from .facts import LARGEST_TEXT, refresh
from .git import object_id, pointer
from .objects import Objects
from .problem import Problem, no_repository
from .refs import MAIN, Commit, commit_by_oid, import_ref, ref_oid, resolve, set_ref
from .repos import Repo, create_repo, find_repo, folded
from .schema import awaited, members, mirrors, repo_objects, repos
from .schema import moved as moved_repos
from .trees import File, file_at

# What a repository is known by: with these here, it is found and described as if it were our own.
TELLING = ("README.md", "config.json", "adapter_config.json", "hubtl.json")


def is_ours(db: Connection, owner: str) -> bool:
    """Return whether a namespace is somebody's here: nothing of that name is asked for elsewhere.

    Else a stranger could take, on another hub, the name of what a team has not yet made.
    """
    account = find(db, owner)
    if account is None or account.kind == "user":
        return account is not None
    return db.execute(select(exists().where(members.c.org_id == account.id))).scalar_one()


def known_commit(db: Connection, repo: Repo, revision: str) -> Commit | None:
    """Return the commit that a revision stands for here, or None."""
    try:
        return resolve(db, repo, revision)
    except Problem:
        return None


def keep_commit(
    db: Connection,
    store: Objects,
    upstream: str,
    kind: str,
    asked: str,
    entry: Entry,
    *,
    closed: bool,
) -> Repo:
    """Return the repository, which has the commit that an entry is at; `db` is held for writing.

    The name that was `asked` for leads to it where the other hub calls it otherwise by now.

    Raises Problem where the name is ours, or what is there can't be kept under its name and paths.
    """
    assert entry.revision, "a commit was found"
    repo = _repo(db, upstream, kind, entry.id, closed)
    if commit_by_oid(db, repo, entry.revision) is None:
        changes, rows = [], []
        for path, file in entry.files.items():
            if file.sha256 is None and file.git_sha1 is None:
                raise Problem(424, f"{upstream} does not tell the hash of {path} of {entry.id}")
            large = file.sha256 is not None
            named = file.git_sha1 or ""
            oid = object_id("blob", pointer(file.sha256, file.size)) if file.sha256 else named
            changes.append(Change(check_path(path), "add", oid))
            row = {"oid": oid, "sha256": file.sha256 or "", "size": file.size, "large": large}
            rows.append(row)
        insert_new(db, awaited, rows)
        wording = Wording(urlsplit(upstream).netloc, f"Mirror {repo.id_} at {entry.revision}")
        ref = import_ref(entry.revision)
        commit(db, store, repo, ref, changes, wording, oid=entry.revision)
    db.execute(update(repos).where(repos.c.id == repo.id).values(private=closed))
    if asked.casefold() != repo.id_.casefold():
        former = folded(kind, *asked.split("/", 1))
        insert_new(db, moved_repos, [{"folded": former, "repo_id": repo.id}])
    return repo


def point(db: Connection, store: Objects, repo: Repo, ref: str, entry: Entry) -> None:
    """Let a branch or a tag lead where it leads on the other hub."""
    made = commit_by_oid(db, repo, str(entry.revision))
    assert made is not None, "it is kept before anything leads to it"
    if ref != MAIN:
        set_ref(db, repo, ref, made.oid)
    elif ref_oid(db, repo, MAIN) != made.oid:
        move_head(db, store, repo, MAIN, made.oid, made.tree)
        if entry.date:
            changed = datetime.fromisoformat(entry.date).timestamp()
            db.execute(update(repos).where(repos.c.id == repo.id).values(modified=changed))


def _repo(db: Connection, upstream: str, kind: str, name: str, closed: bool) -> Repo:
    """Return the mirror of that name, made where it isn't there; raises Problem where it's ours."""
    owner, _, short = name.partition("/")
    there, moved = find_repo(db, kind, owner, short)
    if there and not moved and there.upstream == upstream:
        return there
    if there or not short or is_ours(db, owner):
        raise no_repository(known_caller=True)
    repo = create_repo(db, kind, _account(db, owner), short, None, closed)
    db.execute(mirrors.insert(), {"repo_id": repo.id, "upstream": upstream})
    return find_repo(db, kind, owner, short)[0] or repo


def _account(db: Connection, owner: str) -> Account:
    if find(db, owner) is None:
        try:
            add_account(db, owner, "org")
        except Refused as error:  # one of this hub's own words
            raise no_repository(known_caller=True) from error
    account = find(db, owner)
    assert account is not None, "it was just made"
    return account


def is_here(db: Connection, store: Objects, repo: Repo, file: File) -> bool:
    """Return whether a file's content is here to be read, as that of a mirror may not be."""
    return not repo.upstream or has_content(db, store, repo, file)


def has_content(db: Connection, store: Objects, repo: Repo, file: File) -> bool:
    """Return whether a mirror has a file's content; knowing its hash is not having it."""
    pushed = (repo_objects.c.repo_id == repo.id) & (repo_objects.c.sha256 == file.sha256)
    known = file.sha256 and db.execute(select(exists().where(pushed))).scalar_one()
    return bool(known) and store.has(file.sha256)


def share_content(db: Connection, store: Objects, repo: Repo, file: File) -> bool:
    """Return whether another mirror of that hub had a content, which this one now has too."""
    others = repo_objects.join(mirrors, mirrors.c.repo_id == repo_objects.c.repo_id)
    same = (repo_objects.c.sha256 == file.sha256) & (mirrors.c.upstream == repo.upstream)
    known = select(repo_objects.c.repo_id).select_from(others).where(same).limit(1)
    if not file.sha256 or not db.execute(known).first() or not store.has(file.sha256):
        return False
    _note(db, store, repo, file, file.sha256, file.unsafe)
    store.touch(db, [file.sha256])
    return True


def keep_content(
    db: Connection, store: Objects, repo: Repo, file: File, received: Received, unsafe: bool
) -> None:
    """Take in a file's content, whose hash was looked at; `db` is held for writing."""
    if file.large:
        store.keep(db, [received])
    else:
        add_small(db, store, [(received, file.oid, unsafe)])
    _note(db, store, repo, file, received.sha256, unsafe)


def _note(
    db: Connection, store: Objects, repo: Repo, file: File, sha256: str, unsafe: bool
) -> None:
    """Note that a mirror has a content, and learn what that tells of its head."""
    if file.large:
        add_large(db, sha256, file.size, unsafe)
    note_pushed(db, repo, sha256)
    db.execute(delete(awaited).where(awaited.c.oid == file.oid))
    head = commit_by_oid(db, repo, repo.head) if repo.head else None
    tells = "/" not in file.path and file.path.endswith((*TELLING, ".safetensors"))
    if head and tells:
        there = file_at(db, head.tree, file.path)
        if there and there.oid == file.oid:
            refresh(db, store, repo, head.oid, head.tree)


def telling(db: Connection, store: Objects, repo: Repo, oid: str) -> list[File]:
    """Return the files that tell what a commit is, as far as they have not come yet."""
    made = commit_by_oid(db, repo, oid)
    found = [file_at(db, made.tree, path) for path in TELLING] if made else []
    few = [each for each in found if each and each.size <= LARGEST_TEXT]
    return [each for each in few if not has_content(db, store, repo, each)]


def lacking(repo: Repo, file: File) -> Problem:
    """Return the answer where a mirror's file is wanted that never came."""
    return Problem(
        504,
        f"{file.path} of {repo.id_} is not on this hub yet, and it does not ask {repo.upstream} "
        "for it now",
    )
