"""What a question for models is checked for, and what one for those that fit needs to know."""

from __future__ import annotations

from dataclasses import replace

from .plugins.manager import plugins
from .registry.catalog import catalogue
from .registry.entry import Query
from .registry.errors import unknown
from .registry.search import ALLOWS


def check_query(query: Query) -> None:
    """Raise UnknownName for a domain, a use or a task that nobody knows."""
    known = catalogue()
    if query.domain:
        known.check_domain(query.domain)
    if query.allows and query.allows not in ALLOWS:
        raise unknown("permission of a licence", query.allows, ALLOWS, "")
    tasks = {task for entry in known.entries for task in entry.tasks}
    if query.task and query.task not in tasks and query.task not in plugins().tasks:
        every = tasks | set(plugins().tasks)
        raise unknown("task", query.task, every, "see `hubtl catalog --tasks`")


def with_memory(query: Query) -> tuple[Query, int]:
    """Return a query with the method of its recipe, and the bytes that are free, if it asks.

    Raises UnknownName for a recipe that nobody knows.
    """
    if not query.fits:
        return query, 0
    from .transfer.resources import free_memory

    return replace(query, recipe=plugins().recipe(query.recipe).method), free_memory("cpu")
