"""Make an index hold the listings that count: by changes, or built anew where they are many."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from ..errors import Refused
from .changing import change
from .cleaning import cleaned
from .construction import Told, build
from .folder import held, opened
from .listing import Kept, about_of, listings

FEW = 4 << 20  # bytes of listings that are put in one by one, however small the index is
SHARE = 32  # and of a larger index's listings such a part of all


def follow(folder: Path, *, anew: bool = False, told: Told | None = None) -> int:
    """Return how many entries an index has, now that it holds the listings that count.

    Listings that count no more are removed. With `anew` it is built from them whatever it holds.
    Raises Refused where there are too many models, or another process builds.
    """
    with held(folder):
        there = list((folder / "listings").glob("*@*.jsonl"))
        count_in = listings(folder)
        entries = None if anew else _changed(folder, count_in)
        if entries is None:
            entries = build(folder, [each.path for each in count_in], told=told)
        for path in {*there} - {each.path for each in count_in}:
            path.unlink()
    return entries


def _changed(folder: Path, count_in: Sequence[Kept]) -> int | None:
    """Return how many entries an index has that was changed to hold these, None: build it."""
    facts = _facts(folder)
    if facts is None:
        return None
    entries, holds = facts
    steps = _steps(folder, count_in, holds)
    if steps is None:
        return None
    try:
        for new, old in steps:
            holds = [name for name in holds if name not in {each.path.name for each in old}]
            holds.append(new.path.name)
            entries = _put(folder, new, old, holds)
    except (Refused, sqlite3.DatabaseError):  # it is full, or spoilt
        return None
    return entries


def _facts(folder: Path) -> tuple[int, list[str]] | None:
    """Return how many entries an index has and which listings, where it can be read."""
    database = opened(folder)
    if database is None:
        return None
    try:
        facts = dict(database.execute("SELECT name, value FROM fact"))
        return facts["entries"], json.loads(facts["listings"])
    except (sqlite3.DatabaseError, KeyError, ValueError):
        return None
    finally:
        database.close()


def _steps(
    folder: Path, count_in: Sequence[Kept], holds: Sequence[str]
) -> list[tuple[Kept, list[Kept]]] | None:
    """Return the new listings, each with those whose place it takes, or None where they are many.

    None too where an old one counts no more and no new one says of all its models what they are.
    """
    names = [each.path.name for each in count_in]
    stay = [name for name in holds if name in names]
    if names[: len(stay)] != stay:
        return None
    new = [each for each in count_in if each.path.name not in stay]
    paths = [folder / "listings" / name for name in holds if name not in stay]
    old = [Kept(path, about) for path in paths if path.exists() and (about := about_of(path))]
    steps: list[tuple[Kept, list[Kept]]] = []
    for each in new:
        taken = [one for one in old if each.about.tells_all and each.about.covers(one.about)]
        old = [one for one in old if one not in taken]
        steps.append((each, taken))
    if old or len(paths) != sum(len(taken) for _, taken in steps):
        return None
    moved = sum(each.path.stat().st_size for each in new)
    whole = sum(each.path.stat().st_size for each in count_in)
    return steps if moved <= max(FEW, whole // SHARE) else None


def _put(folder: Path, new: Kept, old: Sequence[Kept], holds: Sequence[str]) -> int:
    """Put a listing into an index, take out what those before it had and it has not."""
    gone = {
        (row.hub, row.id)
        for each in old
        for line in each.lines()
        if (row := cleaned(line, each.about.until[:10]))
    }
    about = new.about
    whole = [(about.hub, about.organisation)] if about.tells_all and about.organisation else []
    return change(folder, new.lines(), gone, all_of=whole, listings=holds)
