"""What was reached before with a base: results of adapted folders and of what the team published.

They are what the next choice of a base and a recipe can begin with. Of the data there is nothing
but its fingerprint and how much there was.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .comparing import DIGITS, LOWER
from .entry import Entry
from .errors import BadData
from .facts import Facts
from .history import work_of


@dataclass(frozen=True, slots=True)
class Past:
    """One result that a base reached; what a card does not tell is None.

    `work` tells apart what was made: the same files, measured on the same rows, are one work,
    wherever they are. `rows` are those that were learnt from. `fingerprint` is of the data, and
    `tested_on` the start of that of the test rows.
    """

    work: str
    base: str
    task: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    base_revision: str | None = None
    domain: str | None = None
    fingerprint: str | None = None
    tested_on: str | None = None
    test_rows: int | None = None
    rows: int | None = None
    classes: int | None = None
    recipe: str | None = None
    seconds: float | None = None
    date: str | None = None
    folder: str | None = None
    address: str | None = None

    @property
    def gain(self) -> float | None:
        """How much better it is than the best baseline on the same rows, where that is known."""
        if self.baseline is None:
            return None
        return (self.baseline - self.value) if self.metric in LOWER else self.value - self.baseline

    @property
    def where(self) -> str:
        """The address where it was published, else the folder that it was written into."""
        return self.address or self.folder or ""

    def as_json(self) -> dict[str, Any]:
        """Return all that is known of it, and its gain."""
        return {**asdict(self), "gain": self.gain}


def past_of(facts: Facts, *, folder: str | None = None, address: str | None = None) -> Past:
    """Return what the facts of an adapted folder tell of its base; raises BadData.

    A base that was copied to a team's hub counts as the one that it is a copy of.
    """
    copied = facts.base_copied_from or {"id": facts.base, "revision": facts.base_revision}
    metric = facts.main_metric
    try:
        reached = {name: float(facts.metrics[metric][name]) for name in ("value", "low", "high")}
        return Past(
            hashlib.sha256(json.dumps(work_of(facts), sort_keys=True).encode()).hexdigest()[:32],
            str(copied["id"]),
            facts.task,
            metric,
            **reached,
            baseline=float(facts.baselines[facts.gain["over"]][metric]),
            base_revision=str(copied["revision"]),
            domain=facts.domain,
            fingerprint=str(facts.data["fingerprint"]),
            tested_on=str(facts.data["test_fingerprint"])[:DIGITS],
            test_rows=int(facts.rows["test"]),
            rows=int(facts.rows["train"]),
            classes=len(facts.labels) or None,
            recipe=facts.recipe,
            seconds=float(facts.seconds),
            date=facts.made_on or datetime.date.today().isoformat(),
            folder=folder,
            address=address,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadData(f"the results of `{folder}` are damaged: {error}", "adapt again") from error


def past_told(entry: Entry, address: str) -> Past | None:
    """Return what the card of an adapter that hubtl made tells, or None if it tells no result."""
    metric = entry.main_metric
    if "hubtl" not in entry.tags or not (metric and entry.base and entry.tasks):
        return None
    low, high = entry.intervals.get(metric, (None, None))
    return Past(
        f"{entry.hub} {entry.id}",
        entry.base,
        entry.tasks[0],
        metric,
        entry.metrics[metric],
        low,
        high,
        base_revision=entry.base_revision,
        domain=next(iter(entry.domains), None),
        tested_on=entry.tested_on,
        test_rows=entry.test_rows,
        date=entry.date,
        address=address,
    )


def relevant(
    results: Iterable[Past],
    task: str | None = None,
    *,
    domain: str | None = None,
    fingerprint: str | None = None,
    base: str | None = None,
) -> tuple[Past, ...]:
    """Return the results for a task, those that tell the most about the next one first.

    On the same data first, then of the same domain, then the others; within each by how far they
    are above their baseline, as far as that is known, and the newest first.
    """
    wanted = [
        each
        for each in results
        if task in (None, each.task) and (base is None or each.base.casefold() == base.casefold())
    ]
    wanted.sort(key=lambda each: each.date or "", reverse=True)

    def order(each: Past) -> tuple[bool, bool, float]:
        same = fingerprint is not None and each.fingerprint == fingerprint
        near = domain is not None and each.domain == domain
        return not same, not near, -(each.gain if each.gain is not None else float("-inf"))

    return tuple(sorted(wanted, key=order))
