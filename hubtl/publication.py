"""Publish an adapted folder: the gate, the push, the proof. And the proof again, any later day."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .dataset import read_dataset, test_rows
from .evaluation import changed_files, find_base, open_model
from .plugins.hookspecs import Destination, Draft
from .plugins.manager import plugins
from .predictions import Predictions, read_predictions
from .proof import loading, predict_in_clean_process
from .registry.cache import check_id
from .registry.card import first_python_block, render
from .registry.catalog import catalogue
from .registry.entry import Entry
from .registry.errors import HubtlError, NotReproduced, Refused, UnknownName, Unreachable
from .registry.facts import FILE, Facts, read_facts
from .registry.places import setting
from .registry.weights import needed
from .results import Published
from .sources import fetch, pull, writing_hub
from .transfer.agreement import Agreement, compare
from .transfer.features import Progress

METRIC_TOLERANCE = 1e-9


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
    dry_run: bool = False


def publish(wish: Wish, progress: Progress) -> Published:
    """Return where the adapter is, once it has come back from there and said the same.

    Until then the hub's users see nothing of it: a failure leaves the hub as it was. Raises Refused
    with all that the gate has to say, NotReproduced with what differed.
    """
    facts = read_facts(wish.folder)
    hub = writing_hub(wish.hub)
    model = _full_name(wish.to)
    facts = dataclasses.replace(facts, domain=wish.domain or facts.domain, address=model)
    if wish.data_licence:
        facts = dataclasses.replace(facts, data={**facts.data, "licence": wish.data_licence})
    before = read_predictions(wish.folder)
    has_base = _has_base(hub, facts)
    _gate(wish, facts, model, before, hub, has_base)
    with tempfile.TemporaryDirectory(prefix="hubtl-publish-") as room:
        staged = Path(room, "folder")
        card = _stage(wish, facts, model, staged)
        files = tuple(
            sorted(
                path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()
            )
        )
        measured = facts.metrics[facts.main_metric]["value"]
        metric = {"name": facts.main_metric, "measured": measured, "reproduced": None}
        if wish.dry_run:
            return Published(
                hub.address(model), "", False, metric, len(before.ids), {}, files, card
            )
        source, base = find_base(facts, None if not has_base else wish.hub)
        base_folder = pull(source, base, progress=progress)
        if not has_base:
            only = {path: base_folder / path for path in needed(base.files)}
            hub.mirror(base, _copied(only, Path(room, "base")))
        progress("sending", 0, 1)
        draft = hub.draft(
            model,
            staged,
            private=not wish.public,
            message=f"{facts.recipe} adapter of {facts.base}: {facts.main_metric} {measured:.4f}",
        )
        progress("sending", 1, 1)
        try:
            agreement, reproduced = _prove(draft, hub, facts, before, Path(room), progress)
            commit = draft.accept(wish.tag)
        except BaseException:
            draft.discard()
            raise
    metric["reproduced"] = reproduced
    return Published(
        hub.address(model), commit, True, metric, len(before.ids), asdict(agreement), files, card
    )


def verify(
    name: str, data: Path | None, columns: Mapping[str, str], hub: str | None, progress: Progress
) -> Published:
    """Return whether a published adapter still says what it said when it was measured.

    The logits of the public probe inputs are compared with those in `hubtl.json`; with `data`, the
    main metric is measured on its test rows. Raises NotReproduced with what differs.
    """
    from .transfer import measure

    model = open_model(name, hub, progress)
    facts, task = model.facts, plugins().task(model.facts.task)
    read = read_dataset(data, task, columns) if data else None
    rows = test_rows(read) if read else ()
    said = model.predict([row.input for row in rows], "verifying", progress, task.probe_inputs)
    wanted = facts.probe["logits"]
    agreement = compare(_best(wanted), wanted, _best(said.probe), said.probe)
    if not agreement.holds:
        raise NotReproduced(
            f"`{name}` no longer says what was measured on the public probe inputs: {agreement}",
            f"`hubtl show {name}` tells who published it; evaluate it on rows of your own",
        )
    measured = facts.metrics[facts.main_metric]["value"]
    reproduced = None
    if rows:
        true = [row.label for row in rows]
        reproduced = measure.values(true, said.labels)[facts.main_metric]
    metric = {"name": facts.main_metric, "measured": measured, "reproduced": reproduced}
    return Published(
        name, model.revision, True, metric, len(rows) or agreement.rows, asdict(agreement)
    )


def _full_name(to: str) -> str:
    """Return ORG/NAME, the organisation from the settings where it was left out."""
    organisation = setting("organisation")
    model = f"{organisation}/{to}" if organisation and "/" not in to else to
    check_id(model)
    return model


def _has_base(hub: Destination, facts: Facts) -> bool:
    try:
        hub.entry(facts.base, facts.base_revision)
    except (UnknownName, Unreachable):
        return False
    return True


def _gate(
    wish: Wish,
    facts: Facts,
    model: str,
    before: Predictions,
    hub: Destination,
    has_base: bool,
) -> None:
    """Raise Refused with everything that stands against publishing, at once."""
    entry = Entry(
        model,
        hub.name,
        "adapter",
        tasks=(facts.task,),
        licence=facts.licence,
        base=facts.base,
        base_revision=facts.base_revision,
    )
    against = plugins().refusals(folder=wish.folder, entry=entry)
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_domain(facts),
        lambda: _check_measured(wish.folder, facts, before),
        lambda: _check_base(wish, facts, hub, has_base),
    )
    for check in checks:
        try:
            check()
        except HubtlError as refusal:
            against.append(refusal)
    if len(against) == 1:
        raise against[0]
    if against:
        lines = "".join(f"\n- {each.message}\n  ({each.hint})" for each in against)
        raise Refused(
            f"{len(against)} things stand against publishing `{wish.folder}`:{lines}",
            "mend them, then publish again",
        )


def _check_domain(facts: Facts) -> None:
    if not facts.domain:
        raise Refused(
            "the domain of this adapter is not known, and people find it by that",
            f"--domain NAME, one of: {', '.join(catalogue().domains)}",
        )
    catalogue().check_domain(facts.domain)


def _check_measured(folder: Path, facts: Facts, before: Predictions) -> None:
    """Raise NotReproduced if files changed, or the rows don't give the metric that is told."""
    from .transfer import measure

    changed = changed_files(folder, facts)
    if changed:
        raise NotReproduced(
            f"`{changed[0]}` is not the file that was measured: its sha256 differs",
            "adapt again: what is published is what was measured",
        )
    told = facts.metrics[facts.main_metric]["value"]
    found = measure.values(before.true, before.predicted)[facts.main_metric]
    if abs(told - found) > METRIC_TOLERANCE or len(before.ids) != facts.rows["test"]:
        raise NotReproduced(
            f"{FILE} tells {facts.main_metric} {told:.4f}, but the predictions beside it give "
            f"{found:.4f}",
            "adapt again: one of the two was changed",
        )


def _check_base(wish: Wish, facts: Facts, hub: Destination, has_base: bool) -> None:
    if not has_base and not wish.with_base:
        raise Refused(
            f"the base `{facts.base}` at {facts.base_revision[:7]} is not on {hub.name}, so nobody "
            "there could load the adapter",
            "add --with-base to put it there, as its licence allows",
        )


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

    back = draft.fetch(_new(room / "draft"))
    # The base too is taken from the hub, not from this machine's cache of it.
    entry = hub.entry(facts.base, facts.base_revision)
    base = fetch(hub, entry, _new(room / "base-back"))
    said = predict_in_clean_process(
        first_python_block((back / "README.md").read_text("utf-8")),
        {facts.base: (facts.base_revision, base), str(facts.address): (draft.revision, back)},
        before.inputs,
        step="proving what was sent",
        progress=progress,
    )
    agreement = compare(before.predicted, before.logits, said.labels, said.logits)
    reproduced = measure.values(before.true, said.labels)[facts.main_metric]
    measured = facts.metrics[facts.main_metric]["value"]
    # A near tie may fall the other way elsewhere, and the metric with it, by that many rows.
    allowed = METRIC_TOLERANCE + agreement.near_ties / max(1, agreement.rows)
    if not agreement.holds or abs(reproduced - measured) > allowed:
        raise NotReproduced(
            f"what was sent does not say what was measured: {agreement}; {facts.main_metric} "
            f"{reproduced:.4f} in place of {measured:.4f}",
            "nothing was published; adapt again",
        )
    return agreement, reproduced


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _best(logits: list[list[float]]) -> list[Any]:
    return [max(range(len(row)), key=row.__getitem__) for row in logits]
