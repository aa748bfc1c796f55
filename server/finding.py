"""Finding repositories: what a query asks for, which rows fit, and where the next page starts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from .access import Caller
from .problem import Problem
from .repos import COLUMNS, JOINED, Repo
from .schema import accounts, members, repo_tags, repos

SORTS = {
    "createdAt": repos.c.created,
    "lastModified": repos.c.modified,
    "downloads": repos.c.downloads,
    "likes": repos.c.likes,
    # The real Hub's trend is its own secret; here what is most downloaded comes first.
    "trendingScore": repos.c.downloads,
}
SIZES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
BOUND = re.compile(r"(min|max):(\d+(?:\.\d+)?)([KMBT]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing asks for; what is None or empty is not asked."""

    kind: str
    search: Sequence[str] = ()
    tags: Sequence[str] = ()
    author: str | None = None
    task: str | None = None
    gated: bool | None = None
    parameters: str | None = None
    sort: str = "trendingScore"
    after: str | None = None


def find_repos(
    db: Connection, caller: Caller, wanted: Wanted, limit: int
) -> tuple[list[Repo], str | None]:
    """Return a page of the repositories that fit and that the caller may see, and the next cursor.

    Ordered downwards by what was asked, the newest first among equals.
    """
    if wanted.sort not in SORTS:
        raise Problem(400, f'"sort" must be one of {", ".join(SORTS)}')
    key = SORTS[wanted.sort]
    conditions = [repos.c.kind == wanted.kind, seen_by(caller), *_conditions(wanted)]
    if wanted.after:
        value, number = _cursor(wanted.after)
        conditions.append(or_(key < value, and_(key == value, repos.c.id < number)))
    chosen = select(*COLUMNS).select_from(JOINED).where(*conditions)
    rows = db.execute(chosen.order_by(key.desc(), repos.c.id.desc()).limit(limit + 1)).mappings()
    found = [Repo(**row) for row in rows]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _as_cursor(getattr(last, key.name), last.id)


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a repository is there for the caller."""
    if caller.id is None:
        return ~repos.c.private
    theirs = select(members.c.org_id).where(members.c.user_id == caller.id)
    mine = or_(repos.c.owner_id == caller.id, repos.c.owner_id.in_(theirs))
    if caller.role == "fineGrained":
        reached = [scope["entity"].casefold() for scope in caller.scopes]
        name = accounts.c.folded + "/" + repos.c.name
        mine = and_(mine, or_(accounts.c.folded.in_(reached), func.lower(name).in_(reached)))
    return or_(~repos.c.private, mine)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for words in wanted.search:
        for word in words.casefold().split():
            found.append(repos.c.folded.contains(word, autoescape=True))
    for tag in wanted.tags:
        having = select(repo_tags.c.repo_id).where(repo_tags.c.tag == tag[:256].casefold())
        found.append(repos.c.id.in_(having))
    if wanted.author:
        found.append(accounts.c.folded == wanted.author.casefold())
    if wanted.task:
        found.append(repos.c.task == wanted.task)
    if wanted.gated is not None:
        found.append(repos.c.gated.is_not(None) if wanted.gated else repos.c.gated.is_(None))
    if wanted.parameters:
        found += _bounds(wanted.parameters)
    return found


def _bounds(text: str) -> list[ColumnElement[bool]]:
    """Return the conditions that `min:6B,max:128B` stands for; raises Problem."""
    found: list[ColumnElement[bool]] = []
    for part in text.split(","):
        match = BOUND.fullmatch(part.strip())
        if not match:
            raise Problem(400, '"num_parameters" must be like min:6B,max:128B')
        side, number, unit = match.groups()
        value = int(min(float(number[:20]) * SIZES[unit.upper()], 1 << 62))
        least = side.casefold() == "min"
        found.append(repos.c.parameters >= value if least else repos.c.parameters <= value)
    return found


def _as_cursor(value: float, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, number]).encode()).decode()


def _cursor(text: str) -> tuple[float, int]:
    try:
        value, number = json.loads(base64.urlsafe_b64decode(text.encode()))
        found = float(value), int(number)
    except (ValueError, TypeError, OverflowError) as error:
        raise Problem(400, '"cursor" must come from the page before') from error
    if not abs(found[0]) < 1 << 53 or not 0 <= found[1] < 1 << 53:
        raise Problem(400, '"cursor" must come from the page before')
    return found
