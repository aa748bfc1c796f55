"""A browser's session: a cookie that stands for the token somebody signed in with.

It holds the token's number, signed, and not the token: nothing that a cookie has can be used on the
API, which takes tokens alone, and with the token's end the session ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from .access import NOBODY, Caller, caller_where
from .accounts import digest
from .hub import TeamHub
from .problem import Problem
from .schema import tokens
from .signing import sign, signed

COOKIE = "hubtl_session"
SECONDS = 14 * 24 * 3600
PURPOSE = "a browser's session"


def session_caller(db: Connection, hub: TeamHub, cookies: Mapping[str, str]) -> Caller:
    """Return whose session a request's cookies hold, or NOBODY for none or one that has ended."""
    if COOKIE not in cookies:
        return NOBODY
    try:
        number = int(signed(hub, PURPOSE, cookies[COOKIE], SECONDS))
    except (Problem, TypeError):
        return NOBODY
    return caller_where(db, tokens.c.id == number) or NOBODY


def session_cookie(db: Connection, hub: TeamHub, token: str, *, secure: bool) -> str:
    """Return the header that begins the session of a token that is known to be right.

    No script may read it, no other site's page may send it, and over TLS nothing else carries it.
    """
    number = select(tokens.c.id).where(tokens.c.digest == digest(hub.secret, token))
    value = sign(hub, PURPOSE, db.execute(number).scalar_one())
    return _header(value, SECONDS, secure)


def no_session(*, secure: bool) -> str:
    """Return the header that ends a session."""
    return _header("", 0, secure)


def _header(value: str, seconds: int, secure: bool) -> str:
    safe = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{safe}"
