"""What a client is told when something is not to be had, as the Hub words it.

The Hub's client tells errors apart by the header X-Error-Code first and by the status second; it
tries again on 408, 429, 500, 502, 503 and 504, so none of those may stand for what will not pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """An answer that is a refusal: a status, one sentence, and the code the client knows it by."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.body = body


class WrongToken(Problem):
    """A token that is nobody's; who sends many is made to wait."""

    def __init__(self) -> None:
        super().__init__(401, "Invalid credentials in Authorization header")


def no_repository(known_caller: bool) -> Problem:
    """Return the answer for what is not there or may not be seen: the two must look the same."""
    if known_caller:
        return Problem(404, "Repository not found", "RepoNotFound")
    return Problem(401, "Repository not found", "RepoNotFound")


def no_revision(name: str) -> Problem:
    """Return the answer for a branch, tag or commit that is not there."""
    return Problem(404, f"Invalid rev id: {name}", "RevisionNotFound")


def no_entry(path: str, revision: str) -> Problem:
    """Return the answer for a file or folder that a revision does not have."""
    return Problem(404, f'Entry not found: "{path}" is not in {revision}', "EntryNotFound")


def not_allowed(what: str) -> Problem:
    """Return the answer to somebody who may look but not touch."""
    return Problem(403, f"You don't have the rights to {what}")


def log_in() -> Problem:
    """Return the answer to somebody unknown who would have to say who they are."""
    return Problem(401, "You need to be logged in: give a token in the Authorization header")
