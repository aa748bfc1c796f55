"""Bring what hubs have into the index."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from .plugins.hubs.hf import HUGGING_FACE
from .registry.errors import BadOption
from .registry.index.construction import build
from .registry.index.listing import Listing, Page, listings
from .registry.places import index as index_folder
from .registry.places import setting
from .results import Synced
from .sources import open_hub
from .transfer.progress import Progress, silent

LEAST = 10  # downloads in a month, below which most models of huggingface.co are


@runtime_checkable
class Listed(Protocol):
    """A hub that tells what it has, page by page, the models with the most downloads first."""

    name: str

    def pages(self, *, organisation: str | None, least: int, start: str) -> Iterable[Page]:
        """Give the pages from the one at `start` on, of models with `least` downloads or more."""
        ...


def sync_index(
    hub: str | None = None,
    organisation: str | None = None,
    least: int | None = None,
    progress: Progress = silent,
) -> Synced:
    """Bring a hub's listing, or an organisation's, into the index, and return what came.

    What was begun and ended early goes on where it was. Raises BadOption for a hub that has no
    listing to bring, Unreachable where the hub stays away, and Refused where another process syncs.
    """
    start = time.perf_counter()
    source = open_hub(hub or setting("hub") or "hf")
    if not isinstance(source, Listed):
        raise BadOption(
            f"the hub `{source.name}` needs no sync", "`hubtl search` looks into it as it is"
        )
    address = getattr(source, "endpoint", source.name)
    many = address == HUGGING_FACE and not organisation
    wanted = (LEAST if many else 0) if least is None else least
    name = f"{address}#{organisation}" if organisation else address
    listing = Listing(index_folder(), name, asked=f"at least {wanted} downloads")
    after, _ = listing.begun()
    models = 0
    pages = source.pages(organisation=organisation, least=wanted, start=after)
    for models in listing.add(pages):
        progress(f"listing {name}", models, 0)
    entries = build(
        index_folder(),
        listings(index_folder()),
        told=lambda count: progress("building the index", count, 0),
    )
    return Synced(address, models, entries, time.perf_counter() - start)
