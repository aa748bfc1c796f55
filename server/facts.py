"""What a repository's files tell of it: card, tags, task, library, parameters, bases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from sqlalchemy import Connection, delete, update

from .database import insert_new
from .git import Node
from .objects import Objects
from .repos import Repo
from .schema import repo_bases, repo_tags, repos
from .trees import files_of, nodes

LARGEST_TEXT = 1 << 20  # of a card or a configuration that is read at all
LARGEST_HEADER = 16 << 20
DEEPEST = 50
MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.MULTILINE | re.DOTALL)
# Tags of a data set stand behind the name of their field; those of a model mostly by themselves.
PREFIXED = (
    "task_categories",
    "task_ids",
    "size_categories",
    "multilinguality",
    "language_creators",
)


class CardLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a card's metadata; dates stay texts, so that all of it is JSON."""


CardLoader.yaml_implicit_resolvers = {
    letter: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
    for letter, rules in CardLoader.yaml_implicit_resolvers.items()
}


def read_matter(text: str) -> dict[str, Any]:
    """Return a card's metadata, empty where it has none; raises ValueError for what is no YAML.

    References within it (`&`, `*`) are refused: a page of them can stand for gigabytes.
    """
    found = MATTER.match(text)
    if not found:
        return {}
    try:
        _check_shape(found.group(1))
        read = yaml.load(found.group(1), CardLoader)  # noqa: S506  (a safe loader)
    except yaml.YAMLError as error:
        raise ValueError(f"Invalid YAML: {error}") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise ValueError("the metadata must be a mapping of names to values")
    return {str(key): _plain(value) for key, value in read.items()}


def _check_shape(text: str) -> None:
    """Raise ValueError for what would be far more than it looks like, before it is built."""
    depth = 0
    for event in yaml.parse(text, CardLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("references (`*name`) are not allowed in a card's metadata")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("the metadata is nested too deeply")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: keys are texts, and nothing is infinite."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


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
        "library": facts["library"],
        "parameters": (facts["safetensors"] or {}).get("total"),
        "facts": facts,
    }
    db.execute(update(repos).where(repos.c.id == repo.id).values(**values))
    for table in (repo_tags, repo_bases):
        db.execute(delete(table).where(table.c.repo_id == repo.id))
    tags = dict.fromkeys(tag[:256].casefold() for tag in facts["tags"])
    insert_new(db, repo_tags, ({"repo_id": repo.id, "tag": tag} for tag in tags))
    rows = [
        {"repo_id": repo.id, "base": base[:200].casefold(), "relation": facts["relation"]}
        for base in facts["bases"]
    ]
    insert_new(db, repo_bases, rows)


def text_of(db: Connection, store: Objects, top: Mapping[str, Node], name: str) -> str:
    """Return a small file at the top of a tree, or an empty text."""
    node = top.get(name)
    if node is None or node.is_folder:
        return ""
    file = files_of(db, [(name, node)])[0]
    if file.size > LARGEST_TEXT:
        return ""
    return store.read(file.sha256).decode("utf-8", "replace")


def _card(db: Connection, store: Objects, top: Mapping[str, Node]) -> dict[str, Any]:
    try:
        return read_matter(text_of(db, store, top, "README.md"))
    except ValueError:
        return {}  # the commit was let in, perhaps by git's own ways; it just tells nothing


def _json(db: Connection, store: Objects, top: Mapping[str, Node], name: str) -> dict[str, Any]:
    try:
        read = json.loads(text_of(db, store, top, name) or "{}")
        return dict(_plain(read)) if isinstance(read, dict) else {}
    except (ValueError, RecursionError):
        return {}


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str) and each]


def _first(value: Any) -> str | None:
    return next(iter(_texts(value)), None)


def _bases(card: Mapping[str, Any], adapter: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the models a model was made from, and how.

    PEFT's own configuration goes before the card: `push_to_hub` writes cards that forget the base.
    """
    own = _texts(adapter.get("base_model_name_or_path"))
    bases = list(dict.fromkeys([*own, *_texts(card.get("base_model"))]))
    said = _first(card.get("base_model_relation"))
    relation = said or ("adapter" if adapter else "finetune")
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
    short = {key: config[key] for key in ("architectures", "model_type") if key in config}
    if adapter:
        wanted = ("base_model_name_or_path", "task_type", "peft_type")
        short["peft"] = {key: adapter[key] for key in wanted if adapter.get(key)}
    return short


def _tags(
    kind: str, card: Mapping[str, Any], facts: Mapping[str, Any], top: Mapping[str, Node]
) -> list[str]:
    return list(dict.fromkeys(_each_tag(kind, card, facts, top)))


def _each_tag(
    kind: str, card: Mapping[str, Any], facts: Mapping[str, Any], top: Mapping[str, Node]
) -> Iterator[str]:
    if kind == "model":
        yield from (tag for tag in (facts["library"], facts["task"]) if tag)
        if any(name.endswith(".safetensors") for name in top):
            yield "safetensors"
        yield from _texts(facts["config"].get("model_type"))
        yield from _texts(card.get("language"))
        yield from (f"dataset:{name}" for name in _texts(card.get("datasets")))
    else:
        yield from (f"language:{name}" for name in _texts(card.get("language")))
        for field in PREFIXED:
            yield from (f"{field}:{name}" for name in _texts(card.get(field)))
    yield from (f"license:{name}" for name in _texts(card.get("license")))
    for base in facts["bases"]:
        yield from (f"base_model:{base}", f"base_model:{facts['relation']}:{base}")
    yield from _texts(card.get("tags"))


def _safetensors(db: Connection, store: Objects, top: Mapping[str, Node]) -> dict[str, Any] | None:
    """Return how many parameters of each type the weights have, by their headers alone."""
    named = [(n, node) for n, node in top.items() if n.endswith(".safetensors")]
    parameters: dict[str, int] = {}
    for file in files_of(db, named)[:100]:
        for name, tensor in safetensors_header(store, file.sha256).items():
            if name == "__metadata__":
                continue
            try:
                count = 1
                for length in tensor["shape"]:
                    count *= int(length)
                kind = str(tensor["dtype"])
            except (TypeError, KeyError, ValueError, OverflowError):
                return None
            if 0 <= count < 1 << 53:
                parameters[kind] = parameters.get(kind, 0) + count
    total = sum(parameters.values())
    return {"parameters": parameters, "total": total} if 0 < total < 1 << 53 else None


def safetensors_header(store: Objects, sha256: str) -> dict[str, Any]:
    """Return the header of a safetensors file, empty where it has none that can be read."""
    try:
        with store.path(sha256).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            read = json.loads(file.read(length)) if length <= LARGEST_HEADER else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
