"""Rows of the user's data in what would be published: the card is for everybody, they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .plugins.gates.private import texts
from .predictions import Predictions
from .registry.errors import Refused
from .registry.facts import Facts
from .registry.fingerprint import sha256

LEAST_LETTERS, LEAST_WORDS = 20, 3  # what is shorter may be in any text by chance


def check_rows(folder: Path, facts: Facts, rows: Predictions) -> None:
    """Raise Refused for a text that has one of the rows in it that were measured with."""
    private = set(_private(facts, rows))
    if not private:
        return
    for path, text in texts(folder):
        if path.endswith(".safetensors") or _is_the_bases(folder, path, facts):
            continue
        plain = _plain(text)
        for row in private:
            if row in plain:
                raise Refused(
                    f"`{path}` has a row of your data in it, which begins with `{row[:12]}…`",
                    "take it out: what is published is read by others",
                )


def _private(facts: Facts, rows: Predictions) -> Iterator[str]:
    """Yield inputs and transcripts, as JSON writes them too; of files, their paths."""
    for inputs in (rows.inputs, () if facts.labels else rows.true):
        for each in inputs:
            plain = _plain(each)
            if len(plain) >= LEAST_LETTERS and len(plain.split()) >= LEAST_WORDS or "/" in each:
                yield plain
                yield _plain(json.dumps(each)[1:-1])


def _plain(text: str) -> str:
    """Return a text with single spaces: a card breaks lines where it likes."""
    return " ".join(text.split())


def _is_the_bases(folder: Path, path: str, facts: Facts) -> bool:
    """Return whether a file is the base's own, which knows nothing of the data."""
    known = facts.base_files.get(path)
    return known is not None and known == sha256(folder / path)
