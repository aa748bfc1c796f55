"""Fetching from another hub what is asked for and not here: once, whole, and checked.

Nobody is given a byte of a file before all of it has come and its hash is the one that the other
hub told with the commit. A client that was given half a file would go on where it stopped, at the
next try, and end with two halves of different files without knowing. So a request waits a while,
and then is told when to ask again; the fetching goes on without it.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time

from prometheus_client import Counter
from sqlalchemy.exc import NoResultFound
from starlette.concurrency import run_in_threadpool

from ..registry.errors import HubtlError, Refused, UnknownName, Unreachable
from .access import may_see
from .flights import Flight, Flights
from .git import is_pointer
from .hub import TeamHub
from .mirrors import (
    has_content,
    is_ours,
    keep_commit,
    keep_content,
    known_commit,
    point,
    share_content,
    telling,
)
from .objects import Incoming
from .pickles import SAMPLE, is_pickle, unsafe_by_content, unsafe_by_name
from .problem import Problem, no_repository
from .quotas import check_quota
from .refs import MAIN, SHA, SHORT, check_ref_name
from .repos import find_repo, repo_by_id
from .routing import Call
from .trees import file_at
from .upstream import Upstream
from .wishes import Wanted, Wish

KINDS = ("model", "dataset")
AGAIN = 30.0  # seconds for which a hub that is away is not asked whether anything is new
MOST_NAMES = 10_000
log = logging.getLogger("hubtl.server")


class Fetching:
    """What one hub fetches from another."""

    def __init__(self, hub: TeamHub, upstream: Upstream) -> None:
        self.hub, self.upstream = hub, upstream
        self._flights = Flights(self._count)
        self._asking = Flights(self._count)  # so that long downloads do not keep short answers back
        self._turn = threading.Lock()
        self._asked: dict[tuple[str, ...], float] = {}
        self._away = 0.0
        self._stopping = False
        self._bytes = Counter(
            "hubtl_upstream_bytes", "Bytes fetched from the other hub.", registry=hub.registry
        )
        self._outcomes = Counter(
            "hubtl_upstream", "What the other hub was asked.", ("outcome",), registry=hub.registry
        )

    def close(self) -> None:
        """Fetch nothing more; what has half come is gone."""
        self._stopping = True

    async def ready(self, call: Call, revision: str, path: str | None) -> None:
        """Have here what a request is about: a revision, and a file's content.

        Raises Problem where that can't be. Only for callers who are known anything is fetched.
        """
        if not call.caller.known or call.params.get("kind", "model") not in KINDS:
            return
        wish = await run_in_threadpool(self._wish, call, revision)
        if wish:
            what = f"{wish.name} at {wish.revision}"
            try:
                await self._asking.of(wish.key, lambda _: self._bring(wish), what)
            except Problem as problem:
                if not (wish.here and problem.status == 429):  # what is here goes on meanwhile
                    raise
        found = await run_in_threadpool(self._missing, call, revision, path) if path else None
        if found:
            key = ("content", str(found.repo.id), found.file.oid)
            size = found.file.size
            await self._flights.of(key, lambda it: self._fetch(found, it), found.what, size)

    def _count(self, failed: Exception | None) -> None:
        self._outcomes.labels("failed" if failed else "done").inc()

    def _wish(self, call: Call, revision: str) -> Wish | None:
        """Return what to ask the other hub for; None where this hub's own word is enough."""
        kind, owner = call.params.get("kind", "model"), call.params["owner"]
        name = call.params["name"].removesuffix(".git")
        with self.hub.database.reading() as db:
            repo, moved = find_repo(db, kind, owner, name)
            if repo is None or not may_see(db, call.caller, repo):
                # What is hidden here is asked for like what is not here, and not to be had either.
                ours = is_ours(db, owner)
                return None if ours else Wish(kind, f"{owner}/{name}", revision, False)
            if moved or repo.upstream != self.upstream.address:
                return None
            here = known_commit(db, repo, revision) is not None
        wish = Wish(kind, repo.id_, revision, here)
        return None if here and self._is_fresh(wish) else wish

    def _is_fresh(self, wish: Wish) -> bool:
        now = time.monotonic()
        asked = self._asked.get(wish.key, -math.inf)
        recently = now - asked < self.hub.policy.upstream_age
        return bool(SHA.fullmatch(wish.revision)) or recently or now < self._away

    def _bring(self, wish: Wish) -> None:
        """Have a revision here as the other hub has it now, or let what is here go on."""
        try:
            entry, closed = self.upstream.find(wish.kind, wish.name, wish.revision)
            if not entry.revision:
                raise UnknownName(f"`{entry.id}` has no commit")
            ref = self._ref(wish, entry.id, entry.revision)
        except HubtlError as error:
            self._go_on_without(wish, error)
            return
        database, store, commit = self.hub.database, self.hub.objects, entry.revision
        with database.writing() as db:
            address = self.upstream.address
            repo = keep_commit(db, store, address, wish.kind, wish.name, entry, closed=closed)
        with database.reading() as db:
            wanted = [Wanted(repo, commit, file) for file in telling(db, store, repo, commit)]
        for each in wanted:
            try:
                self._fetch(each, Flight())
            except Problem as problem:  # it is told to whoever asks for that file
                log.warning("%s", problem.message)
        with database.writing() as db:
            if ref:
                point(db, store, repo_by_id(db, repo.id), ref, entry)
        self._note_asked(wish)

    def _ref(self, wish: Wish, name: str, commit: str) -> str | None:
        """Return what a revision is called in full; None for a commit's own id."""
        revision = wish.revision
        if SHA.fullmatch(revision) or (SHORT.fullmatch(revision) and commit.startswith(revision)):
            return None
        if revision == "main":
            return MAIN
        check_ref_name(revision.removeprefix("refs/"))
        if revision.startswith("refs/"):
            return revision
        tag = revision in self.upstream.tags(wish.kind, name)
        return f"refs/tags/{revision}" if tag else f"refs/heads/{revision}"

    def _note_asked(self, wish: Wish) -> None:
        with self._turn:
            if len(self._asked) >= MOST_NAMES:
                self._asked.clear()
            self._asked[wish.key] = time.monotonic()

    def _go_on_without(self, wish: Wish, error: HubtlError) -> None:
        """Return where what is here is enough; else raise the Problem that says what is lacking."""
        if isinstance(error, Unreachable):
            self._away = time.monotonic() + AGAIN
        if wish.here:
            log.warning("%s at %s stays as it is: %s", wish.name, wish.revision, error.message)
            self._note_asked(wish)
            return
        if not isinstance(error, UnknownName):
            raise self._refusal(f"{wish.name} at {wish.revision}", error) from error
        address = self.upstream.address
        if wish.revision != "main" and self._has(wish):
            told = f"Invalid rev id: {wish.revision}. Neither this hub nor {address} has it"
            raise Problem(404, told, "RevisionNotFound") from error
        told = f"Repository not found: neither this hub nor {address} has {wish.name}"
        raise Problem(404, told, "RepoNotFound") from error

    def _has(self, wish: Wish) -> bool:
        """Return whether the other hub has a repository, of whatever revisions."""
        try:
            return bool(self.upstream.find(wish.kind, wish.name, "main"))
        except HubtlError:
            return False

    def _refusal(self, what: str, error: HubtlError) -> Problem:
        """Return the answer for what is not here where the other hub does not give it either."""
        told = f"{what} is not on this hub, and {self.upstream.address} does not give it"
        if isinstance(error, Unreachable):
            return Problem(504, f"{told}: {error.message}")
        if isinstance(error, Refused):
            return Problem(403, f"{told} to this hub: {error.message}", "GatedRepo")
        return Problem(410, f"{told} any more: {error.message}")

    def _missing(self, call: Call, revision: str, path: str) -> Wanted | None:
        """Return the file that is to be fetched, or None where its content is here."""
        kind, owner = call.params.get("kind", "model"), call.params["owner"]
        with self.hub.database.reading() as db:
            repo, moved = find_repo(db, kind, owner, call.params["name"].removesuffix(".git"))
            if repo is None or moved or repo.upstream != self.upstream.address:
                return None
            commit = known_commit(db, repo, revision)
            file = file_at(db, commit.tree, path) if commit else None
            if commit is None or file is None or not may_see(db, call.caller, repo):
                return None
            here = has_content(db, self.hub.objects, repo, file)
        return None if here else Wanted(repo, commit.oid, file)

    def _fetch(self, wanted: Wanted, flight: Flight) -> None:
        """Have a file's content here, whole and with the right hash; else raise Problem."""
        repo, file, store = wanted.repo, wanted.file, self.hub.objects
        with self.hub.database.writing() as db:
            if has_content(db, store, repo, file):
                return
            check_quota(db, repo.owner_id, {file.sha256 or file.oid: file.size})
            if share_content(db, store, repo, file):
                return
        if file.size > self.hub.policy.largest_file:
            raise Problem(413, f"A file may have at most {self.hub.policy.largest_file} bytes")
        self._check_pickle(wanted, unsafe_by_name(file.path))
        store.check_room(file.size)
        with store.receive() as incoming:
            head = self._receive(wanted, incoming, flight)
            received = incoming.done()
            self._check_pickle(wanted, is_pickle(file.path, head))
            unsafe = unsafe_by_content(file.path, head)
            store.carry([received])
            with self.hub.database.writing() as db:
                check_quota(
                    db, repo.owner_id, {received.sha256: file.size}
                )  # others came meanwhile
                try:
                    keep_content(db, store, repo_by_id(db, repo.id), file, received, unsafe)
                except NoResultFound as error:  # it was removed meanwhile
                    raise no_repository(known_caller=True) from error

    def _receive(self, wanted: Wanted, incoming: Incoming, flight: Flight) -> bytes:
        """Return how a content begins, once it has come and is the right one."""
        file, head = wanted.file, b""
        hashed = hashlib.sha256() if file.large else _blob_hash(file.size)
        try:
            for part in self.upstream.content(
                wanted.repo.kind, wanted.repo.id_, wanted.commit, file.path
            ):
                if self._stopping:
                    raise Problem(503, "This hub is about to stop")
                head = head or part[:SAMPLE]
                hashed.update(part)
                incoming.write(part)
                flight.got = incoming.size
                self._bytes.inc(len(part))
                if incoming.size > file.size:
                    break
        except HubtlError as error:
            raise self._refusal(wanted.what, error) from error
        right = file.sha256 if file.large else file.oid
        if incoming.size != file.size or hashed.hexdigest() != right:
            told = f"{self.upstream.address} gave other bytes for {wanted.what} than its hash says"
            # Not a status on which clients try again at once: the same would come once more.
            raise Problem(424, f"{told}: nothing of it was kept")
        if not file.large and is_pointer(head):
            told = f"{wanted.what} is a pointer of Git LFS on {self.upstream.address}"
            raise Problem(424, f"{told}, which is kept nowhere here")
        return head

    def _check_pickle(self, wanted: Wanted, pickle: bool) -> None:
        if pickle and self.hub.policy.pickles == "refuse":
            raise Problem(403, f"{wanted.what} is a pickle, which this hub does not take")


def _blob_hash(size: int) -> hashlib._Hash:
    """Return git's hash of a blob of that size, before its content."""
    return hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
