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
    told = model.get("tags")
    tags = [tag for tag in told if isinstance(tag, str)] if isinstance(told, list) else []
    matter: dict[str, Any] = {"pipeline_tag": model.get("pipeline_tag"), "tags": tags}
    matter |= card if isinstance(card, dict) else {}
    bases = [tag[len(ADAPTER) :] for tag in tags if tag.startswith(ADAPTER)]
    if bases:
        matter = {"base_model": bases, **matter, "base_model_relation": "adapter"}
    entry = entry_from_metadata(name, hub, matter, {}, str(model.get("sha") or ""))
    weights = model.get("safetensors")
    params = weights.get("total") if isinstance(weights, dict) else None
    date = str(model.get("lastModified") or "")[:10]
    entry = replace(entry, params=params, downloads=model.get("downloads"), date=date)
    return json.dumps(asdict(entry))
