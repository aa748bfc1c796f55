"""What a model is made upon: another adapter, the base of that, and the licences of them all."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .plugins.hookspecs import Destination, Source
from .registry.cache import SHA
from .registry.catalog import catalogue
from .registry.entry import Entry
from .registry.errors import BadData, BadOption, Refused, UnknownName, Unreachable
from .registry.facts import FILE, Facts, read_facts
from .registry.licences import chain_licence
from .registry.rooms import temporary_room
from .registry.weights import ADAPTER_CONFIG, check_weights, is_adapter, needed
from .sources import check_file, find_base, pull, pulled
from .transfer.network import Network
from .transfer.progress import Progress

# PEFT methods whose changes can be added to the weights; prompts, for one, are no weights.
MERGED = ("ADALORA", "IA3", "LN_TUNING", "LOHA", "LOKR", "LORA")
Lineage = tuple[Mapping[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Upon:
    """An adapter to make another upon: where it is, what it is, and all that it stands on."""

    source: Source
    entry: Entry
    lineage: Lineage

    @property
    def name(self) -> str:
        """Its id and its commit."""
        return f"{self.entry.id}@{self.entry.revision}"

    @property
    def download_bytes(self) -> int:
        """How much of it is yet to be fetched."""
        there = pulled(self.entry.id, self.entry.revision)
        return 0 if there else sum(self.entry.files[p].size for p in needed(self.entry.files))

    def put_into(self, network: Network, progress: Progress) -> None:
        """Pull it, and put its changes into the network's body."""
        network.build_upon(pull(self.source, self.entry, progress=progress), self.entry)


def traced(source: Source, entry: Entry, hub: str | None) -> tuple[Source, Entry, Upon | None]:
    """Return the base that a model stands on, and the adapter between, where the model is one.

    Raises the HubtlError that says why nothing can be made upon an adapter: it pins no commit of
    its base, that is nowhere to be found, or the adapter is of a kind that can't be merged.
    """
    if entry.kind != "adapter" or (not is_adapter(entry.files) and "config.json" in entry.files):
        return source, entry, None
    config, facts = _read(source, entry)
    # Other weights beside it, such as those of a head, do not stand for the adapter's.
    check_weights(entry.id, [path for path in entry.files if path.startswith("adapter_model")])
    if not SHA.fullmatch(entry.revision or ""):
        raise BadOption(f"`{entry.id}` has no commit to pin", "choose another --base")
    kind = config.get("peft_type")
    if kind not in MERGED:
        raise BadOption(
            f"`{entry.id}` is an adapter of the kind {kind or 'unknown'}, which can't be put into "
            "the weights of its base, so nothing can be made upon it",
            f"--base {config.get('base_model_name_or_path') or entry.base or 'ID'}, or an adapter "
            f"of the kind {', '.join(MERGED)}",
        )
    base_source, base = _base(entry, config, hub)
    own = {"id": entry.id, "revision": entry.revision, "licence": entry.licence}
    between = facts.lineage[:-1] if facts else ()
    last = {"id": base.id, "revision": base.revision, "licence": base.licence}
    return base_source, base, Upon(source, entry, (own, *between, last))


def licence_upon(upon: Upon | None, base: Entry) -> str | None:
    """Return the licence of what is made upon these; None where theirs don't go together."""
    if upon is None:
        return base.licence
    with contextlib.suppress(Refused):  # the gate tells it to whoever wants to publish
        return chain_licence(upon.lineage, catalogue().licences)
    return None


def check_licences(facts: Facts, hub: Destination, base: Entry | None) -> None:
    """Raise Refused if the folder tells other licences than what it was made from has."""
    told = facts.lineage[-1]["licence"] if facts.lineage else facts.licence
    known = base or catalogue().entry(facts.base)
    _check_told("base", known, told)
    for made in facts.lineage[:-1]:
        with contextlib.suppress(UnknownName, Unreachable):
            there = hub.entry(str(made["id"]), made["revision"])
            _check_told(f"adapter `{made['id']}`", there, made["licence"])


def _check_told(what: str, known: Entry | None, told: str | None) -> None:
    if known and known.licence and told and known.licence != told:
        raise Refused(
            f"the {what} has the licence {known.licence}, and the folder says {told}",
            "adapt again: the licence follows the base",
        )


def _read(source: Source, entry: Entry) -> tuple[dict[str, Any], Facts | None]:
    """Return an adapter's configuration, and its facts where hubtl made it."""
    if ADAPTER_CONFIG not in entry.files:
        raise BadOption(
            f"`{entry.id}` is an adapter that PEFT does not know: it has no {ADAPTER_CONFIG}",
            f"--base {entry.base or 'ID'}",
        )
    return told_by(source, entry)


def told_by(source: Source, entry: Entry) -> tuple[dict[str, Any], Facts | None]:
    """Return the configuration of an adapter, empty where it has none, and hubtl's facts of it.

    Raises BadData for what can't be read, NotReproduced for what is not as it was pinned.
    """
    wanted = [path for path in (ADAPTER_CONFIG, FILE) if path in entry.files]
    if not wanted:
        return {}, None
    with temporary_room("hubtl-adapter-") as room:
        folder = source.fetch(entry, wanted, room)
        for path in wanted:
            check_file(entry, path, folder / path)
        try:
            at = folder / ADAPTER_CONFIG
            config = json.loads(at.read_text("utf-8")) if at.name in wanted else {}
            facts = read_facts(folder) if FILE in wanted else None
        except ValueError as error:
            raise BadData(
                f"`{entry.id}` does not tell what it was made from: {error}", "tell its owner"
            ) from error
    if not isinstance(config, dict):
        raise BadData(f"`{ADAPTER_CONFIG}` of `{entry.id}` is no configuration", "tell its owner")
    return config, facts


def _base(entry: Entry, config: Mapping[str, Any], hub: str | None) -> tuple[Source, Entry]:
    """Return the base of an adapter at the commit that the adapter pins."""
    model = config.get("base_model_name_or_path") or entry.base
    revision = config.get("revision") or entry.base_revision
    if not isinstance(model, str) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model, re.ASCII):
        raise BadOption(f"`{entry.id}` has `{model}` as its base, which is no model of a hub")
    if not isinstance(revision, str) or not SHA.fullmatch(revision):
        raise BadOption(
            f"`{entry.id}` pins no commit of its base `{model}`, so nobody can tell which weights "
            "it was made for",
            f"ask its owner to name the commit as `revision` in {ADAPTER_CONFIG}, or "
            f"--base {model}",
        )
    try:
        source, base = find_base(model, revision, hub)
    except UnknownName as error:
        raise UnknownName(
            f"`{entry.id}` is made from `{model}` at {revision[:7]}, and that is not found: "
            f"{error.message}",
            error.hint,
        ) from error
    if base.revision != revision or is_adapter(base.files):
        raise BadOption(
            f"`{entry.id}` is made from `{model}` at {revision[:7]}, which is no base",
            f"--base {model}",
        )
    return source, base
