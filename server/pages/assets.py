"""The stylesheet and the icon: the two files that all pages share."""

from __future__ import annotations

from ..problem import Problem
from ..routing import Answer, Call, Routes
from . import rendering

routes = Routes()
KINDS = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


@routes.get("/static/{name}", query=("v",), look="page")
def asset(call: Call) -> Answer:
    """Return one of the files that pages are made with; another version has another address."""
    name = call.params["name"]
    if name not in KINDS:
        raise Problem(404, "There is no such file")
    content, version = rendering.asset(name)
    tag = f'"{version}"'
    headers = {
        "Content-Type": KINDS[name],
        "Cache-Control": "public, max-age=86400",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    if tag in call.headers.get("if-none-match", ""):
        return Answer(status=304, headers=headers)
    return Answer(content, headers=headers)
