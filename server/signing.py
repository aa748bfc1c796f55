"""Addresses that carry a right of their own for a while: to send one content, or to fetch one."""

from __future__ import annotations

from typing import Any, NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

from .hub import TeamHub
from .problem import Problem

# The purpose of an address that gives one content to read.
OBJECT = "a repository's object"
DOWNLOAD_SECONDS = 24 * 3600
# Where addresses and requests carry a right of their own, so a caller's token is not for us.
SIGNED = ("/lfs/", "/objects/", "/cas/")


class ObjectRight(NamedTuple):
    """To read one content of a repository, for as long as the user may who had it signed."""

    user_id: int | None  # None for nobody known
    repo_id: int
    sha256: str
    path: str
    headers: dict[str, str]


def sign(hub: TeamHub, purpose: str, right: Any) -> str:
    """Return a text that stands for a right, and that nobody else can make."""
    return str(URLSafeTimedSerializer(hub.secret, salt=purpose).dumps(right))


def signed(hub: TeamHub, purpose: str, text: str, seconds: int) -> Any:
    """Return the right that a text stands for; raises Problem 403 for a wrong or an old one."""
    try:
        return URLSafeTimedSerializer(hub.secret, salt=purpose).loads(text, max_age=seconds)
    except (BadData, ValueError) as error:
        raise Problem(403, "This address is not, or no longer, good for anything") from error
