"""Publish an adapted folder: the gate, the push, the proof. And the proof again, any later day."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .dataset import read_dataset, test_rows
from .evaluation import check_files, check_labels, fetch_model, goal_of
from .gate import METRIC_TOLERANCE, gate
from .plugins.hookspecs import Destination, Draft, Reviewing
from .plugins.manager import plugins
from .predictions import Predictions, read_predictions
from .proof import Predicted, card_code, loading, predict_in_clean_process
from .registry.cache import check_id, check_ref
from .registry.card import render
from .registry.entry import Entry
from .registry.errors import BadOption, NotReproduced, UnknownName, Unreachable
from .registry.facts import Facts, read_facts
from .registry.fingerprint import files_in, rows_fingerprint, sha256
from .registry.places import setting
from .registry.rooms import temporary_room
from .registry.weights import needed
from .results import Published
from .sources import check_reviewing, fetch, find_base, pull, writing_hub
from .transfer.agreement import Agreement, compare
from .transfer.progress import Progress
from .transfer.split import contents_of


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
    pull_request: bool = False
    dry_run: bool = False


def publish(wish: Wish, progress: Progress) -> Published:
    """Return where the adapter is, once it has come back from there and said the same.

    Until then the hub's users see nothing of it: a failure leaves the hub as it was. Raises Refused
    with all that the gate has to say, NotReproduced with what differed.
    """
    facts = read_facts(wish.folder)
    hub = writing_hub(wish.hub)
    if wish.pull_request:
        check_reviewing(hub, wish.tag)
    model = _full_name(wish.to)
    if wish.tag:
        check_ref(wish.tag)
    if "```" in wish.description:
        raise BadOption("a description may have no code in it", "put it in a page of its own")
    facts = dataclasses.replace(facts, domain=wish.domain or facts.domain, address=model)
    if wish.data_licence:
        facts = dataclasses.replace(facts, data={**facts.data, "licence": wish.data_licence})
    before = read_predictions(wish.folder)
    base = _base_on(hub, facts)
    gate(wish.folder, facts, model, before, hub, base, with_base=wish.with_base)
    with temporary_room("hubtl-publish-") as room:
        staged = room / "folder"
        card = _stage(wish, facts, model, staged)
        files = tuple(files_in(staged))
        measured = facts.metrics[facts.main_metric]["value"]
        metric = {"name": facts.main_metric, "measured": measured, "reproduced": None}
        if wish.dry_run:
            return Published(
                hub.address(model), "", False, metric, len(before.ids), {}, files, card
            )
        if base is None:
            _mirror(hub, facts, room, progress)
        proven, address, commit = _send(wish, hub, model, facts, before, room, progress)
    agreement, metric["reproduced"] = proven
    return Published(address, commit, True, metric, len(before.ids), asdict(agreement), files, card)


def _send(
    wish: Wish,
    hub: Destination,
    model: str,
    facts: Facts,
    before: Predictions,
    room: Path,
    progress: Progress,
) -> tuple[tuple[Agreement, float], str, str]:
    """Send a draft, prove it, accept it; or take it away again."""
    measured = facts.metrics[facts.main_metric]["value"]
    message = f"{facts.recipe} adapter of {facts.base}: {facts.main_metric} {measured:.4f}"
    progress("sending", 0, 1)
    draft: Draft
    if wish.pull_request and isinstance(hub, Reviewing):
        draft = offer = hub.offer(model, room / "folder", message=message)
        address = offer.address
    else:
        draft = hub.draft(model, room / "folder", private=not wish.public, message=message)
        address = hub.address(model)
    try:
        progress("sending", 1, 1)
        proven = _prove(draft, hub, facts, before, room, progress)
        return proven, address, draft.accept(wish.tag)
    except BaseException:
        draft.discard()
        raise


def _mirror(hub: Destination, facts: Facts, room: Path, progress: Progress) -> None:
    """Put the pinned base on the hub, from where this machine has it."""
    source, base = find_base(facts.base, facts.base_revision, None)
    folder = pull(source, base, progress=progress)
    hub.mirror(base, _copied({path: folder / path for path in needed(base.files)}, room / "base"))


def verify(
    name: str, data: Path | None, columns: Mapping[str, str], hub: str | None, progress: Progress
) -> Published:
    """Return whether a published adapter still says what it said when it was measured.

    The logits of the public probe inputs are compared with those in `hubtl.json`; with `data`, the
    main metric is measured on its test rows. Raises NotReproduced with what differs.
    """
    from .transfer import measure

    with temporary_room("hubtl-verify-") as room:
        model = fetch_model(name, hub, room, progress)
        facts, task = model.facts, plugins().task(model.facts.task)
        goal = goal_of(facts)
        read = read_dataset(data, task, columns, hub, goal=goal) if data else None
        rows = test_rows(read) if read else ()
        check_labels(rows, facts, name)
        inputs = [row.input for row in rows]
        said = model.predict(inputs, "verifying", progress, task.probe_inputs)
    agreement = _compare_probe(facts, said)
    if not agreement.holds:
        raise NotReproduced(
            f"`{name}` no longer says what was measured on the public probe inputs: {agreement}",
            f"`hubtl show {name}` tells who published it; evaluate it on rows of your own",
        )
    measured = facts.metrics[facts.main_metric]["value"]
    metric = {"name": facts.main_metric, "measured": measured, "reproduced": None}
    if rows:
        true = [row.label for row in rows]
        found = measure.values(true, said.labels, goal.metrics)[facts.main_metric]
        same = rows_fingerprint(contents_of(rows))
        metric |= {"reproduced": found, "same_rows": same == facts.data["test_fingerprint"]}
        if metric["same_rows"] and abs(found - measured) > METRIC_TOLERANCE:
            raise NotReproduced(
                f"`{name}` gives {facts.main_metric} {found:.4f} on the very rows that gave "
                f"{measured:.4f}",
                f"`hubtl show {name}` tells who published it",
            )
    return Published(
        name, model.revision, True, metric, len(rows) or agreement.rows, asdict(agreement)
    )


def _compare_probe(facts: Facts, said: Predicted) -> Agreement:
    """Return how the logits of the public probe inputs differ from those that were measured."""
    wanted = facts.probe["logits"]
    return compare(_best(wanted), wanted, _best(said.probe), said.probe)


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


def _stage(wish: Wish, facts: Facts, model: str, staged: Path) -> str:
    """Copy what is published, with a card for its address, and return the card."""
    staged.mkdir()
    _copied({path: wish.folder / path for path in facts.files}, staged)
    facts.write(staged)
    snippet = plugins().task(facts.task).snippet(staged, loading(facts, model))
    card = render(
        facts,
        snippet,
        name=model.partition("/")[2],
        description=wish.description,
        more=plugins().sections(wish.folder),
    )
    (staged / "README.md").write_text(card, encoding="utf-8")
    # Once more on the copies: what is sent is what was measured, and the code is hubtl's own.
    check_files(staged, facts)
    card_code(staged, facts)
    return card


def _copied(files: Mapping[str, Path], folder: Path) -> Path:
    for path, source in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / path)
    return folder


def _prove(
    draft: Draft,
    hub: Destination,
    facts: Facts,
    before: Predictions,
    room: Path,
    progress: Progress,
) -> tuple[Agreement, float]:
    """Take the draft and its base back from the hub, and compare all rows; raises NotReproduced."""
    from .transfer import measure

    goal = goal_of(facts)
    back = draft.fetch(_new(room / "draft"))
    _check_same(room / "folder", back)
    # The base too is taken from the hub, not from this machine's copy of it.
    base = fetch(hub, hub.entry(facts.base, facts.base_revision), _new(room / "base-back"))
    said = predict_in_clean_process(
        card_code(back, facts),
        {facts.base: (facts.base_revision, base), str(facts.address): (draft.revision, back)},
        before.inputs,
        probe=plugins().task(facts.task).probe_inputs,
        step="proving what was sent",
        progress=progress,
        said=goal.said,
    )
    agreement = compare(before.predicted, before.logits, said.labels, said.logits, goal)
    reproduced = measure.values(before.true, said.labels, goal.metrics)[facts.main_metric]
    measured = facts.metrics[facts.main_metric]["value"]
    # A near tie may fall the other way elsewhere, and the metric with it, by that many rows.
    allowed = METRIC_TOLERANCE + agreement.near_ties / max(1, agreement.rows)
    probed = _compare_probe(facts, said)
    if not (agreement.holds and probed.holds) or abs(reproduced - measured) > allowed:
        agreement = probed if agreement.holds else agreement
        raise NotReproduced(
            f"what was sent does not say what was measured: {agreement}; {facts.main_metric} "
            f"{reproduced:.4f} in place of {measured:.4f}",
            "nothing was published; adapt again",
        )
    return agreement, reproduced


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


def _best(logits: list[list[float]]) -> list[Any]:
    return [max(range(len(row)), key=row.__getitem__) for row in logits]
