"""What a stranger wrote about a model, as an entry that can be kept, found and shown.

Hubs hand on what their users typed. Here every field gets its type and a length, and every character
that could steer a terminal or hide in a text is gone, so that nothing after this needs to care.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..entry import Entry, Kind

ID, NAME, TAGS, ABOUT = 200, 100, 100, 400  # characters, characters, how many, characters
LARGEST = 2**62
DATE = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


def cleaned(line: str | bytes, today: str) -> Entry | None:
    """Return the entry of one line of JSON, or None where it tells of no model.

    A field of the wrong type is left out; a date after `today` is no date.
    """
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry_of(told, today) if isinstance(told, dict) else None


def entry_of(told: Mapping[str, Any], today: str) -> Entry | None:
    """Return what is told of a model as an entry, or None where it has no id."""
    get = told.get
    model = text(get("id"), ID)
    if not model:
        return None
    kind: Kind = "adapter" if get("kind") == "adapter" else "base"
    return Entry(
        id=model,
        hub=text(get("hub"), NAME) or "hf",
        kind=kind,
        tasks=texts(get("tasks")),
        domains=texts(get("domains")),
        languages=texts(get("languages")),
        licence=text(get("licence"), NAME) or None,
        params=whole(get("params")),
        size_bytes=whole(get("size_bytes")),
        revision=text(get("revision"), NAME) or None,
        downloads=whole(get("downloads")),
        base=text(get("base"), ID) or None,
        base_revision=text(get("base_revision"), NAME) or None,
        upon=text(get("upon"), ID) or None,
        metrics=_numbers(get("metrics")),
        intervals=_intervals(get("intervals")),
        tested_on=text(get("tested_on"), NAME) or None,
        test_rows=whole(get("test_rows")),
        architecture=text(get("architecture"), NAME) or None,
        tags=texts(get("tags")),
        about=text(get("about"), ABOUT),
        source=texts(get("source")),
        date=_date(get("date"), today),
    )


def text(told: object, longest: int) -> str:
    """Return a text in one line of at most so many characters, all of which can be shown."""
    if not isinstance(told, str) or not told:
        return ""
    if len(told) > longest:
        told = told[:longest]
    if told.isprintable() and told[0] != " " != told[-1] and "  " not in told:
        return told
    return " ".join("".join(each if each.isprintable() else " " for each in told).split())


def texts(told: object) -> tuple[str, ...]:
    """Return the texts of a list, each once and as `text` gives it; a text alone is a list."""
    if not told:
        return ()
    if isinstance(told, str):
        told = (told,)
    if not isinstance(told, list | tuple):
        return ()
    found = [_fact(each[: ID + NAME]) for each in told[:TAGS] if isinstance(each, str)]
    return tuple(dict.fromkeys(filter(None, found)))


@functools.lru_cache(maxsize=65536)
def _fact(told: str) -> str:
    """Return a tag or the like, where ids of bases may stand after `base_model:adapter:`."""
    return text(told, ID + NAME)


def whole(told: object) -> int | None:
    """Return a whole number that is not below zero and that a database can hold, or None."""
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    fine = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= LARGEST
    return told if fine else None  # type: ignore[return-value]


def _date(told: object, today: str) -> str | None:
    day = told[:10] if isinstance(told, str) else ""
    return day if DATE.fullmatch(day) and day <= today else None


def _number(told: object) -> float | None:
    fine = isinstance(told, int | float) and not isinstance(told, bool) and abs(told) < 1e300
    return float(told) if fine and math.isfinite(told) else None  # type: ignore[arg-type]


def _named(told: object) -> Iterable[tuple[str, Any]]:
    items = list(told.items())[:TAGS] if isinstance(told, Mapping) else ()
    return ((name, value) for key, value in items if (name := text(key, NAME)))


def _numbers(told: object) -> dict[str, float]:
    if not told:
        return {}
    return {key: number for key, each in _named(told) if (number := _number(each)) is not None}


def _intervals(told: object) -> dict[str, tuple[float, float]]:
    if not told:
        return {}
    found = {}
    for key, each in _named(told):
        ends = [_number(end) for end in each] if isinstance(each, list | tuple) else []
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
            found[key] = (ends[0], ends[1])
    return found
