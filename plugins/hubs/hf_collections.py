"""An organisation's collections on a hub: one a domain, with its adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...registry.catalog import catalogue

if TYPE_CHECKING:
    from huggingface_hub import HfApi

NOTE = "Adapters for the domain {domain}; hubtl puts here what is published."


def title(domain: str) -> str:
    """Return what the collection of a domain is called."""
    return f"{domain} adapters"


def collect(api: HfApi, model: str, domains: tuple[str, ...], *, private: bool) -> None:
    """Have a model in its owner's collections of these domains, and in those of no other.

    A collection that is missing is made. One that is there keeps its owner's words, order and
    visibility; what stands in one that is not for a domain stays there.
    """
    owner = model.partition("/")[0]
    for domain in domains:
        made = api.create_collection(
            title(domain),
            namespace=owner,
            description=NOTE.format(domain=domain),
            private=private,
            exists_ok=True,
        )
        api.add_collection_item(made.slug, model, "model", exists_ok=True)
    former = {title(known).casefold() for known in catalogue().domains}
    former -= {title(domain).casefold() for domain in domains}
    for shown in api.list_collections(owner=owner, item=f"models/{model}"):
        if shown.title.casefold() not in former:
            continue
        # A list shows a few of the items alone.
        for item in api.get_collection(shown.slug).items:
            if (item.item_type, item.item_id.casefold()) == ("model", model.casefold()):
                api.delete_collection_item(shown.slug, item.item_object_id, missing_ok=True)
