"""A hub's listing, page by page: what the index takes of each model, without a request a model."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...registry.errors import Refused, Unreachable
from ...registry.index.listing import Page
from ...registry.trust import trust_told
from ...registry.weights import entry_from_metadata
from .hf_patience import BUSY, LONGEST, wait_asked_by

PAGE = 1000
EXPANDED = (
    *("cardData", "downloads", "gated", "lastModified", "pipeline_tag", "safetensors", "sha"),
    "tags",
)
NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')
ADAPTER = "base_model:adapter:"
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


def pages(
    endpoint: str,
    token: bool | None,
    *,
    hub: str,
    organisation: str | None,
    least: int,
    start: str,
) -> Iterator[Page]:
    """Give the pages of a listing, most downloads first, from the page at `start` on.

    It ends at the first page that has models with fewer than `least` downloads. Raises Unreachable
    where the hub stays busy or away, and Refused where a page points to another server.
    """
    asked = {"sort": "downloads", "limit": PAGE, "expand": EXPANDED}
    if organisation:
        asked["author"] = organisation
    address = start or f"{endpoint}/api/models?{urlencode(asked, doseq=True)}"
    while address:
        if urlsplit(address)[:2] != urlsplit(endpoint)[:2]:
            raise Refused(f"{endpoint} points to a page on another server", "tell who runs it")
        models, headers = _page(address, token)
        found = NEXT.search(headers.get("link", ""))
        downloads = [_downloads(model) for model in models]
        used = [model for model, n in zip(models, downloads, strict=True) if n >= least]
        address = found[1] if found and min(downloads, default=0) >= least else ""
        yield Page(tuple(line for model in used if (line := _line(model, hub))), address)
        if address and (wait := wait_asked_by(headers)):  # this was the last that was allowed
            time.sleep(wait)


def _page(address: str, token: bool | None) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """Return a page's models and headers, asked again while the hub is busy or away."""
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import get_session

    headers = build_hf_headers(token=token, library_name="hubtl")
    why = ""
    for wait in (*WAITS, 0.0):
        try:
            answer = get_session().get(address, headers=headers, timeout=60)
        except OSError as error:
            why, asked = str(error), 0.0
        except Exception as error:
            if not type(error).__module__.startswith("http"):
                raise
            why, asked = type(error).__name__, 0.0
        else:
            if answer.status_code == 200:
                return _models(answer.content), answer.headers
            why, asked = f"it answers {answer.status_code}", float(wait_asked_by(answer.headers))
            if answer.status_code not in BUSY or asked > LONGEST:
                break
        time.sleep(max(wait, asked) if wait else 0)
    server = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    raise Unreachable(f"{server} can't be listed: {why}", "say it again: it goes on where it was")


def _models(content: bytes) -> list[dict[str, Any]]:
    """Return the models of a page; raises Unreachable where it is none."""
    try:
        told = json.loads(content)
    except ValueError as error:
        raise Unreachable("the hub answers with no list of models", "see its address") from error
    return [model for model in told if isinstance(model, dict)] if isinstance(told, list) else []


def _downloads(model: Mapping[str, Any]) -> int:
    told = model.get("downloads")
    return told if isinstance(told, int) else 0


def _line(model: Mapping[str, Any], hub: str) -> str:
    """Return a model as a line of a listing, or an empty text where it has no id."""
    name = model.get("id")
    if not isinstance(name, str):
        return ""
    card = model.get("cardData")
    told = model.get("tags")
    tags = [tag for tag in told if isinstance(tag, str)] if isinstance(told, list) else []
    matter: dict[str, Any] = {"pipeline_tag": model.get("pipeline_tag"), "tags": tags}
    matter |= card if isinstance(card, dict) else {}
    matter["tags"] = tags or matter["tags"]  # a hub's have those of the card, and more
    bases = [tag[len(ADAPTER) :] for tag in tags if tag.startswith(ADAPTER)]
    if bases:
        matter = {"base_model": bases, **matter, "base_model_relation": "adapter"}
    entry = entry_from_metadata(name, hub, matter, {}, str(model.get("sha") or ""))
    weights = model.get("safetensors")
    params = weights.get("total") if isinstance(weights, dict) else None
    date = str(model.get("lastModified") or "")[:10]
    trust = trust_told(tags, weighed=isinstance(weights, dict), gated=bool(model.get("gated")))
    entry = replace(entry, params=params, downloads=model.get("downloads"), date=date, trust=trust)
    return json.dumps(asdict(entry))
