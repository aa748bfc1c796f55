"""What a stranger wrote about a model, as a row that can be kept, found and shown.

Hubs hand on what their users typed. Here every field gets its type and a length, and characters
that could steer a terminal or hide in a text are gone, so that nothing after this needs to care.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ..kinship import RELATIONS
from ..trust import FACTS
from .rows import RARE, Row

ID, NAME, ABOUT = 200, 100, 400  # characters
TAGS, TAG, ALL_TAGS = 100, 400, 3000  # how many, characters of one, of all
LARGEST = 2**62
DATE = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


def cleaned(line: str | bytes, today: str) -> Row | None:
    """Return the row of one line of JSON, or None where it tells of no model.

    A field of the wrong type is left out; a date after `today` is no date.
    """
    try:
        told = orjson.loads(line)
    except ValueError:
        told = _read_leniently(line)
    return row_told(told, today) if isinstance(told, dict) else None


def row_told(told: Mapping[str, Any], today: str) -> Row | None:
    """Return what is told of a model as a row, or None where it has no id."""
    get = told.get
    model = text(get("id"), ID)
    if not model:
        return None
    return Row(
        model,
        text(get("hub"), NAME) or "hf",
        "adapter" if get("kind") == "adapter" else "base",
        text(get("licence"), NAME),
        whole(get("params")) or None,
        whole(get("size_bytes")) or None,
        whole(get("downloads")),
        text(get("base"), ID),
        text(get("about"), ABOUT),
        _date(get("date"), today),
        lines(get("tasks")),
        lines(get("domains")),
        lines(get("languages")),
        lines(get("tags")),
        _trust(get("trust")),
        text(get("revision"), NAME),
        relation if (relation := get("relation")) in RELATIONS else None,
        _rare(told) if not told.keys().isdisjoint(RARE) else None,
    )


def text(told: object, longest: int) -> str | None:
    """Return a text of at most so many characters, all of which can be shown, or None."""
    if not told or not isinstance(told, str):
        return None
    if len(told) > longest:
        told = told[:longest]
    if told.isprintable() and told[0] != " ":
        return told
    shown = "".join(each if each.isprintable() else " " for each in told)
    return " ".join(shown.split()) or None


def lines(told: object) -> str | None:
    """Return the texts of a list, one a line, or None; a text alone is a list."""
    if not told:
        return None
    if isinstance(told, str):
        told = [told]
    if not isinstance(told, list):
        return None
    if len(told) == 1:
        return text(told[0], TAG)
    if _plain(told):
        return "\n".join(told)
    shown = (text(each, TAG) for each in told[:TAGS])
    joined = "\n".join(dict.fromkeys(each for each in shown if each))
    return (joined if len(joined) <= ALL_TAGS else joined[:ALL_TAGS].rpartition("\n")[0]) or None


def _plain(told: list[Any]) -> bool:
    """Return whether a list can be kept as it is, as nearly all can."""
    if len(told) > TAGS or "" in told:
        return False
    try:
        joined = "".join(told)
    except TypeError:
        return False
    if len(joined) > TAG or not joined.isprintable():
        return False
    return " " not in joined or not any(each[0] == " " for each in told)


def whole(told: object) -> int | None:
    """Return a whole number that is not below zero and that a database can hold, or None."""
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    return told if type(told) is int and 0 <= told <= LARGEST else None  # True is no number


def _read_leniently(line: str | bytes) -> object:
    """Return what JSON of Python's own says, with bytes that are no text, NaN, or half a sign."""
    try:
        return json.loads(line if isinstance(line, str) else line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _date(told: object, today: str) -> str | None:
    day = told[:10] if isinstance(told, str) else ""
    return day if day <= today and _is_day(day) else None


@functools.lru_cache(maxsize=16384)
def _is_day(day: str) -> bool:
    return DATE.fullmatch(day) is not None


def _trust(told: object) -> str | None:
    if not told or not isinstance(told, list):
        return None
    if len(told) == 1:
        return told[0] if told[0] in FACTS else None
    return "\n".join([fact for fact in FACTS if fact in told]) or None


def _rare(told: Mapping[str, Any]) -> str | None:
    """Return what few models have, as JSON."""
    get = told.get
    found = {
        "base_revision": text(get("base_revision"), NAME),
        "upon": text(get("upon"), ID),
        "metrics": {
            key: number
            for key, each in _named(get("metrics"))
            if (number := _number(each)) is not None
        },
        "intervals": {
            key: ends for key, each in _named(get("intervals")) if (ends := _ends(each)) is not None
        },
        "tested_on": text(get("tested_on"), NAME),
        "test_rows": whole(get("test_rows")),
        "architecture": text(get("architecture"), NAME),
        "source": (lines(get("source")) or "").split("\n"),
    }
    kept = {name: value for name, value in found.items() if value and value != [""]}
    return json.dumps(kept, ensure_ascii=False) if kept else None


def _number(told: object) -> float | None:
    fine = isinstance(told, int | float) and not isinstance(told, bool) and abs(told) < 1e300
    return float(told) if fine and math.isfinite(told) else None  # type: ignore[arg-type]


def _ends(told: object) -> tuple[float, float] | None:
    numbers = [_number(end) for end in told] if isinstance(told, list) and len(told) == 2 else []
    low, high = numbers or (None, None)
    return None if low is None or high is None else (low, high)


def _named(told: object) -> Iterable[tuple[str, Any]]:
    items = list(told.items())[:TAGS] if isinstance(told, Mapping) else ()
    return ((name, value) for key, value in items if (name := text(key, NAME)))
