"""What a pull request changes: as git shows it, within bounds; and its merging."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from .commits import Wording
from .merging import compare, merge
from .objects import Objects
from .problem import Problem, no_revision
from .refs import Commit, commit_by_oid, ref_oid
from .repos import Repo
from .threads import Event, Thread, events_of, set_status
from .trees import File, file_at

# Comparing lines takes their number squared at worst, so all of it is bounded.
LARGEST_FILE = 100_000
MOST_FILES = 300
MOST_LINES = 1500  # of one file
MOST_LINES_IN_ALL = 6000


@dataclass(frozen=True, slots=True)
class Difference:
    """The files a pull request changes on its base, and those that its base has changed too."""

    head: Commit
    into: Commit
    paths: tuple[str, ...]
    conflicts: tuple[str, ...]


def difference(db: Connection, repo: Repo, thread: Thread) -> Difference | None:
    """Return what a pull request changes, or changed; None where its base or its ref is gone."""
    head = _commit(db, repo, ref_oid(db, repo, thread.ref))
    if thread.merged:
        done = _commit(db, repo, thread.merged)
        into = _commit(db, repo, done.parent if done else None)
    else:
        into = _commit(db, repo, ref_oid(db, repo, str(thread.base)))
    if head is None or into is None:
        return None
    changes, clash = compare(db, repo, head, into)
    return Difference(head, into, tuple(sorted(changes)), () if thread.merged else tuple(clash))


def _commit(db: Connection, repo: Repo, oid: str | None) -> Commit | None:
    return commit_by_oid(db, repo, oid) if oid else None


def diff(db: Connection, store: Objects, found: Difference) -> str:
    """Return a difference as `git diff` writes it; of what is large, only that it differs."""
    parts, left = [], MOST_LINES_IN_ALL
    for path in found.paths[:MOST_FILES]:
        old, new = file_at(db, found.into.tree, path), file_at(db, found.head.tree, path)
        if (old and old.oid) == (new and new.oid):
            continue  # the base has come to have the same
        before, after = _lines(store, old), _lines(store, new)
        lines = len(before or ()) + len(after or ())
        if before is None or after is None or lines > left:
            parts += [*_head(path, old, new), f"Binary files a/{path} and b/{path} differ\n"]
            continue
        left -= lines
        parts += [*_head(path, old, new), *_changes(path, old, new, before, after)]
    if len(found.paths) > MOST_FILES:
        parts.append(f"# and {len(found.paths) - MOST_FILES} more files\n")
    return "".join(parts)


def _lines(store: Objects, file: File | None) -> list[str] | None:
    """Return the lines of a small text, None for what is none."""
    if file is None:
        return []
    if file.large or file.size > LARGEST_FILE:
        return None
    content = store.read(file.sha256)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    lines = list(io.StringIO(text, newline="\n"))
    return None if "\0" in text or len(lines) > MOST_LINES else lines


def _head(path: str, old: File | None, new: File | None) -> Iterator[str]:
    yield f"diff --git a/{path} b/{path}\n"
    if old is None:
        yield "new file mode 100644\n"
    if new is None:
        yield "deleted file mode 100644\n"


def _changes(
    path: str, old: File | None, new: File | None, before: list[str], after: list[str]
) -> Iterator[str]:
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    for line in difflib.unified_diff(before, after, *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def merge_pull_request(
    db: Connection, store: Objects, repo: Repo, thread: Thread, user_id: int, user: str
) -> tuple[Event, dict[str, str]]:
    """Merge a pull request; returns the event, and which ref went from where to where.

    Raises Problem 409 where it conflicts with its base, or is not open.
    """
    if not thread.pull_request:
        raise Problem(400, f"Discussion {thread.number} is not a pull request")
    if thread.status != "open":
        raise Problem(
            409, f"Pull request {thread.number} is {thread.status}, so it can't be merged"
        )
    base = str(thread.base)
    before = ref_oid(db, repo, base)
    head = _commit(db, repo, ref_oid(db, repo, thread.ref))
    if before is None or head is None:
        raise no_revision(base.removeprefix("refs/heads/") if before is None else thread.ref)
    oid = merge(db, store, repo, head, base, _wording(db, thread, user))
    event = set_status(db, thread, user_id, "merged", merged=oid)
    return event, {"ref": base, "oldSha": before, "newSha": oid}


def _wording(db: Connection, thread: Thread, user: str) -> Wording:
    """Return how a merge is worded: as its author's work, with the commits it is made of."""
    made = [event.data for event in events_of(db, thread) if event.kind == "commit"]
    message = "\n".join(f"- {each['subject']} ({each['oid']})" for each in made)
    return Wording(thread.author or user, f"{thread.title} (#{thread.number})", message)
