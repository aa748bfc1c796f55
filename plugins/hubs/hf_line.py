"""A model of a hub's list as a line of a listing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ...registry.trust import trust_told
from ...registry.weights import entry_from_metadata


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
    gated, weighed = bool(model.get("gated")), isinstance(weights, dict)
    trust = trust_told(told["tags"], weighed=weighed, gated=gated)
    entry = replace(entry, params=params, downloads=model.get("downloads"), date=date, trust=trust)
    return json.dumps(asdict(entry))


def matter(card: Mapping[str, Any], told: object) -> dict[str, Any]:
    """Return a card's metadata with all tags that a hub tells."""
    listed = told if isinstance(told, list) else []
    tags = [tag for tag in listed if isinstance(tag, str)]
    own = card.get("tags")
    more = [tag for tag in own if isinstance(tag, str)] if isinstance(own, list) else []
    return {**card, "tags": list(dict.fromkeys([*tags, *more]))}
