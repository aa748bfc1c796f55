"""The gate: what must hold before anything is sent to a hub, all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evaluation import changed_files, goal_of
from .leaks import check_rows
from .lineage import check_licences
from .plugins.hookspecs import Destination
from .plugins.manager import plugins
from .predictions import Predictions
from .proof import NO_COMMIT
from .registry.catalog import catalogue
from .registry.comparing import figure
from .registry.entry import Entry
from .registry.errors import HubtlError, NotReproduced, Refused
from .registry.facts import FILE, Facts
from .registry.fingerprint import rows_fingerprint
from .reproduction import METRIC_TOLERANCE, reproduce, some
from .sources import base_folder
from .staging import stage
from .transfer import resources
from .transfer.contents import digest_of
from .transfer.progress import Progress
from .versions import Live, beside, check_fall


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be published as `model` on a hub, with what is there of its base and its name."""

    folder: Path
    facts: Facts
    model: str
    rows: Predictions
    hub: Destination
    base: Entry | None
    before: Live | None
    room: Path

    @property
    def staged(self) -> Path:
        """The folder in which that is put together which is sent."""
        return self.room / "folder"

    @property
    def entry(self) -> Entry:
        """What the hub would list."""
        return Entry(
            self.model,
            self.hub.name,
            "adapter",
            tasks=(self.facts.task,),
            licence=self.facts.licence,
            base=self.facts.base,
            base_revision=self.facts.base_revision,
        )


def check_folder(case: Case, description: str, *, with_base: bool) -> str:
    """Return the card that is published, or raise Refused with all that stands against it.

    Gates see the folder as `adapt` left it, and then what is put together of it: a card has a
    description, and sections by plugins.
    """
    facts, cards = case.facts, list[str]()
    against = plugins().refusals(folder=case.folder, entry=case.entry)
    known = {each.message for each in against}

    def put_together() -> None:
        cards.append(stage(case.folder, facts, description, case.staged))
        again = plugins().refusals(folder=case.staged, entry=case.entry)
        against.extend(each for each in again if each.message not in known)
        check_rows(case.staged, facts, case.rows)

    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_domain(facts),
        lambda: _check_measured(case.folder, facts, case.rows),
        lambda: check_inputs(case.rows),
        lambda: _check_base(facts, case.hub, case.base, with_base),
        lambda: check_licences(facts, case.hub, case.base),
        lambda: check_rows(case.folder, facts, case.rows),
        put_together,
    )
    against += _refusals(checks)
    _raise_all(case.folder, against)
    return cards[0]


def check_costly(case: Case, *, allow_worse: bool, progress: Progress) -> Mapping[str, Any] | None:
    """Return how it does beside what is live; raises what stands against it, both at once.

    It must say what was measured before anything is sent, and not be worse by more than chance.
    """
    found = list[Mapping[str, Any] | None]()

    def reproduces() -> None:
        base = base_folder(
            case.facts.base, case.facts.base_revision, case.hub.name, progress=progress
        )
        few = some(case.rows)
        reproduce(case.staged, base, NO_COMMIT, case.facts, few, "the folder", progress)

    def does_not_fall() -> None:
        room = case.room
        found.append(beside(case.before, case.hub, case.facts, case.rows, room, progress))
        check_fall(found[0], allow_worse=allow_worse)

    _raise_all(case.folder, _refusals((reproduces, does_not_fall)))
    return found[0]


def _refusals(checks: Iterable[Callable[[], None]]) -> list[HubtlError]:
    """Return what each check raises; the same in other words is told once."""
    found: dict[str, HubtlError] = {}
    for check in checks:
        try:
            check()
        except HubtlError as refusal:
            found.setdefault(refusal.message, refusal)
    return list(found.values())


def _raise_all(folder: Path, against: Sequence[HubtlError]) -> None:
    if len(against) == 1:
        raise against[0]
    if against:
        lines = "".join(f"\n- {each.message}\n  ({each.hint})" for each in against)
        raise Refused(
            f"{len(against)} things stand against publishing `{folder}`:{lines}",
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
    rows = rows_fingerprint(zip(before.contents, before.true, strict=False))
    metrics = goal_of(facts).metrics
    true, seed = before.true, facts.seed
    found = measure.measure(true, before.predicted, metrics, seed, before.origins) if true else {}
    rivals = {name: measure.values(true, labels, metrics) for name, labels in before.rivals.items()}
    same = (
        rows == facts.data["test_fingerprint"]
        and _near(found, facts.metrics)
        and _near(rivals, facts.baselines)
    )
    if not same or facts.beats_baseline != (facts.gain["low"] > 0):
        metric = facts.main_metric
        told, again = (
            facts.metrics[metric]["value"],
            found.get(metric, {}).get("value", float("nan")),
        )
        raise NotReproduced(
            f"{FILE} tells {metric} {figure(metric, told, digits=4)} and what stands beside it, "
            "but the predictions in the folder don't give that "
            f"({metric} {figure(metric, again, digits=4)})",
            _reckoned_anew(facts) or "adapt again: one of the two was changed",
        )


def _reckoned_anew(facts: Facts) -> str:
    """Return what to do where another hubtl measured, whose intervals may differ; else nothing."""
    then, now = facts.versions.get("hubtl"), resources.versions()["hubtl"]
    if then in (now, None):
        return ""
    return f"hubtl {then} measured it, and this is {now}: adapt again, or publish with hubtl {then}"


def check_inputs(before: Predictions) -> None:
    """Raise NotReproduced if a file that was measured with is gone, or holds something else."""
    for path, content in zip(before.inputs, before.contents, strict=True):
        if path == content:
            continue
        try:
            same = digest_of(path) == content
        except OSError as error:
            raise NotReproduced(
                f"`{path}`, which was measured with, can't be read: {error.strerror}",
                "put it back where it was, or adapt again",
            ) from error
        if not same:
            raise NotReproduced(
                f"`{path}` is not the file that was measured with", "put it back, or adapt again"
            )


def _near(found: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Return whether two tables of numbers have the same names and the same numbers."""
    return found.keys() == told.keys() and all(
        found[name].keys() == told[name].keys()
        and all(abs(found[name][key] - told[name][key]) <= METRIC_TOLERANCE for key in found[name])
        for name in found
    )


def _check_base(facts: Facts, hub: Destination, base: Entry | None, with_base: bool) -> None:
    """Raise Refused where the hub has no such base, NotReproduced where it has other files."""
    if base is None and not with_base:
        raise Refused(
            f"the base `{facts.base}` at {facts.base_revision[:7]} is not on {hub.name}, so nobody "
            "there could load the adapter",
            "add --with-base to put it there, as its licence allows",
        )
    there = base.files if base else {}
    for path, digest in facts.base_files.items():
        if path in there and there[path].sha256 not in (None, "", digest):
            raise NotReproduced(
                f"`{path}` of the base `{facts.base}` is not the file it was adapted from",
                f"adapt again from the base as it is on {hub.name}",
            )
