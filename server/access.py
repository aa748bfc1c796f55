"""Who is asking, and what they may do with a repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import NoResultFound

from .accounts import Account, digest, find
from .problem import Problem, WrongToken, log_in, no_repository, not_allowed
from .repos import Moved, Repo, find_repo, repo_by_id
from .schema import access_requests, accounts, members, tokens

Deed = Literal["read", "discuss", "write"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a user by a token, or nobody known."""

    id: int | None = None
    name: str = ""
    fullname: str = ""
    token: str = ""
    role: str = "read"
    scopes: Sequence[dict[str, Any]] = ()

    @property
    def known(self) -> bool:
        """Whether a token came with the request."""
        return self.id is not None

    def may(self, deed: Deed, owner: str, name: str = "") -> bool:
        """Return whether the token reaches so far; the user's own rights are another matter."""
        if self.role != "fineGrained":
            return deed == "read" or self.role == "write"
        reached = {owner.casefold(), f"{owner}/{name}".casefold()}
        granted = {
            permission
            for scope in self.scopes
            if scope["entity"].casefold() in reached
            for permission in scope["permissions"]
        }
        return deed in granted or (deed != "write" and "write" in granted)


NOBODY = Caller()


def identify(db: Connection, pepper: bytes, header: str | None) -> Caller:
    """Return who a request's Authorization header stands for; raises Problem for a wrong token."""
    if not header:
        return NOBODY
    kind, _, token = header.partition(" ")
    found = caller_where(db, tokens.c.digest == digest(pepper, token.strip()))
    if kind.casefold() != "bearer" or found is None:
        raise WrongToken
    return found


def caller_where(db: Connection, wanted: ColumnElement[bool]) -> Caller | None:
    """Return whom the one token stands for that fits a condition, or None where none does."""
    joined = tokens.join(accounts, accounts.c.id == tokens.c.user_id)
    columns = (accounts.c.id, accounts.c.name, accounts.c.fullname, tokens.c.role, tokens.c.scopes)
    chosen = select(*columns, tokens.c.name.label("token")).select_from(joined).where(wanted)
    row = db.execute(chosen).first()
    return Caller(row.id, row.name, row.fullname, row.token, row.role, row.scopes) if row else None


def role_in(db: Connection, caller: Caller, owner_id: int) -> str | None:
    """Return the caller's role in a namespace: admin in one's own, None in a stranger's."""
    if caller.id is None:
        return None
    if caller.id == owner_id:
        return "admin"
    both = (members.c.org_id == owner_id) & (members.c.user_id == caller.id)
    role = db.execute(select(members.c.role).where(both)).scalar()
    return str(role) if role else None


def may_see(db: Connection, caller: Caller, repo: Repo) -> bool:
    """Return whether a repository is there for the caller."""
    if not repo.private:
        return True
    # What another hub does not show to all is for all who are known here: it came by our token.
    known = caller.known and (repo.upstream or role_in(db, caller, repo.owner_id))
    return bool(known) and caller.may("read", repo.owner, repo.name)


def may_write(db: Connection, caller: Caller, repo: Repo) -> bool:
    """Return whether the caller may change a repository; contributors may change their own."""
    if repo.upstream:
        return False
    role = role_in(db, caller, repo.owner_id)
    entitled = role in ("write", "admin") or (role == "contribute" and repo.creator_id == caller.id)
    return entitled and caller.may("write", repo.owner, repo.name)


def may_read_content(db: Connection, caller: Caller, repo: Repo) -> bool:
    """Return whether the caller may have a gated repository's files."""
    if not repo.gated:
        return True
    if not caller.may("read", repo.owner, repo.name):
        return False
    if role_in(db, caller, repo.owner_id):
        return True
    asked = (access_requests.c.repo_id == repo.id) & (access_requests.c.user_id == caller.id)
    status = db.execute(select(access_requests.c.status).where(asked)).scalar()
    return status == "accepted"


def the_repo(
    db: Connection, caller: Caller, kind: str, owner: str, name: str, deed: Deed = "read"
) -> Repo:
    """Return a repository that the caller may read, discuss or write; raises Problem or Moved."""
    repo, moved = find_repo(db, kind, owner, name)
    if repo is None or not may_see(db, caller, repo):
        raise no_repository(caller.known)
    if moved:
        raise Moved(repo)
    if deed == "read":
        return repo
    if not caller.known:
        raise log_in()
    if repo.upstream:
        raise Problem(403, f"{repo.id_} is a mirror of {repo.upstream}: nothing is changed here")
    if deed == "discuss" and caller.may("discuss", repo.owner, repo.name):
        return repo
    if deed == "discuss" or not may_write(db, caller, repo):
        raise not_allowed(f"change {repo.id_}")
    return repo


def repo_named(db: Connection, caller: Caller, kind: str, name: str, deed: Deed = "read") -> Repo:
    """Return the repository that a body calls OWNER/NAME, by a former name too; raises Problem.

    An address can lead on to what a repository is called now; what stands in a body can't.
    """
    owner, _, rest = name.partition("/")
    try:
        return the_repo(db, caller, kind, owner, rest, deed)
    except Moved as moved:
        return the_repo(db, caller, kind, moved.repo.owner, moved.repo.name, deed)


def check_content(db: Connection, caller: Caller, repo: Repo) -> None:
    """Raise Problem where a gate stands before a repository's files."""
    if not may_read_content(db, caller, repo):
        mine = (access_requests.c.repo_id == repo.id) & (access_requests.c.user_id == caller.id)
        reason = db.execute(select(access_requests.c.reason).where(mine)).scalar()
        raise Problem(
            403 if caller.known else 401,
            f"Access to {repo.kind} {repo.id_} is restricted and you are not in the authorized "
            f"list. {f'You were told: {reason}' if reason else 'Ask for access first.'}",
            "GatedRepo",
        )


def granted_repo(db: Connection, user_id: int | None, repo_id: int, deed: Deed = "read") -> Repo:
    """Return the repository that an address or a token was signed for.

    Raises Problem where it is gone, or where its user could not have that signed any more.
    """
    caller = Caller(id=user_id, role="write")  # how far the token reaches was looked at then
    try:
        repo = repo_by_id(db, repo_id)
    except NoResultFound as error:
        raise no_repository(known_caller=True) from error
    user = db.execute(select(accounts.c.id).where(accounts.c.id == user_id)).first()
    if (user_id is not None and user is None) or not may_see(db, caller, repo):
        raise no_repository(known_caller=True)
    check_content(db, caller, repo)
    if deed == "write" and not may_write(db, caller, repo):
        raise not_allowed(f"change {repo.id_}")
    return repo


def the_namespace(db: Connection, caller: Caller, name: str | None) -> Account:
    """Return the account in whose name the caller may make things; without a name, their own."""
    if caller.id is None:
        raise log_in()
    owner = find(db, name or caller.name)
    role = role_in(db, caller, owner.id) if owner else None
    if owner is None or role in (None, "read") or not caller.may("write", owner.name):
        raise not_allowed(f"create anything under the namespace {name or caller.name}")
    return owner


def the_admin_of(db: Connection, caller: Caller, owner: Account) -> None:
    """Raise Problem unless the caller looks after a namespace."""
    if role_in(db, caller, owner.id) != "admin" or not caller.may("write", owner.name):
        raise not_allowed(f"look after {owner.name}")
