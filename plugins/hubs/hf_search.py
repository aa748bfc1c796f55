"""Ask a hub live: it filters by what it can, and pages come for as long as more are wanted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...registry.entry import Query
from ...registry.search import SYNONYMS

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

LISTED = ["cardData", "downloads", "pipeline_tag", "safetensors", "sha", "siblings", "tags"]
PAGE = 100
MOST = 1000  # models that are looked at in one list, whatever fits
REASONS = 20  # models that the words find, and a filter may exclude

Way = tuple[str, list[str]]


def models(api: HfApi, query: Query) -> Iterator[ModelInfo]:
    """Give models that may fit, each once, the most downloaded of each list first.

    Those that fit the words alone come before, so that what a filter excludes can be told.
    """
    ways = _ways(query.words)
    narrow = [
        (search, [*tags, *more], _narrowed(query)) for search, tags in ways for more in _tags(query)
    ]
    wide: list[tuple[str, list[str], dict[str, Any]]] = [(*way, {}) for way in ways]
    seen: set[str] = set()
    for number, asked in enumerate([*(wide if narrow != wide else []), *narrow]):
        few = narrow != wide and number < len(wide)
        most = min(query.limit, REASONS) if few else MOST
        for info in itertools.islice(_listed(api, *asked, min(most, PAGE)), most):
            if info.id not in seen and not _is_empty(info):
                seen.add(info.id)
                yield info


def _ways(words: str) -> list[Way]:
    """Return the searches and tags by which a model may have all words: in its name, or as facts.

    A hub looks for words in names alone.
    """
    said = words.casefold().split()
    if not said:
        return [("", [])]
    ways: list[Way] = [(words, [])]
    if any(word in SYNONYMS for word in said):
        rest = " ".join(word for word in said if word not in SYNONYMS)
        ways.append((rest, [SYNONYMS[word] for word in said if word in SYNONYMS]))
    ways.append(("", said))
    if len(said) == 1:
        ways += [("", [f"{fact}:{said[0]}"]) for fact in ("domain", "license")]
    return ways


def _narrowed(query: Query) -> dict[str, Any]:
    asked = {"author": query.organisation, "pipeline_tag": query.task}
    if query.max_params:
        asked["num_parameters"] = f"max:{-(-query.max_params // 1000)}K"
    return {name: value for name, value in asked.items() if value}


def _tags(query: Query) -> list[list[str]]:
    """Return the tags by which the hub itself narrows a search; one that has any of the lists fits.

    What hubtl made of all weights of a base is the base's fine-tune on the Hub.
    """
    tags = [query.language] if query.language else []
    tags += [f"domain:{query.domain}"] if query.domain else []
    tags += [f"license:{query.licence}"] if query.licence else []
    if not query.base:
        return [tags]
    whole = ["hubtl", f"base_model:finetune:{query.base}"]
    return [[f"base_model:adapter:{query.base}", *tags], [*whole, *tags]]


def _listed(
    api: HfApi, search: str, tags: list[str], more: dict[str, Any], size: int
) -> Iterator[ModelInfo]:
    """Give a list of the hub's, page by page; its client asks for one page of what is wanted."""
    from huggingface_hub.hf_api import ModelInfo
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._pagination import paginate

    asked = {"search": search, "filter": tags, **more}
    asked = {name: value for name, value in asked.items() if value}
    asked |= {"sort": "downloads", "limit": size, "expand": LISTED}
    headers = build_hf_headers(token=api.token, library_name="hubtl")
    for item in paginate(f"{api.endpoint}/api/models", params=asked, headers=headers):
        yield ModelInfo(**{"siblings": None, **item})  # type: ignore[no-untyped-call]


def _is_empty(info: ModelInfo) -> bool:
    """Return whether a repository has nothing yet: one that was made, and not published to."""
    return {each.rfilename for each in info.siblings or []} == {".gitattributes"}
