"""How a model was made from others, as its card and its hub's tags tell: `base_model` and so on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast, get_args

Relation = Literal["adapter", "finetune", "merge", "quantized"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
TAG = "base_model:"
TAGS = tuple(f"{TAG}{relation}:" for relation in RELATIONS)


def told_by_tags(tags: Iterable[str]) -> dict[str, Relation]:
    """Return the models that tags say one was made from, in their order, each with how."""
    found: dict[str, Relation] = {}
    for tag in tags:
        if tag.startswith(TAGS):
            _, relation, model = tag.split(":", 2)
            if model:
                found.setdefault(model, cast(Relation, relation))
    return found


def relation_of(
    told: object, parents: Iterable[str], tags: Iterable[str], *, adapter: bool
) -> Relation | None:
    """Return how a model was made from its parents; None where it tells of none.

    `told` is what its card says. Where nobody says, several parents were merged, and one was tuned,
    as the Hub takes it.
    """
    found = list(parents)
    if not found:
        return None
    if adapter:
        return "adapter"
    for known in RELATIONS:
        if told == known:
            return known
    tagged = told_by_tags(tags)
    return tagged.get(found[0]) or ("merge" if len(found) > 1 else "finetune")


def parents_of(base: str | None, upon: str | None, tags: Iterable[str]) -> list[str]:
    """Return the ids that a model says it was made from, the nearest first."""
    told = [each for each in (upon, base) if each]
    return list(dict.fromkeys([*told, *told_by_tags(tags)]))
