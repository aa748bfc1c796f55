"""A page: a template filled with what is escaped, under headers that let nothing else in."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from ..access import NOBODY, Caller
from ..answers import failure
from ..problem import Problem, WrongToken
from ..routing import Answer, Call
from .measured import title_of

HERE = Path(__file__).parent
# There is no script on any page, and none that gets into one is run: it may ask for nothing but
# the hub's own stylesheet and pictures, and send a form nowhere else.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # a form of ours must be told from another site's
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
}
STATUS = {401: "Sign in first", 403: "Not for you", 404: "Nothing here", 410: "Gone"}


def page(call: Call, template: str, *, status: int = 200, **values: Any) -> Answer:
    """Return a page made of a template beside this file; all that it is given is escaped."""
    return Answer(_filled(template, call.caller, call.path, **values), status, HEADERS)


def failure_page(error: Exception, request: Request) -> Response:
    """Return the response to whatever a page raised: by a page, or on to where one signs in.

    What is not there and what may not be seen give the same page, whoever asks.
    """

    def told(problem: Problem) -> Response:
        caller = request.scope.get("caller", NOBODY)
        path = request.scope["path"]
        if path == "/login" and isinstance(problem, WrongToken):
            asked = {"next": problem.body.get("next", "/"), "wrong": True}
            return Response(_filled("login.html.jinja", caller, path, **asked), 401, HEADERS)
        if problem.status == 401 and not problem.code and not caller.known:
            where = f"{path}?{request.url.query}" if request.url.query else path
            return Response(status_code=303, headers={"Location": sign_in_at(where)})
        hidden = problem.code == "RepoNotFound"
        status = 404 if hidden else problem.status
        values = {
            "status": status,
            "title": STATUS.get(status, "That did not work"),
            "message": problem.message,
            "hidden": hidden and not caller.known,
        }
        text = _filled("failure.html.jinja", caller, path, **values)
        return Response(text, status, {**problem.headers, **HEADERS})

    return failure(error, request, told)


def sign_in_at(where: str) -> str:
    """Return the address to sign in at, from which one comes back."""
    return f"/login?{urlencode({'next': where})}"


def _filled(template: str, caller: Caller, path: str, **values: Any) -> str:
    common = {"caller": caller, "here": path, "sign_in": sign_in_at(path), "search": ""}
    return pages().get_template(template).render({**common, **values})


@functools.cache
def pages() -> Environment:
    """Return what fills templates, with the words that these share."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "size": size,
        "count": count,
        "day": day,
        "part": lambda text: quote(text, safe=""),
        "path": lambda text: quote(text, safe="/"),
        "said": said,
    }
    made.globals |= {"query": query, "title_of": title_of, "style": asset("style.css")[1]}
    return made


@functools.cache
def asset(name: str) -> tuple[bytes, str]:
    """Return a file that pages are made with, and the start of its hash."""
    content = (HERE / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]


def size(number: float) -> str:
    """Return a number of bytes as a person says it."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def count(number: float) -> str:
    """Return a large number shortly: `22.7M`."""
    for unit in ("", "K", "M", "B"):
        if number < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}T"


def day(seconds: float) -> str:
    """Return the day of a moment, at UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def said(number: int, word: str, many: str = "") -> str:
    """Return `1 model`, `2,000 models`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def query(values: Mapping[str, str], **changes: str | None) -> str:
    """Return a query with some values changed, those that are empty left out: `?task=…`."""
    left = {name: value for name, value in {**values, **changes}.items() if value}
    return f"?{urlencode(left)}" if left else "?"
