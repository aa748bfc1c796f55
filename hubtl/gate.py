"""The gate: what must hold before anything is sent to a hub, all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .evaluation import changed_files, goal_of
from .lineage import check_licences
from .plugins.hookspecs import Destination
from .plugins.manager import plugins
from .predictions import Predictions
from .registry.catalog import catalogue
from .registry.entry import Entry
from .registry.errors import HubtlError, NotReproduced, Refused
from .registry.facts import FILE, Facts
from .registry.fingerprint import rows_fingerprint
from .transfer.contents import digest_of

METRIC_TOLERANCE = 1e-9


def gate(
    folder: Path,
    facts: Facts,
    model: str,
    before: Predictions,
    hub: Destination,
    base: Entry | None,
    *,
    with_base: bool,
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
    against = plugins().refusals(folder=folder, entry=entry)
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_domain(facts),
        lambda: _check_measured(folder, facts, before),
        lambda: check_inputs(before),
        lambda: _check_base(facts, hub, base, with_base),
        lambda: check_licences(facts, hub, base),
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
    found = measure.measure(true, before.predicted, metrics, seed) if true else {}
    rivals = {name: measure.values(true, labels, metrics) for name, labels in before.rivals.items()}
    same = (
        rows == facts.data["test_fingerprint"]
        and _near(found, facts.metrics)
        and _near(rivals, facts.baselines)
    )
    if not same or facts.beats_baseline != (facts.gain["low"] > 0):
        told = facts.metrics[facts.main_metric]["value"]
        again = found.get(facts.main_metric, {}).get("value", float("nan"))
        raise NotReproduced(
            f"{FILE} tells {facts.main_metric} {told:.4f} and what stands beside it, but the "
            f"predictions in the folder don't give that ({facts.main_metric} {again:.4f})",
            "adapt again: one of the two was changed",
        )


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
    if base is None and not with_base:
        raise Refused(
            f"the base `{facts.base}` at {facts.base_revision[:7]} is not on {hub.name}, so nobody "
            "there could load the adapter",
            "add --with-base to put it there, as its licence allows",
        )
