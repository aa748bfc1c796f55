"""What users get under a name now, and how a new version differs from it and does beside it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evaluation import Model, goal_of, published_facts
from .plugins.hookspecs import Destination, Versioned
from .predictions import Predictions
from .registry import history
from .registry.comparing import figure
from .registry.entry import Entry, File
from .registry.errors import HubtlError, Refused, UnknownName, Unreachable
from .registry.facts import FILE, Facts, read_facts
from .registry.fingerprint import is_same
from .registry.rooms import temporary_room
from .sources import base_folder, check_file, fetch
from .transfer import measure
from .transfer.goal import other_kind
from .transfer.progress import Progress

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Live:
    """A published version: its entry, its tags, its card; and its facts, or why there are none."""

    entry: Entry
    tags: tuple[str, ...]
    card: str
    facts: Facts | None
    why: str = ""


def live(hub: Destination, model: str) -> Live | None:
    """Return what users of the hub get under a name; None where that is nothing."""
    try:
        entry = hub.entry(model)
    except UnknownName:
        return None
    except Unreachable:
        if getattr(hub, "needs_network", False):
            raise
        return None  # a folder that is yet to be made
    if not set(entry.files) - {".gitattributes"}:
        return None  # a repository that was made, and never filled
    named = hub.versions(model) if isinstance(hub, Versioned) else {}
    tags = [tag for tag, commit in named.items() if commit == entry.revision]
    with temporary_room("hubtl-live-") as room:
        wanted = [path for path in (FILE, CARD) if path in entry.files]
        folder = hub.fetch(entry, wanted, room) if wanted else room
        for path in wanted:
            check_file(entry, path, folder / path)
        card = (folder / CARD).read_text("utf-8", "replace") if CARD in wanted else ""
        if FILE not in wanted:
            return Live(entry, tuple(tags), card, None, f"it has no {FILE}")
        try:
            return Live(entry, tuple(tags), card, read_facts(folder))
        except HubtlError as error:
            return Live(entry, tuple(tags), card, None, error.message)


def history_upon(before: Live | None, facts: Facts) -> tuple[Any, ...]:
    """Return the versions that the new one's card tells of, given what is live."""
    if before is None or before.facts is None:
        return ()
    return history.after(before.facts, str(before.entry.revision), before.tags, facts)


def changes(staged: Mapping[str, Path], before: Live | None) -> dict[str, str]:
    """Return of each file whether it is new, changed, the same, or taken away."""
    had = before.entry.files if before else {}
    told = {path: _change(at, had.get(path)) for path, at in staged.items()}
    gone = sorted(set(had) - set(staged) - {".gitattributes"})
    return {**told, **dict.fromkeys(gone, "removed")}


def _change(path: Path, had: File | None) -> str:
    if had is None:
        return "new"
    return "same" if is_same(path, had) else "changed"


def card_changes(card: str, before: Live | None) -> str:
    """Return how a card differs from the one that is live, as `diff -u` has it."""
    lines = (before.card if before else "").splitlines(), card.splitlines()
    return "\n".join(difflib.unified_diff(*lines, "live", "new", lineterm="", n=2))


def beside(
    before: Live | None,
    hub: Destination,
    facts: Facts,
    rows: Predictions,
    room: Path,
    progress: Progress,
) -> dict[str, Any] | None:
    """Return the paired difference to what is live, on the rows the new one was measured on.

    None where nothing is live or it is the same work; `why` tells where the two can't be compared.
    """
    if before is None:
        return None
    told: dict[str, Any] = {"revision": before.entry.revision, "tags": list(before.tags)}
    if before.facts is None:
        return {**told, "difference": None, "why": f"hubtl did not make it: {before.why}"}
    if history.is_same(before.facts, facts):
        return None
    if before.facts.task != facts.task:
        return {**told, "difference": None, "why": f"it is for {before.facts.task}"}
    goal = goal_of(facts)
    why, theirs = other_kind(goal, goal_of(before.facts)), list[Any]()
    if not why:
        try:
            theirs = _said(before, before.facts, hub, rows, room, progress)
            why = goal.unlike(rows.predicted, theirs)
        except HubtlError as error:
            why = error.message
    if why:
        return {**told, "difference": None, "why": why}
    metrics = goal.metrics
    gain = measure.gain(rows.true, rows.predicted, theirs, metrics, facts.seed, rows.origins)
    return {
        **told,
        "metrics": measure.measure(rows.true, theirs, metrics, facts.seed, rows.origins),
        "difference": {"metric": facts.main_metric, **gain},
        "why": "",
    }


def _said(
    before: Live,
    facts: Facts,
    hub: Destination,
    rows: Predictions,
    room: Path,
    progress: Progress,
) -> list[Any]:
    """Return what the live version says of rows."""
    folder = room / "live"
    folder.mkdir()
    folder = fetch(hub, before.entry, folder, progress=progress)
    published_facts(folder, before.entry)
    base = base_folder(facts.base, facts.base_revision, hub.name, progress=progress)
    model = Model(folder, facts, base, str(before.entry.revision))
    step = "comparing with what is live"
    return model.predict(rows.inputs, step, progress, true=rows.true).labels


def check_fall(against: Mapping[str, Any] | None, *, allow_worse: bool) -> None:
    """Raise Refused where the new version is worse by more than chance."""
    difference = against["difference"] if against else None
    if allow_worse or difference is None or difference["high"] >= 0:
        return
    assert against is not None, "it has a difference"
    metric = difference["metric"]
    less = {name: figure(metric, -difference[name]) for name in ("value", "low", "high")}
    name = against["tags"][0] if against["tags"] else str(against["revision"])[:7]
    raise Refused(
        f"this version is worse than {name}, which is live: by {less['value']} "
        f"{difference['metric']} ({less['high']} to {less['low']}) on the "
        "same rows",
        "--allow-worse publishes it all the same",
    )
