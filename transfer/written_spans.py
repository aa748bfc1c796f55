"""How spans of a text are written in data: by offsets, or as a list of tokens and one of tags."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

STARTS = ("start", "begin", "start_offset")
ENDS = ("end", "stop", "end_offset")
KINDS = ("label", "type", "tag", "entity", "entity_group")
NUMBER = re.compile(r"\d+")
TAG = re.compile(r"O|[BIESLUM]-(.+)", re.DOTALL)  # IOB1, IOB2, IOBES, BILOU, BMES
SHOWN = 40


def input_of(cell: str) -> str:
    """Return the text that a cell means: itself, or a list of tokens with a space between two."""
    tokens = _tokens(cell)
    return cell if tokens is None else " ".join(tokens)


def spans_of(input: str, label: str) -> tuple[str, str]:
    """Return the text and the spans that two cells mean: offsets, or a tag for each token.

    Raises ValueError that says what is wrong with which word.
    """
    listed = _listed(label)
    tokens = _tokens(input)
    if listed and all(isinstance(each, str) for each in listed):
        if tokens is None:
            raise ValueError("these are tags, and the text is no list of tokens to go with them")
        return " ".join(tokens), _tagged(tokens, listed)
    if listed and all(isinstance(each, int) for each in listed):
        raise ValueError("the tags are numbers, and nothing says what they stand for")
    if tokens and listed:
        raise ValueError("these are offsets, and the text is a list of tokens: name another column")
    return input_of(input), _checked(input_of(input), [as_triple(each) for each in listed])


def written(spans: Iterable[tuple[int, int, str]]) -> str:
    """Return spans in the one way that they are written, in order."""
    found = sorted([int(start), int(end), str(kind)] for start, end, kind in spans)
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def as_triple(each: Any) -> tuple[int, int, str]:
    """Return (start, end, type) of a span: a list of the three, or an object that names them."""
    if isinstance(each, dict):
        given = [next((each[key] for key in keys if key in each), None) for keys in (STARTS, ENDS)]
        given.append(next((each[key] for key in KINDS if key in each), None))
    else:
        given = list(each) if isinstance(each, list) else []
    if len(given) != 3 or not isinstance(given[2], str) or not given[2].strip():
        raise ValueError(f"`{_short(each)}` is no span with start, end and label")
    if not all(NUMBER.fullmatch(str(offset)) for offset in given[:2]):
        raise ValueError(f"`{_short(each)}` has no whole numbers for its start and end")
    start, end = (int(str(offset)) for offset in given[:2])
    return start, end, given[2].strip()


def from_tags(tags: list[str], places: list[list[int]]) -> list[tuple[int, int, str]]:
    """Return (start, end, type) of each run of tags, by the rules of CoNLL's conlleval."""
    spans: list[tuple[int, int, str]] = []
    before = last = "O"
    for tag, (start, end) in zip(tags, places, strict=True):
        sign, _, kind = tag.partition("-")
        if sign != "O" and (sign in "BSU" or before in "OESLU" or kind != last):
            spans.append((start, end, kind))
        elif sign != "O":
            spans[-1] = (spans[-1][0], end, kind)
        before, last = sign, kind
    return spans


def _tagged(tokens: list[str], tags: list[str]) -> str:
    if len(tokens) != len(tags):
        raise ValueError(f"{len(tags)} tags for {len(tokens)} tokens")
    places, start = [], 0
    for token, tag in zip(tokens, tags, strict=True):
        if not TAG.fullmatch(tag):
            raise ValueError(f"`{_short(token)}` has the tag `{_short(tag)}`: no O, B-X or I-X")
        places.append([start, start + len(token)])
        start += len(token) + 1
    return written(from_tags(tags, places))


def _checked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """Return spans as written, without the spaces at their ends; raises where one can't be."""
    found = []
    for start, end, kind in spans:
        if not start < end <= len(text):
            where = f"the text of {len(text)} letters"
            raise ValueError(f"{start} to {end} ({kind}) is no part of {where}")
        inner = text[start:end]
        if not inner.strip():
            raise ValueError(f"{start} to {end} ({kind}) has no word in it")
        start += len(inner) - len(inner.lstrip())
        found.append((start, start + len(inner.strip()), kind))
    found = sorted(set(found))
    for (_, end, _), (start, stop, kind) in zip(found, found[1:], strict=False):
        if start < end:
            raise ValueError(f"`{_short(text[start:stop])}` ({kind}) overlaps another span")
    return written(found)


def _listed(label: str) -> list[Any]:
    try:
        read = json.loads(label)
    except ValueError as error:
        raise ValueError(f"`{_short(label)}` is no list of spans or tags") from error
    if not isinstance(read, list):
        raise ValueError(f"`{_short(label)}` is no list of spans or tags")
    if not all(isinstance(each, str) for each in read) and any(isinstance(e, str) for e in read):
        raise ValueError(f"`{_short(label)}` has tags and other things in it")
    return read


def _tokens(cell: str) -> list[str] | None:
    """Return the tokens that a cell lists, or None where it is a plain text."""
    if not cell.lstrip().startswith("["):
        return None
    try:
        read = json.loads(cell)
    except ValueError:
        return None
    if not isinstance(read, list) or not all(isinstance(each, str) for each in read):
        return None
    tokens = [each.strip() for each in read]
    if not all(tokens):
        raise ValueError("one of its tokens is empty")
    return tokens


def _short(what: Any) -> str:
    told = what if isinstance(what, str) else json.dumps(what, ensure_ascii=False)
    return told if len(told) <= SHOWN else f"{told[:SHOWN]}…"
