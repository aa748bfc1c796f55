"""Publish an adapted folder: the gate, the push, the proof."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .collecting import collect
from .gate import Case, check_costly, check_folder
from .plugins.hookspecs import Destination, Draft, Reviewing
from .predictions import read_predictions
from .registry.cache import check_id, check_ref
from .registry.comparing import figure
from .registry.entry import Entry
from .registry.errors import BadOption, NotReproduced, UnknownName, Unreachable
from .registry.facts import Facts, read_facts
from .registry.fingerprint import files_in, sha256
from .registry.places import setting
from .registry.rooms import temporary_room
from .registry.weights import needed
from .remembering import remember
from .reproduction import reproduce
from .results import Published
from .sources import check_reviewing, fetch, find_base, pull, writing_hub
from .staging import copied, rebased, write_card
from .transfer.agreement import Agreement
from .transfer.progress import Progress
from .versions import card_changes, changes, history_upon, live

Proven = tuple[Agreement, float]  # how the rows agree, and the metric that they give


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants published, where, and how."""

    folder: Path
    to: str
    hub: str | None = None
    public: bool = False
    tag: str | None = None
    domain: str | None = None
    description: str = ""
    data_licence: str | None = None
    with_base: bool = False
    allow_worse: bool = False
    pull_request: bool = False
    dry_run: bool = False


def publish(wish: Wish, progress: Progress) -> Published:
    """Return where the adapter is, once it has come back from there and said the same.

    Until then the hub's users see nothing of it: a failure leaves the hub as it was. Raises Refused
    with all that the gate has to say, NotReproduced with what differed.
    """
    told = read_facts(wish.folder)
    hub = writing_hub(wish.hub)
    if wish.pull_request:
        check_reviewing(hub, wish.tag)
    model = _full_name(wish.to)
    facts = _facts(told, wish, model)
    rows = read_predictions(wish.folder)
    before = live(hub, model)
    facts = dataclasses.replace(facts, history=history_upon(before, facts))
    base = _base_on(hub, facts)
    with temporary_room("hubtl-publish-") as room:
        case = Case(wish.folder, facts, model, rows, hub, base, before, room)
        card = check_folder(case, wish.description, with_base=wish.with_base)
        against = check_costly(case, allow_worse=wish.allow_worse, progress=progress)
        staged = files_in(case.staged)
        done = Published(
            hub.address(model),
            "",
            False,
            _metric(facts),
            len(rows.ids),
            {},
            tuple(staged),
            card,
            changes(staged, before),
            card_changes(card, before),
            against,
        )
        if wish.dry_run:
            return done
        if base is None:
            facts = _mirror(case, wish, progress)
        (agreement, reproduced), address, commit = _send(wish, case, facts, progress)
    if not wish.pull_request:
        collect(hub, model)
        remember(facts, folder=wish.folder, address=address)
    return dataclasses.replace(
        done,
        address=address,
        commit=commit,
        verified=True,
        metric={**done.metric, "reproduced": reproduced},
        agreement=asdict(agreement),
    )


def _facts(facts: Facts, wish: Wish, model: str) -> Facts:
    """Return the folder's facts with what the user says of them; raises BadOption for bad words."""
    if wish.tag:
        check_ref(wish.tag)
    if "```" in wish.description:
        raise BadOption("a description may have no code in it", "put it in a page of its own")
    facts = dataclasses.replace(facts, domain=wish.domain or facts.domain, address=model)
    if wish.data_licence:
        facts = dataclasses.replace(facts, data={**facts.data, "licence": wish.data_licence})
    return facts


def _metric(facts: Facts) -> dict[str, Any]:
    measured = facts.metrics[facts.main_metric]["value"]
    return {"name": facts.main_metric, "measured": measured, "reproduced": None}


def _send(wish: Wish, case: Case, facts: Facts, progress: Progress) -> tuple[Proven, str, str]:
    """Send a draft, prove it, accept it; or take it away again."""
    told = figure(facts.main_metric, facts.metrics[facts.main_metric]["value"], digits=4)
    message = f"{facts.recipe} adapter of {facts.base}: {facts.main_metric} {told}"
    progress("sending", 0, 1)
    draft: Draft
    if wish.pull_request and isinstance(case.hub, Reviewing):
        draft = offer = case.hub.offer(case.model, case.staged, message=message)
        address = offer.address
    else:
        private = not wish.public
        draft = case.hub.draft(case.model, case.staged, private=private, message=message)
        address = case.hub.address(case.model)
    try:
        progress("sending", 1, 1)
        proven = _prove(draft, case, facts, progress)
        return proven, address, draft.accept(wish.tag)
    except BaseException:
        draft.discard()
        raise


def _mirror(case: Case, wish: Wish, progress: Progress) -> Facts:
    """Put the pinned base on the hub, from where this machine has it; return facts that name it."""
    facts = case.facts
    source, base = find_base(facts.base, facts.base_revision, None)
    folder = pull(source, base, progress=progress)
    files = {path: folder / path for path in needed(base.files)}
    owner = case.model.partition("/")[0]
    there = case.hub.mirror(base, copied(files, case.room / "base"), owner, private=not wish.public)
    if (there.id, there.revision) == (base.id, base.revision):
        return facts
    facts = rebased(case.staged, facts, there)
    write_card(case.folder, facts, wish.description, case.staged)
    return facts


def _prove(draft: Draft, case: Case, facts: Facts, progress: Progress) -> Proven:
    """Take the draft and its base back from the hub, and compare all rows; raises NotReproduced."""
    back = draft.fetch(_new(case.room / "draft"))
    _check_same(case.staged, back)
    # The base too is taken from the hub, not from this machine's copy of it.
    entry = case.hub.entry(facts.base, facts.base_revision)
    base = fetch(case.hub, entry, _new(case.room / "base-back"))
    return reproduce(back, base, draft.revision, facts, case.rows, "what was sent", progress)


def _full_name(to: str) -> str:
    """Return ORG/NAME, the organisation from the settings where it was left out."""
    organisation = setting("organisation")
    model = f"{organisation}/{to}" if organisation and "/" not in to else to
    check_id(model)
    return model


def _base_on(hub: Destination, facts: Facts) -> Entry | None:
    """Return the pinned base as the hub has it, or None."""
    try:
        return hub.entry(facts.base, facts.base_revision)
    except (UnknownName, Unreachable):
        return None


def _check_same(sent: Path, back: Path) -> None:
    """Raise NotReproduced unless every file came back as it was sent."""
    here, there = files_in(sent), files_in(back)
    for path, at in here.items():
        if path not in there or sha256(there[path]) != sha256(at):
            raise NotReproduced(
                f"what was sent does not come back as it was: `{path}` differs",
                "nothing was published; try again, and tell the owner of the hub",
            )


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
