"""What goes back: JSON, files by ranges, and refusals as the Hub words them."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DatabaseError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ..registry.errors import Refused, Unreachable
from .dialects import is_away, is_full, said_by
from .problem import Problem
from .repos import Moved
from .routing import Answer

TEXT = "text/plain; charset=utf-8"
LATER = {"Retry-After": "5"}  # when a server that was started anew answers, mostly
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def as_response(found: Any) -> Response:
    """Return the response for what a route answered."""
    if isinstance(found, Response):
        return found
    if not isinstance(found, Answer):
        found = Answer(found)
    if found.body is None:
        return Response(status_code=found.status, headers=dict(found.headers))
    if isinstance(found.body, str | bytes):
        return Response(found.body, found.status, {"Content-Type": TEXT, **found.headers})
    return JSONResponse(found.body, found.status, dict(found.headers))


def problem_response(problem: Problem) -> Response:
    """Return a refusal as the Hub words it: in the body, and in headers that its client reads."""
    safe = problem.message.encode("ascii", "replace").decode()
    safe = "".join(letter if letter.isprintable() else " " for letter in safe)[:500]
    headers = {"X-Error-Message": safe, **problem.headers}
    if problem.code:
        headers["X-Error-Code"] = problem.code
    text = problem.message.encode("utf-8", "replace").decode()
    return JSONResponse({"error": text, **problem.body}, problem.status, headers)


def _moved(request: Request, error: Moved) -> Response:
    """Send a client on to what a repository is called now."""
    params = request.path_params
    old, new = f"/{params['owner']}/{params['name']}", f"/{error.repo.id_}"
    if params["name"].endswith(".git"):
        new += ".git"
    path = request.scope["path"].replace(old, new, 1)
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=307, headers={"Location": f"{path}{query}"})


def failure(
    error: Exception, request: Request, told: Callable[[Problem], Response] = problem_response
) -> Response:
    """Return the response to whatever a route raised; what nobody foresaw goes to the log."""
    if isinstance(error, Problem):
        return told(error)
    if isinstance(error, Moved):
        return _moved(request, error)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # nobody is there to read it
    full = isinstance(error, OSError) and error.errno in FULL
    if full or (isinstance(error, DatabaseError) and is_full(error)):
        # 507 is not one of the statuses on which clients try again at once.
        return told(Problem(507, "The hub's disk is full: nothing was changed"))
    # The bucket that contents lie in is away or takes no key now; clients try again.
    if isinstance(error, Unreachable | Refused):
        logging.getLogger("hubtl.server").error("%s", error)
        return told(Problem(503, "The hub's store does not answer now", headers=LATER))
    if is_away(error):
        logging.getLogger("hubtl.server").error("the database does not answer: %s", said_by(error))
        return told(Problem(503, "The hub's database does not answer now", headers=LATER))
    logging.getLogger("hubtl.server").error("a request failed", exc_info=error)
    if isinstance(error, FileNotFoundError):
        # Trying again brings no content back; `hubtl hub check` names what is missing.
        return told(Problem(410, "A content is missing from this hub's store"))
    return told(Problem(500, "The hub failed: its log says why"))
