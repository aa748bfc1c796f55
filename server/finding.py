"""Finding repositories: what a query asks for, which rows fit, and where the next page starts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    literal_column,
    or_,
    select,
)

from .access import Caller
from .names import is_rare, named
from .problem import Problem
from .repos import COLUMNS, JOINED, KINDS, Repo
from .schema import accounts, members, mirrors, repo_tags, repos

SORTS = {
    "createdAt": repos.c.created,
    "lastModified": repos.c.modified,
    "downloads": repos.c.downloads,
    "likes": repos.c.likes,
    # The real Hub's trend is its own secret; here what is most downloaded comes first.
    "trendingScore": repos.c.downloads,
}
SIZES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
MOST_CONDITIONS = 50  # of one sort; SQLite has an end to how many it takes
MOST_WORDS, LONGEST_WORD = 20, 100
MOST_BOUNDS = 4
# What files tell, without the most of a card, which can be as much as all the rest of a page.
TOLD = ("config", "bases", "library", "task", "safetensors", "tags")
TOLD_OF_CARD = ("sdk", "description", "pretty_name")
BOUND = re.compile(r"(min|max):(\d+(?:\.\d+)?)([KMBT]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing asks for; what is None or empty is not asked."""

    kind: str
    search: Sequence[str] = ()
    tags: Sequence[str] = ()
    linked: bool = False  # to a model or a data set that it uses
    author: str | None = None
    task: str | None = None
    gated: bool | None = None
    parameters: str | None = None
    sort: str = "trendingScore"
    after: str | None = None


def find_repos(
    db: Connection, caller: Caller, wanted: Wanted, limit: int, *, cards: bool = True
) -> tuple[list[Repo], str | None]:
    """Return a page of the repositories that fit and that the caller may see, and the next cursor.

    Ordered downwards by what was asked, the newest first among equals. Without `cards`, their facts
    have no more of a card than TOLD_OF_CARD.
    """
    key = _key(wanted.sort)
    columns = COLUMNS if cards else (*OTHER_COLUMNS, *SHORT_FACTS)
    chosen = select(*columns).select_from(JOINED).where(_first(db, caller, wanted, limit + 1))
    rows = db.execute(chosen.order_by(key.desc(), repos.c.id.desc())).mappings()
    found = [Repo(**row) if cards else _shortly(row) for row in rows]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _as_cursor(getattr(last, key.name), last.id)


OTHER_COLUMNS = tuple(column for column in COLUMNS if column is not repos.c.facts)
SHORT_FACTS = (
    *(repos.c.facts[name].label(f"facts_{name}") for name in TOLD),
    *(repos.c.facts[("card", name)].label(f"card_{name}") for name in TOLD_OF_CARD),
)


def _shortly(row: RowMapping) -> Repo:
    facts = {name: row[f"facts_{name}"] for name in TOLD}
    card = {name: row[f"card_{name}"] for name in TOLD_OF_CARD}
    rest = {column.name: row[column.name] for column in OTHER_COLUMNS}
    return Repo(**rest, facts={**facts, "card": card})


def repos_of(db: Connection, caller: Caller, owner_id: int, start: int, limit: int) -> list[Repo]:
    """Return a page of an owner's repositories of all kinds, as far as the caller may see them.

    The last changed come first.
    """
    chosen = select(*COLUMNS).select_from(JOINED)
    chosen = chosen.where(repos.c.owner_id == owner_id, seen_by(caller))
    ordered = chosen.order_by(repos.c.modified.desc(), repos.c.id.desc())
    return [Repo(**row) for row in db.execute(ordered.offset(start).limit(limit)).mappings()]


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a repository is there for the caller."""
    if caller.id is None:
        return ~repos.c.private
    theirs = select(members.c.org_id).where(members.c.user_id == caller.id)
    mine = or_(
        repos.c.owner_id == caller.id,
        repos.c.owner_id.in_(theirs),
        repos.c.id.in_(select(mirrors.c.repo_id)),
    )
    if caller.role == "fineGrained":
        readable = [each for each in caller.scopes if {"read", "write"} & {*each["permissions"]}]
        reached = [scope["entity"].casefold() for scope in readable]
        owners = select(accounts.c.id).where(accounts.c.folded.in_(reached))
        named = [f"{kind}/{entity}" for kind in KINDS for entity in reached]
        mine = and_(mine, or_(repos.c.owner_id.in_(owners), repos.c.folded.in_(named)))
    return or_(~repos.c.private, mine)


def fitting(db: Connection, caller: Caller, wanted: Wanted, most: int) -> Select[Any]:
    """Return the question for number, task and owner of the first that fit and may be seen."""
    return _ordered(db, caller, wanted, (repos.c.id, repos.c.task, repos.c.owner_id)).limit(most)


def _first(db: Connection, caller: Caller, wanted: Wanted, most: int) -> ColumnElement[bool]:
    """Return the condition to be among the first that fit; their numbers alone are put in order."""
    return repos.c.id.in_(_ordered(db, caller, wanted, (repos.c.id,)).limit(most))


def _ordered(
    db: Connection, caller: Caller, wanted: Wanted, columns: Sequence[Column[Any]]
) -> Select[Any]:
    key, conditions = _key(wanted.sort), _asked(db, caller, wanted)
    if wanted.after:
        value, number = _cursor(wanted.after)
        conditions.append(or_(key < value, and_(key == value, repos.c.id < number)))
    return select(*columns).where(*conditions).order_by(key.desc(), repos.c.id.desc())


def _key(sort: str) -> Column[Any]:
    if sort not in SORTS:
        raise Problem(400, f'"sort" must be one of {", ".join(SORTS)}')
    return SORTS[sort]


def _asked(db: Connection, caller: Caller, wanted: Wanted) -> list[ColumnElement[bool]]:
    said = " ".join(wanted.search).casefold().split()
    words = [word[:LONGEST_WORD] for word in said[:MOST_WORDS]]
    # A plus keeps SQLite from going through all of a kind in order where few have a word.
    rare = bool(words) and is_rare(db, words)
    kind = literal_column("+repos.kind", String) if rare else repos.c.kind
    named_so = [named(db, wanted.kind, words)] if words else []
    return [kind == wanted.kind, seen_by(caller), *named_so, *_conditions(wanted)]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for tag in wanted.tags[:MOST_CONDITIONS]:
        having = select(repo_tags.c.repo_id).where(repo_tags.c.tag == tag[:256].casefold())
        found.append(repos.c.id.in_(having))
    if wanted.linked:
        uses = or_(*(repo_tags.c.tag.startswith(f"{kind}:") for kind in ("model", "dataset")))
        found.append(repos.c.id.in_(select(repo_tags.c.repo_id).where(uses)))
    if wanted.author:
        owner = select(accounts.c.id).where(accounts.c.folded == wanted.author.casefold())
        found.append(repos.c.owner_id == owner.scalar_subquery())
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
    for part in text.split(",")[:MOST_BOUNDS]:
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
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Problem(400, '"cursor" must come from the page before') from error
    if not abs(found[0]) < 1 << 53 or not 0 <= found[1] < 1 << 53:
        raise Problem(400, '"cursor" must come from the page before')
    return found
