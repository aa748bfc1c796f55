"""A model of a hub's list as a line of a listing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ...registry.weights import entry_from_metadata

ADAPTER = "base_model:adapter:"


def line(model: Mapping[str, Any], hub: str) -> str:
    """Return a model as a line of a listing, or an empty text where it has no id."""
    name = model.get("id")
    if not isinstance(name, str):
        return ""
    card = model.get("cardData")
    told = matter(card if isinstance(card, dict) else {}, model.get("tags"))
    told = {"pipeline_tag": model.get("pipeline_tag"), **told}
    entry = entry_from_metadata(name, hub, told, {}, str(model.get("sha") or ""))
    weights = model.get("safetensors")
    params = weights.get("total") if isinstance(weights, dict) else None
    date = str(model.get("lastModified") or "")[:10]
    entry = replace(entry, params=params, downloads=model.get("downloads"), date=date)
    return json.dumps(asdict(entry))


def matter(card: Mapping[str, Any], told: object) -> dict[str, Any]:
    """Return a card's metadata with all tags that a hub tells, and the base that these name."""
    listed = told if isinstance(told, list) else []
    tags = [tag for tag in listed if isinstance(tag, str)]
    own = card.get("tags")
    more = [tag for tag in own if isinstance(tag, str)] if isinstance(own, list) else []
    found = {**card, "tags": list(dict.fromkeys([*tags, *more]))}
    bases = [tag[len(ADAPTER) :] for tag in tags if tag.startswith(ADAPTER)]
    return {"base_model": bases, **found, "base_model_relation": "adapter"} if bases else found
