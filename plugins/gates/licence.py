"""Refuse to publish without a licence, or against the licence of what a model was made from."""

from __future__ import annotations

from pathlib import Path

from ...registry.catalog import catalogue
from ...registry.entry import Entry
from ...registry.errors import Refused
from ...registry.facts import read_facts
from ...registry.licences import chain_licence, check_chain
from ..hookspecs import hookimpl


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise Refused where a licence is missing, allows no adapters, or contradicts another."""
    known = catalogue().licences
    lineage = read_facts(folder).lineage
    if not lineage:
        check_chain(entry.base or entry.id, entry.licence, known.get(entry.licence or ""))
        return
    wanted = chain_licence(lineage, known)
    if wanted != entry.licence:
        raise Refused(
            f"what it was made upon asks for the licence {wanted}, and the folder says "
            f"{entry.licence}",
            "adapt again: the licence follows the base",
        )
