"""What the hub writes down: who changed what, and what went on, in lines with no token in them."""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import sys
import threading
import time
from contextvars import ContextVar
from typing import Any, Literal

from starlette.types import Scope

from .access import NOBODY, Caller
from .hub import TeamHub
from .signing import SIGNED

LONGEST_HASH = 64  # in an address; a right that was signed is longer
UNKNOWN = "unknown"
# Nothing writes a header, a query or a body down; this is for what an exception may say.
TOKEN = re.compile(r"\bhf_\w{6,}|(?<=Bearer )[\w.~+/=-]+|(?<=://)[^/@\s]+(?=@)")
# The name of the request that is being answered, in whatever thread.
REQUEST: ContextVar[str] = ContextVar("request", default="")
log = logging.getLogger("hubtl.server")
requests = logging.getLogger("hubtl.requests")

Form = Literal["text", "json"]


def write_logs(form: Form) -> None:
    """Send what is logged to stderr: warnings as text, or all requests too, in lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    requests.setLevel(logging.INFO if form == "json" else logging.WARNING)


class Text(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return a line, and a traceback where there is one."""
        return TOKEN.sub("...", super().format(record))


class Lines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the request's name, and what more."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        line: dict[str, Any] = {"time": _now(record.created)}
        line |= {"level": record.levelname.lower(), "logger": record.name}
        line |= {"message": record.getMessage(), "request": REQUEST.get() or None}
        line |= getattr(record, "told", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        texts = {name: TOKEN.sub("...", text) for name, text in line.items() if type(text) is str}
        return json.dumps({**line, **texts})


def access(scope: Scope, status: int, took: float, sent: int) -> None:
    """Log a request that was answered; `took` in seconds, `sent` in bytes."""
    if requests.isEnabledFor(logging.INFO):
        told = {**_told(scope, status, took), "bytes": sent}
        requests.info("%s %s", scope["method"], status, extra={"told": told})


class Audit:
    """Who changed what: a line of JSON each, without addresses' queries, bodies or tokens."""

    def __init__(self, hub: TeamHub) -> None:
        self._path = hub.audit_log
        self._turn = threading.Lock()

    def write(self, scope: Scope, status: int, took: float) -> None:
        """Add a line."""
        line = {"time": _now(), **_told(scope, status, took), "request": REQUEST.get()}
        try:
            with self._turn, self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            log.warning("the audit log can't be written: %s", error)


def _told(scope: Scope, status: int, took: float) -> dict[str, Any]:
    caller: Caller = scope.get("caller", NOBODY)
    return {
        "user": caller.name or None,
        "token": caller.token or None,  # what its owner called it
        "address": address_of(scope),
        "method": scope["method"],
        "path": _without_rights(scope["path"])[:500],
        "status": status,
        "ms": round(took * 1000),
    }


def _now(moment: float | None = None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _without_rights(path: str) -> str:
    """Return a path as the log has it: whoever reads that must not be able to upload, say."""
    if not path.startswith(SIGNED):
        return path
    return "/".join("..." if len(part) > LONGEST_HASH else part for part in path.split("/"))


def address_of(scope: Scope) -> str:
    """Return where a request comes from; what a proxy says of that may be any text."""
    client = scope.get("client")
    try:
        return str(ipaddress.ip_address(client[0])) if client else UNKNOWN
    except ValueError:
        return UNKNOWN
