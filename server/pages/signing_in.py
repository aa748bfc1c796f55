"""Signing in by a token, and out again."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import cookie_parser

from ..access import identify
from ..problem import Problem, WrongToken
from ..routing import Answer, Call, Routes
from ..sessions import end_session, session_cookie
from .rendering import page

routes = Routes()
LONGEST = 500  # letters of a token


@routes.get("/login", query=("next",), look="page")
def form(call: Call) -> Answer:
    """Ask for a token."""
    return page(call, "login.html.jinja", next=_inside(call.query.get("next", "")), wrong=False)


@routes.post("/login", takes="form", private=False, look="page")
def sign_in(call: Call) -> Answer:
    """Begin a session where the token is right, and go on to where one came from."""
    _check_own_form(call)
    where, token = _inside(_field(call, "next")), _field(call, "token").strip()
    with call.hub.database.reading() as db:
        try:
            cookie = _session(db, call, token)
        except WrongToken as wrong:
            wrong.body = {"next": where}
            raise
    return _on_to(where, cookie)


def _session(db: Connection, call: Call, token: str) -> str:
    if not token or len(token) > LONGEST or not token.isascii():
        raise WrongToken
    identify(db, call.hub.secret, f"Bearer {token}")
    return session_cookie(db, call.hub, token, secure=_secure(call))


@routes.post("/logout", takes="form", private=False, look="page")
def sign_out(call: Call) -> Answer:
    """End the session of this browser."""
    _check_own_form(call)
    with call.hub.database.writing() as db:
        cookies = cookie_parser(call.headers.get("cookie", ""))
        ended = end_session(db, call.hub, cookies, secure=_secure(call))
    return _on_to("/", ended)


def _on_to(where: str, cookie: str) -> Answer:
    headers = {"Location": where, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return Answer(status=303, headers=headers)


def _field(call: Call, name: str) -> str:
    return str(call.body.get(name, ""))


def _secure(call: Call) -> bool:
    return call.base.startswith("https:")


def _inside(where: str) -> str:
    """Return an address on this hub, the first page for any other."""
    if not (where.isascii() and where.isprintable()):  # browsers leave tabs out of an address
        return "/"
    inside = where.startswith("/") and not where.startswith(("//", "/\\"))
    return where if inside and not urlsplit(where).netloc else "/"


def _check_own_form(call: Call) -> None:
    """Raise Problem 403 for a form of another site: it would sign somebody in as somebody else.

    Browsers say where a form comes from; what says nothing is no browser, and has no session.
    """
    origin = call.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != call.headers.get("host"):
        raise Problem(403, "This form was not sent by a page of this hub")
