"""A browser's session: a cookie that stands for the token somebody signed in with.

It holds the token's number and the session's name, signed, and not the token: nothing that a cookie
has can be used on the API, which takes tokens alone. With the token's end the session ends, and by
signing out: a copy of the cookie is good for nothing then.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from sqlalchemy import Connection, delete, exists, select

from .access import NOBODY, Caller, caller_where
from .accounts import digest
from .dialects import insert_new
from .hub import TeamHub
from .problem import Problem
from .schema import ended_sessions, tokens
from .signing import sign, signed

COOKIE = "hubtl_session"
SECONDS = 14 * 24 * 3600
PURPOSE = "a browser's session"


def session_caller(db: Connection, hub: TeamHub, cookies: Mapping[str, str]) -> Caller:
    """Return whose session a request's cookies hold, or NOBODY for none or one that has ended."""
    found = _session(hub, cookies)
    if found is None:
        return NOBODY
    number, name = found
    ended = exists().where(ended_sessions.c.name == name)
    return caller_where(db, (tokens.c.id == number) & ~ended) or NOBODY


def _session(hub: TeamHub, cookies: Mapping[str, str]) -> tuple[int, str] | None:
    """Return the number of a token and the name of its session, None for no cookie of ours."""
    try:
        number, name = signed(hub, PURPOSE, cookies[COOKIE], SECONDS)
        return int(number), str(name)
    except (KeyError, Problem, TypeError, ValueError):
        return None


def session_cookie(db: Connection, hub: TeamHub, token: str, *, secure: bool) -> str:
    """Return the header that begins the session of a token that is known to be right.

    No script may read it, no other site's page may send it, and over TLS nothing else carries it.
    """
    number = select(tokens.c.id).where(tokens.c.digest == digest(hub.secret, token))
    value = sign(hub, PURPOSE, [db.execute(number).scalar_one(), secrets.token_hex(16)])
    return _header(value, SECONDS, secure)


def end_session(db: Connection, hub: TeamHub, cookies: Mapping[str, str], *, secure: bool) -> str:
    """End a session for whoever has its cookie; returns the header that takes it from a browser.

    `db` is held for writing. What would have ended by itself by now is forgotten.
    """
    now, found = time.time(), _session(hub, cookies)
    db.execute(delete(ended_sessions).where(ended_sessions.c.until < now))
    if found:
        insert_new(db, ended_sessions, [{"name": found[1], "until": now + SECONDS}])
    return _header("", 0, secure)


def _header(value: str, seconds: int, secure: bool) -> str:
    safe = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{safe}"
