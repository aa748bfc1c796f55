"""What a model was made from, what was made from it, and its versions, as far as is known now."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .descendants import ancestors, descendants, in_index
from .lineage import Lineage, told_by
from .plugins.hookspecs import Source, Versioned
from .registry.cache import SHA
from .registry.entry import Entry
from .registry.errors import BadData, HubtlError, UnknownName
from .registry.facts import Facts
from .registry.past import Past
from .registry.usage import gained, kept_of_base
from .remembering import recalled
from .results import Family
from .sources import open_hub

Numbers = Mapping[str, Mapping[str, float]]
MOST_VERSIONS = 20


def family_of(entry: Entry, *, offline: bool = False) -> Family:
    """Return what is known of a model's kin; what is not is among `not_known`.

    `offline` asks nobody but this machine's index and catalogue.
    """
    not_known: list[str] = []
    children, more = descendants(entry, not_known, offline=offline)
    past = _past(entry, not_known)
    source = None if offline else _source(entry.hub)
    kin = Family((), children, past=past, more=more)
    if entry.kind != "adapter" or (source is None and not offline):
        known = tuple(not_known)
        return replace(kin, not_known=known, ancestors=ancestors(entry, not_known))
    config: Mapping[str, Any] = {}
    facts = told = None
    try:
        config, facts = told_by(source, entry) if source else ({}, None)
        told = _results(entry.id, facts) if facts else None
    except HubtlError as error:
        not_known.append(f"what `{entry.id}` tells of itself is not known: {error.message}")
    lineage = _lineage(entry, config, facts)
    base_now = None
    if lineage and source:
        try:
            base_now = source.entry(str(lineage[-1]["id"])).revision
        except HubtlError as error:
            not_known.append(f"whether its base has moved on is not known: {error.message}")
    base = in_index(str(lineage[-1]["id"])) if lineage else None
    results, rivals, sentences = told if told else ({}, {}, ())
    return replace(
        kin,
        lineage=lineage,
        base_now=base_now,
        versions=_versions(source, entry, not_known) if source else {},
        results=results,
        baselines=rivals,
        gain_and_retention=sentences,
        ancestors=ancestors(base, not_known) if base else (),
        not_known=tuple(not_known),
    )


def _past(entry: Entry, not_known: list[str]) -> tuple[Past, ...]:
    """Return what the team reached with a base."""
    if entry.kind == "adapter":
        return ()
    try:
        return recalled(base=entry.id)
    except HubtlError as error:
        not_known.append(f"what your team reached with `{entry.id}` is not known: {error.message}")
        return ()


def _source(hub: str) -> Source | None:
    """Return the hub that an entry says it is from; None where a plugin's is called otherwise."""
    with contextlib.suppress(UnknownName):
        found = open_hub(hub)
        return found if isinstance(found, Source) else None
    return None


def _lineage(entry: Entry, config: Mapping[str, Any], facts: Facts | None) -> Lineage:
    """Return what an adapter stands on, the nearest first and the base last."""
    if facts:
        base = {"id": facts.base, "revision": facts.base_revision, "licence": facts.licence}
        return facts.lineage or (base,)
    named, revision = config.get("base_model_name_or_path"), config.get("revision")
    named = named if isinstance(named, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", named) else None
    pinned = revision if isinstance(revision, str) and SHA.fullmatch(revision) else None
    chain = ((entry.upon, None), (named or entry.base, pinned))
    return tuple({"id": id_, "revision": at, "licence": None} for id_, at in chain if id_)


def _results(model: str, facts: Facts) -> tuple[Numbers, Numbers, tuple[str, ...]]:
    """Return the metrics with their intervals, the main one first, and those of the baselines.

    Beside them are the sentences on gain and retention.

    Raises BadData for what is no number: the file may be a stranger's.
    """
    names = sorted(facts.metrics, key=lambda name: name != facts.main_metric)
    parts = ("value", "low", "high")
    try:
        own = {name: {part: float(facts.metrics[name][part]) for part in parts} for name in names}
        theirs = {
            facts.rivals.get(rival, rival): {name: float(values[name]) for name in names}
            for rival, values in facts.baselines.items()
        }
        sentences = [gained(facts), *kept_of_base(facts.retention)]
        # They are shown as they are, and a stranger may have put anything into them.
        shown = tuple("".join(filter(str.isprintable, each)) for each in sentences)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise BadData(f"the results of `{model}` are no numbers", "tell its owner") from error
    return own, theirs, shown


def _versions(source: Source, entry: Entry, not_known: list[str]) -> dict[str, Entry]:
    """Return the tagged versions, the highest number first, as the card of each tells of it."""
    if not isinstance(source, Versioned):
        return {}
    found: dict[str, Entry] = {}
    names: list[str] = []
    try:
        names = sorted(source.versions(entry.id), key=_natural, reverse=True)
        for name in names[:MOST_VERSIONS]:
            found[name] = source.entry(entry.id, name)
    except HubtlError as error:
        not_known.append(f"its versions are not all known: {error.message}")
    if len(names) > MOST_VERSIONS:
        not_known.append(f"{len(names) - MOST_VERSIONS} older versions are not shown")
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """Return what names are ordered by, so that v10 comes after v9."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", name)]
