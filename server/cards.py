"""The metadata of cards: YAML, read as the Hub reads it and made fit for JSON."""

from __future__ import annotations

import re
from typing import Any

import yaml

LARGEST_MATTER = 256 << 10
MOST_EVENTS = 50_000  # of the reader of YAML; a value is one, a list or a mapping two
DEEPEST = 50
LONGEST_NUMBER = 400  # letters
MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.MULTILINE | re.DOTALL)
# What a tag that does not fit its value makes the loader raise, besides its own errors.
MISFITS = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError)
TAG = "tag:yaml.org,2002:"
OF_OLD = (f"{TAG}timestamp", f"{TAG}bool", f"{TAG}int", f"{TAG}float")


class CardLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML as the Hub does, by 1.2: dates and `no` stay texts, so that all of it is JSON."""


CardLoader.yaml_implicit_resolvers = {
    letter: [(tag, rule) for tag, rule in rules if tag not in OF_OLD]
    for letter, rules in CardLoader.yaml_implicit_resolvers.items()
}
TRUTH = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
WHOLE = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
REAL = re.compile(
    r"(?:[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
CardLoader.add_implicit_resolver(f"{TAG}bool", TRUTH, list("tTfF"))
CardLoader.add_implicit_resolver(f"{TAG}int", WHOLE, list("-+0123456789"))
CardLoader.add_implicit_resolver(f"{TAG}float", REAL, list("-+.0123456789"))


def _number(loader: Any, node: Any) -> Any:
    """Return a number; raises ValueError for one that takes long to work out."""
    text = loader.construct_scalar(node)
    if len(text) > LONGEST_NUMBER or ":" in text:  # which would count in sixties
        raise ValueError(f"`{text[:20]}` is no number, or too long for one")
    if node.tag == f"{TAG}float":
        return loader.construct_yaml_float(node)
    return int(text) if text.lstrip("-+").isdecimal() else loader.construct_yaml_int(node)


CardLoader.add_constructor(f"{TAG}int", _number)
CardLoader.add_constructor(f"{TAG}float", _number)


def read_matter(text: str) -> dict[str, Any]:
    """Return a card's metadata, empty where it has none; raises ValueError for what is no YAML."""
    found = MATTER.match(text)
    if found and len(found.group(1)) > LARGEST_MATTER:
        raise ValueError(f"the metadata may have at most {LARGEST_MATTER >> 10} kB")
    read = read_yaml(found.group(1)) if found else None
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise ValueError("the metadata must be a mapping of names to values")
    return read


def read_yaml(text: str) -> Any:
    """Return what YAML says, as JSON has it; raises ValueError for what is none.

    References within it (`&`, `*`) are refused: a page of them can stand for gigabytes.
    """
    try:
        _check_shape(text)
        return plain(yaml.load(text, CardLoader))  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, *MISFITS) as error:
        raise ValueError(f"Invalid YAML: {error}") from error


def _check_shape(text: str) -> None:
    """Raise ValueError for what would be far more than it looks like, before it is built."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, CardLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("references (`*name`) are not allowed in a card's metadata")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or number > MOST_EVENTS:
            raise ValueError("the metadata is nested too deeply, or has too many values")


def plain(value: Any, deep: int = 0) -> Any:
    """Return a value as JSON and UTF-8 have it: keys are texts, and nothing is infinite.

    Raises ValueError for one that is nested too deeply.
    """
    if deep > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {_writable(str(key)): plain(each, deep + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(each, deep + 1) for each in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    kept = value is None or isinstance(value, bool | int | float)
    return value if kept else _writable(str(value))


def _writable(text: str) -> str:
    """Return a text without halves of letters, which JSON may say and UTF-8 can't, and zeros."""
    text = text.replace("\0", "\ufffd")  # which PostgreSQL has in no text
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
