"""Refuse to publish without a licence, or against the licence of the base."""

from __future__ import annotations

from pathlib import Path

from ...registry.catalog import catalogue
from ...registry.entry import Entry
from ...registry.licences import check_chain
from ..hookspecs import hookimpl


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise Refused where the base has no licence or one that allows no adapters."""
    known = catalogue().licences.get(entry.licence or "")
    check_chain(entry.base or entry.id, entry.licence, known)
