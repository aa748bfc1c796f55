"""All that can go wrong, as one small tree.

* HubtlError                 what is wrong, and the next command to try
  x UnknownName              no task, recipe, model, hub or path of that name
  x BadData                  the user's rows can't be used as they are
  x BadOption                an option's value, or two that don't go together
  x Refused                  it could be done, and must not be: trust, licence, privacy
  x NotReproduced            what was measured does not come back
  x Unreachable              a hub, package or file that should answer doesn't
  x Unwritable               the disk is full, or a folder can't be written
  x OutOfTime                a time budget is used up
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable


class HubtlError(Exception):
    """Something a user can act on: what is wrong in their own words, and the next command."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownName(HubtlError, LookupError):
    """No task, recipe, model, hub or path has the name that was given."""


class BadData(HubtlError, ValueError):
    """The user's rows can't be used as they are."""


class BadOption(HubtlError, ValueError):
    """An option has a value that it can't have, or contradicts another."""


class Refused(HubtlError, PermissionError):
    """It could be done and must not be, for trust, licence or privacy."""


class NotReproduced(HubtlError, ValueError):
    """What was measured does not come back from what would be published."""


class Unreachable(HubtlError, ConnectionError):
    """A hub, a package or a file that should answer does not."""


class Unwritable(HubtlError, OSError):
    """The disk is full, or a folder can't be written."""


class OutOfTime(HubtlError, TimeoutError):
    """A time budget is used up before the work is done."""


def unwritable(error: OSError, where: object = None) -> Unwritable:
    """Return what an OSError means to a user: a full disk, a limit, or a place that says no."""
    # A copy that fails names its source first and its target second.
    named = getattr(error, "filename2", None) or error.filename
    place = f"`{where or os.fsdecode(named)}`" if where or named else "the folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unwritable(f"the disk is full: {place} can't be written", "free some space there")
    if error.errno == errno.EFBIG:
        return Unwritable(f"{place} may not hold files this large", "raise the limit: ulimit -f")
    why = error.strerror or str(error)
    return Unwritable(f"{place} can't be used: {why}", "check the path, its owner and its disk")


def taken(model: str, tag: str) -> Refused:
    """Return the error for a version's name that already stands for other bytes."""
    return Refused(f"`{model}` has a version `{tag}` already", "give this one another: --tag NAME")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `name` was probably meant to be, or None."""
    import difflib

    known = list(names)
    by_folded = {known_name.casefold(): known_name for known_name in known}
    by_last_part = {known_name.casefold().rpartition("/")[2]: known_name for known_name in known}
    for table in (by_folded, by_last_part):
        close = difflib.get_close_matches(name.casefold(), table, n=1, cutoff=0.6)
        if close:
            return table[close[0]]
    last_part = name.casefold().rpartition("/")[2]
    close = difflib.get_close_matches(last_part, by_last_part, n=1, cutoff=0.6)
    return by_last_part[close[0]] if close else None


def unknown(noun: str, name: str, names: Iterable[str], see: str) -> UnknownName:
    """Return the error for a `noun` that isn't called `name`, with what it may have been."""
    known = sorted(names)
    close = nearest(name, known)
    if close:
        hint = f"did you mean `{close}`? {see}"
    elif len(known) <= 8 and known:
        hint = f"there are: {', '.join(known)}"
    else:
        hint = see
    article = "an" if noun[0] in "aeiou" else "a"
    return UnknownName(f"`{name}` is not {article} {noun} that hubtl knows", hint)
