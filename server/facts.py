"""What a repository's files tell of it: card, tags, task, library, parameters, bases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, delete, update

from ..registry.errors import HubtlError
from .cards import plain, read_matter
from .dialects import insert_new
from .git import Node
from .objects import Objects
from .repos import Repo
from .schema import repo_bases, repo_tags, repos
from .trees import files_of, nodes

LARGEST_TEXT = 1 << 20  # of a card or a configuration that is read at all
LARGEST_HEADER = 16 << 20
LARGEST_HEADERS = 32 << 20  # of the files of one tree
# What is told of a repository stands in lists of a thousand.
MOST_TAGS, LONGEST_TAGS, LONGEST_TAG = 500, 16 << 10, 256
MOST_BASES, LONGEST_BASE = 50, 200
MOST_TYPES, LONGEST_TYPE = 64, 16
MOST_NAMES = 10
LONGEST_TEXT = 32 << 10  # of one field of a card
MOST_DIMENSIONS, MOST_PARAMETERS = 64, 1 << 53
# Tags of a data set stand behind the name of their field; those of a model mostly by themselves.
PREFIXED = (
    "task_categories",
    "task_ids",
    "size_categories",
    "multilinguality",
    "language_creators",
)


def facts_of(db: Connection, store: Objects, kind: str, tree: str) -> dict[str, Any]:
    """Return what the files of a tree tell: `card`, `config`, `tags`, `task` and so on."""
    top = nodes(db, tree)
    card = _card(db, store, top)
    config = _json(db, store, top, "config.json")
    adapter = _json(db, store, top, "adapter_config.json")
    bases, relation = _bases(card, adapter)
    library = _library(card, top)
    facts: dict[str, Any] = {
        "card": card,
        "config": _short_config(config, adapter),
        "bases": bases,
        "relation": relation,
        "library": library,
        "task": _first(card.get("pipeline_tag")),
        "safetensors": _safetensors(db, store, top) if kind == "model" else None,
    }
    return {**facts, "tags": _tags(kind, card, facts, top)}


def refresh(db: Connection, store: Objects, repo: Repo, oid: str, tree: str) -> None:
    """Keep what the head of main tells beside the repository, to be found by it."""
    facts = facts_of(db, store, repo.kind, tree)
    values = {
        "head": oid,
        "task": facts["task"],
        "parameters": (facts["safetensors"] or {}).get("total"),
        "facts": facts,
    }
    db.execute(update(repos).where(repos.c.id == repo.id).values(**values))
    for table in (repo_tags, repo_bases):
        db.execute(delete(table).where(table.c.repo_id == repo.id))
    tags = dict.fromkeys(tag[:256].casefold() for tag in facts["tags"])
    insert_new(db, repo_tags, ({"repo_id": repo.id, "tag": tag} for tag in tags))
    bases = dict.fromkeys(base[:200].casefold() for base in facts["bases"])
    insert_new(db, repo_bases, ({"repo_id": repo.id, "base": base} for base in bases))


def text_of(db: Connection, store: Objects, top: Mapping[str, Node], name: str) -> str:
    """Return a small file at the top of a tree, or an empty text."""
    node = top.get(name)
    if node is None or node.is_folder:
        return ""
    file = files_of(db, [(name, node)])[0]
    if file.size > LARGEST_TEXT or not store.has(file.sha256):
        return ""
    return store.read(file.sha256).decode("utf-8", "replace")


def _card(db: Connection, store: Objects, top: Mapping[str, Node]) -> dict[str, Any]:
    try:
        card = read_matter(text_of(db, store, top, "README.md"))
    except ValueError:
        return {}  # the commit was let in, perhaps by git's own ways; it just tells nothing
    return {name: _cut(value) for name, value in card.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return value[:MOST_TAGS]
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _json(db: Connection, store: Objects, top: Mapping[str, Node], name: str) -> dict[str, Any]:
    try:
        read = json.loads(text_of(db, store, top, name) or "{}")
        return dict(plain(read)) if isinstance(read, dict) else {}
    except (ValueError, RecursionError):
        return {}


def as_texts(value: Any) -> list[str]:
    """Return the texts of a field of a card, be it one text or a list."""
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str) and each]


def _first(value: Any) -> str | None:
    return next((text for text in as_texts(value) if len(text) <= LONGEST_TAG), None)


def _bases(card: Mapping[str, Any], adapter: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the models a model was made from, and how.

    PEFT's own configuration goes before the card: `push_to_hub` writes cards that forget the base.
    """
    own = as_texts(adapter.get("base_model_name_or_path"))
    bases = list(dict.fromkeys([*own, *as_texts(card.get("base_model"))]))
    said = _first(card.get("base_model_relation"))
    relation = said or ("adapter" if adapter else "finetune")
    bases = [base for base in bases if len(base) <= LONGEST_BASE][:MOST_BASES]
    return bases, relation if bases else None


def _library(card: Mapping[str, Any], top: Mapping[str, Node]) -> str | None:
    if "adapter_config.json" in top:
        return "peft"
    said = _first(card.get("library_name"))
    if said:
        return said
    if "modules.json" in top:
        return "sentence-transformers"
    return "transformers" if "config.json" in top else None


def _short_config(config: Mapping[str, Any], adapter: Mapping[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {}
    if isinstance(config.get("architectures"), list):
        short["architectures"] = _short_texts(config["architectures"])
    short |= {key: text for key in ("model_type",) for text in _short_texts(config.get(key))}
    if adapter:
        wanted = ("base_model_name_or_path", "task_type", "peft_type")
        short["peft"] = {key: text for key in wanted for text in _short_texts(adapter.get(key))}
    return short


def _short_texts(value: Any) -> list[str]:
    return [text for text in as_texts(value) if len(text) <= LONGEST_BASE][:MOST_NAMES]


def _tags(
    kind: str, card: Mapping[str, Any], facts: Mapping[str, Any], top: Mapping[str, Node]
) -> list[str]:
    found: dict[str, None] = {}
    left = LONGEST_TAGS
    for tag in _each_tag(kind, card, facts, top):
        if len(tag) <= min(left, LONGEST_TAG) and len(found) < MOST_TAGS and tag not in found:
            found[tag] = None
            left -= len(tag)
    return list(found)


def _each_tag(
    kind: str, card: Mapping[str, Any], facts: Mapping[str, Any], top: Mapping[str, Node]
) -> Iterator[str]:
    if kind == "model":
        yield from (tag for tag in (facts["library"], facts["task"]) if tag)
        if any(name.endswith(".safetensors") for name in top):
            yield "safetensors"
        yield from as_texts(facts["config"].get("model_type"))
        yield from as_texts(card.get("language"))
        yield from (f"dataset:{name}" for name in as_texts(card.get("datasets")))
    else:
        yield from (f"language:{name}" for name in as_texts(card.get("language")))
        for field in PREFIXED:
            yield from (f"{field}:{name}" for name in as_texts(card.get(field)))
    if kind == "space":
        yield from as_texts(card.get("sdk"))
        for field in ("model", "dataset"):  # that it uses
            yield from (f"{field}:{name}" for name in as_texts(card.get(f"{field}s")))
    yield from (f"license:{name}" for name in as_texts(card.get("license")))
    for base in facts["bases"]:
        yield from (f"base_model:{base}", f"base_model:{facts['relation']}:{base}")
    yield from as_texts(card.get("tags"))


def _safetensors(db: Connection, store: Objects, top: Mapping[str, Node]) -> dict[str, Any] | None:
    """Return how many parameters of each type the weights have, by their headers alone."""
    named = [(n, node) for n, node in top.items() if n.endswith(".safetensors")]
    parameters: dict[str, int] = {}
    left = LARGEST_HEADERS
    for file in files_of(db, named)[:100]:
        if not store.has(file.sha256):
            return None  # of a part, the sum would tell of something else
        left -= int.from_bytes(store.read(file.sha256, 8), "little")
        counted = _counted(store, file.sha256) if left >= 0 else None
        if counted is None:
            return None
        for name, count in counted.items():
            parameters[name] = parameters.get(name, 0) + count
    total = sum(parameters.values())
    fits = 0 < total < MOST_PARAMETERS and len(parameters) <= MOST_TYPES
    return {"parameters": parameters, "total": total} if fits else None


@lru_cache(maxsize=1000)
def _counted(store: Objects, sha256: str) -> Mapping[str, int] | None:
    """Return the parameters of each type in a file of the store, None for what can't be counted.

    A content never changes, so it is read once. Raises OSError.
    """
    found: dict[str, int] = {}
    for name, tensor in _header(store, sha256).items():
        if name == "__metadata__":
            continue
        try:
            count, kind = _product(tensor["shape"]), plain(tensor["dtype"])
        except (TypeError, KeyError, ValueError):
            return None
        if not isinstance(kind, str) or len(kind) > LONGEST_TYPE:
            return None
        found[kind] = found.get(kind, 0) + count
        if len(found) > MOST_TYPES:
            return None
    return found


def _product(shape: Any) -> int:
    """Return how many values a tensor has; raises ValueError for a shape that no tensor has."""
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
        raise ValueError("a shape is a short list")
    count = 1
    for length in shape:
        if not isinstance(length, int) or not 0 <= length < MOST_PARAMETERS:
            raise ValueError("a dimension is a whole number")
        count *= length
        if count > MOST_PARAMETERS:
            raise ValueError("no tensor has so many values")
    return count


def safetensors_header(store: Objects, sha256: str) -> dict[str, Any]:
    """Return the header of a safetensors file, empty where it has none that can be read."""
    try:
        return dict(plain(_header(store, sha256)))
    except HubtlError:
        raise  # the bucket is away: that says nothing of the file
    except (OSError, ValueError):
        return {}


def _header(store: Objects, sha256: str) -> dict[str, Any]:
    """Return a header as it stands in the file, empty where it is none; raises OSError."""
    with store.open(sha256, 0, 8 + LARGEST_HEADER) as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            read = json.loads(file.read(length)) if length <= LARGEST_HEADER else {}
        except (ValueError, RecursionError):
            return {}
    return read if isinstance(read, dict) else {}
