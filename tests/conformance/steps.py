"""Steps taken in turn, a line of JSON for each; it runs in environments of all ages."""

from __future__ import annotations

import contextlib
import io
import json
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any


def take(steps: Mapping[str, Callable[[], Any]], about: str) -> None:
    """Take the steps in turn and print what became of each; what they print is left out."""
    print(json.dumps({"about": about}), flush=True)
    for name, step in steps.items():
        began, failure = time.monotonic(), ""
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                step()
            except Exception as error:  # a failure of any kind is what the line is to say
                where = traceback.extract_tb(error.__traceback__)[-1]
                failure = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        took = round(time.monotonic() - began, 2)
        print(json.dumps({"step": name, "failure": failure, "seconds": took}), flush=True)


def same(found: object, wanted: object) -> None:
    """Raise AssertionError where two things are not the same."""
    if found != wanted:
        raise AssertionError(f"found {str(found)[:200]!r}, wanted {str(wanted)[:200]!r}")
