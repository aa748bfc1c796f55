"""Users, organisations, their members, and tokens: looked after by `hubtl hub`, used by the API."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select

from ..registry.errors import BadOption, Refused, UnknownName, nearest
from .schema import accounts, members, repos, tokens

ROLES = ("read", "contribute", "write", "admin")
TOKEN_ROLES = ("read", "write", "fineGrained")
PERMISSIONS = ("read", "write", "discuss")
NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}(?<![.-])", re.ASCII)
# First parts of the Hub's own addresses: an account of that name would hide them.
RESERVED = frozenset(
    "api cas datasets spaces kernels models collections organizations users uploads settings oauth "
    "lfs objects healthz metrics docs login join new search static".split()
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user or an organisation."""

    id: int
    kind: str
    name: str
    fullname: str
    private_by_default: bool


def check_name(name: str) -> None:
    """Raise Refused unless an account may be called so."""
    if not NAME.fullmatch(name) or name.casefold() in RESERVED or name.endswith(".git"):
        raise Refused(
            f"`{name}` can't be the name of an account",
            "letters, digits, `-`, `_` and `.`, and none of the hub's own words",
        )


def add_account(
    db: Connection, name: str, kind: str, fullname: str = "", *, private: bool = False
) -> int:
    """Return the id of a new account; raises Refused where the name is taken."""
    check_name(name)
    if find(db, name):
        raise Refused(f"there is an account `{name}` already", "see `hubtl hub list`")
    row = {
        "kind": kind,
        "name": name,
        "folded": name.casefold(),
        "fullname": fullname or name,
        "private_by_default": private,
        "created": time.time(),
    }
    return int(db.execute(accounts.insert().returning(accounts.c.id), row).scalar_one())


def find(db: Connection, name: str) -> Account | None:
    """Return the account of that name, whatever its case, or None."""
    columns = (accounts.c[key] for key in Account.__dataclass_fields__)
    row = (
        db.execute(select(*columns).where(accounts.c.folded == name.casefold())).mappings().first()
    )
    return Account(**row) if row else None


def the_account(db: Connection, name: str, kind: str | None = None) -> Account:
    """Return the account of that name; raises UnknownName."""
    found = find(db, name)
    if found and kind in (None, found.kind):
        return found
    wanted = select(accounts.c.name)
    names = list(db.execute(wanted.where(accounts.c.kind == kind) if kind else wanted).scalars())
    close = nearest(name, names)
    word = {"user": "user", "org": "organisation"}.get(kind or "", "account")
    raise UnknownName(
        f"there is no {word} `{name}` on this hub",
        f"did you mean `{close}`? see `hubtl hub list`" if close else "see `hubtl hub list`",
    )


def remove_account(db: Connection, name: str, kind: str) -> str:
    """Remove an account and return its name; raises Refused while it still owns repositories."""
    account = the_account(db, name, kind)
    owned = db.execute(select(repos.c.name).where(repos.c.owner_id == account.id)).scalars().all()
    if owned:
        raise Refused(
            f"`{account.name}` still owns {len(owned)} repositories, `{owned[0]}` among them",
            f"move or remove them first: hubtl hub remove {account.name}/{owned[0]}",
        )
    db.execute(delete(accounts).where(accounts.c.id == account.id))
    return account.name


def set_member(db: Connection, org: str, user: str, role: str) -> None:
    """Give a user a role in an organisation, in place of one they had."""
    if role not in ROLES:
        raise BadOption(f"`{role}` is no role in an organisation", f"one of: {', '.join(ROLES)}")
    org_id, user_id = the_account(db, org, "org").id, the_account(db, user, "user").id
    remove_member(db, org_id, user_id)
    db.execute(members.insert(), {"org_id": org_id, "user_id": user_id, "role": role})


def remove_member(db: Connection, org_id: int, user_id: int) -> None:
    """Take a user out of an organisation."""
    both = (members.c.org_id == org_id) & (members.c.user_id == user_id)
    db.execute(delete(members).where(both))


def organisations_of(db: Connection, user_id: int) -> Sequence[RowMapping]:
    """Return a user's organisations with the role in each."""
    joined = members.join(accounts, accounts.c.id == members.c.org_id)
    chosen = select(accounts.c.name, accounts.c.fullname, members.c.role, members.c.org_id)
    found = db.execute(
        chosen.select_from(joined).where(members.c.user_id == user_id).order_by(accounts.c.folded)
    )
    return found.mappings().all()


def members_of(db: Connection, org_id: int) -> Sequence[RowMapping]:
    """Return an organisation's members with the role of each."""
    joined = members.join(accounts, accounts.c.id == members.c.user_id)
    chosen = select(accounts.c.name, accounts.c.fullname, members.c.role)
    found = db.execute(
        chosen.select_from(joined).where(members.c.org_id == org_id).order_by(accounts.c.folded)
    )
    return found.mappings().all()


def digest(pepper: bytes, token: str) -> str:
    """Return what is kept of a token: nobody who reads the database can use it."""
    return hmac.new(pepper, token.encode(), hashlib.sha256).hexdigest()


def add_token(
    db: Connection,
    pepper: bytes,
    user: str,
    *,
    name: str = "",
    value: str = "",
    role: str = "write",
    scopes: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return a new token of a user, shown this once; raises Refused for one that is known."""
    if role not in TOKEN_ROLES:
        raise BadOption(f"`{role}` is no role of a token", f"one of: {', '.join(TOKEN_ROLES)}")
    value = value or f"hf_{secrets.token_urlsafe(32).replace('-', 'x').replace('_', 'y')}"
    if len(value) < 8 or not value.isascii() or not value.isprintable() or " " in value:
        raise BadOption(
            "a token has 8 or more printable characters and no space", "leave --value out"
        )
    account = the_account(db, user, "user")
    row = {
        "user_id": account.id,
        "name": name or f"token-{secrets.token_hex(4)}",
        "digest": digest(pepper, value),
        "role": role,
        "scopes": list(scopes),
        "created": time.time(),
    }
    same_name = (tokens.c.user_id == account.id) & (tokens.c.name == row["name"])
    if db.execute(
        select(tokens.c.id).where(same_name | (tokens.c.digest == row["digest"]))
    ).first():
        raise Refused(
            f"`{account.name}` has a token `{row['name']}` already, or the value is in use",
            f"see `hubtl hub token list {account.name}`",
        )
    db.execute(tokens.insert(), row)
    return value


def tokens_of(db: Connection, user_id: int) -> Sequence[RowMapping]:
    """Return a user's tokens, oldest first, without their values, which nobody has."""
    columns = (tokens.c.name, tokens.c.role, tokens.c.scopes, tokens.c.created)
    chosen = select(*columns).where(tokens.c.user_id == user_id).order_by(tokens.c.id)
    return db.execute(chosen).mappings().all()


def revoke_token(db: Connection, user: str, name: str) -> None:
    """Revoke a user's token by its name; raises UnknownName."""
    account = the_account(db, user, "user")
    known = [row["name"] for row in tokens_of(db, account.id)]
    if name not in known:
        raise UnknownName(
            f"`{account.name}` has no token `{name}`", f"there are: {', '.join(known) or 'none'}"
        )
    db.execute(delete(tokens).where(tokens.c.user_id == account.id, tokens.c.name == name))


def parse_scope(text: str) -> dict[str, Any]:
    """Return the scope that `acme:write` or `acme/moods:read` stands for; raises BadOption."""
    entity, colon, wanted = text.rpartition(":")
    permissions = wanted.split("+")
    if not colon or not entity or not set(permissions) <= {*PERMISSIONS}:
        raise BadOption(
            f"`{text}` is no scope of a token",
            f"OWNER:PERMISSION or OWNER/NAME:PERMISSION, with {'+'.join(PERMISSIONS)}",
        )
    return {"entity": entity, "permissions": permissions}
