"""What a question for models that fit into memory needs to know."""

from __future__ import annotations

from dataclasses import replace

from .plugins.manager import plugins
from .registry.entry import Query


def with_memory(query: Query) -> tuple[Query, int]:
    """Return a query with the method of its recipe, and the bytes that are free, if it asks.

    Raises UnknownName for a recipe that nobody knows.
    """
    if not query.fits:
        return query, 0
    from .transfer.resources import free_memory

    return replace(query, recipe=plugins().recipe(query.recipe).method), free_memory("cpu")
