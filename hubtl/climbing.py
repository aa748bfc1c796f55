"""Whether a richer recipe is worth it, by rows that were held out, and why, in one paragraph.

A richer recipe takes the place of the present one only if it does better on the same rows by more
than the noise: the 95 % paired interval of its gain in the main metric lies above zero; or that of
its gain in log loss does, and the main metric is no worse. Few rows tell log losses apart sooner
than labels, since each row counts by how sure it is, and a wrong answer that was sure counts most.
Where neither is so the cheaper one stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .registry.comparing import LOWER, WITH_UNIT, figure
from .transfer import measure
from .transfer.measure import Metric
from .transfer.trial import Judged

FOLDS = 3  # to judge all rows then takes two trainings on all of them; with five it takes four
LEAST_ROWS = 60  # fewer tell recipes apart only where one of them fails
ENOUGH = 500  # rows to judge by: more take longer than they tell
ROOM = 4  # wrong rows: of fewer, no gain can be told from chance
FEW_A_CLASS = 64  # rows; `fewshot` is made for no more

Interval = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Gains:
    """By how much one recipe is better than another on the same rows, as {value, low, high}.

    In the main metric, where there is one without a saved folder, and in log loss, in nats a row.
    """

    metric: Interval | None
    loss: Interval

    @property
    def wins(self) -> bool:
        """Whether it is better by more than the noise."""
        if self.metric is None:
            return self.loss["low"] > 0
        return self.metric["low"] > 0 or (self.loss["low"] > 0 and self.metric["value"] >= 0)

    @property
    def possible(self) -> bool:
        """Whether more rows could still tell that it is better."""
        if self.metric is None:
            return self.loss["high"] > 0
        return self.metric["high"] > 0 or (self.loss["high"] > 0 and self.metric["high"] >= 0)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a recipe reached on rows that it did not learn from, and against which other one."""

    recipe: str
    rows: int
    value: float | None
    loss: float
    seconds: float
    over: str | None = None
    gains: Gains | None = None

    @property
    def kept(self) -> bool:
        """Whether it took the place of the other."""
        return self.gains is None or self.gains.wins


@dataclass(frozen=True, slots=True)
class Climb:
    """The recipe that was chosen, what each of those tried reached, and why others were not tried.

    `rivals` is what the plain rivals reached on held-out rows, the winner's own value beside them.
    """

    recipe: str
    metric: str
    trials: tuple[Trial, ...] = ()
    not_tried: Mapping[str, str] = field(default_factory=dict)
    folds: int = 0
    rivals: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what is written down of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> Climb:
        """Return what was written down."""
        trials = [
            Trial(**{**each, "gains": Gains(**each["gains"]) if each["gains"] else None})
            for each in read["trials"]
        ]
        return cls(**{**read, "trials": tuple(trials)})


def compare(
    true: Sequence[str],
    ours: Judged,
    theirs: Judged,
    metrics: Mapping[str, Metric],
    origins: Sequence[str] = (),
) -> Gains:
    """Return by how much ours are better on the rows that both have, the first ones."""
    rows = min(len(ours), len(theirs))
    pairs = zip(theirs.losses[:rows], ours.losses[:rows], strict=True)
    true, origins = true[:rows], origins[:rows]
    loss = measure.mean([a - b for a, b in pairs], origins)
    if not ours.labels:
        return Gains(None, loss)
    said, before = ours.labels[:rows], theirs.labels[:rows]
    return Gains(measure.gain(true, said, before, metrics, origins=origins), loss)


def folds_for(rows: int) -> int:
    """Return how many of the FOLDS parts of so many rows are enough to judge by."""
    return min(FOLDS, math.ceil(ENOUGH / (rows / FOLDS)))


def unsuited(recipe: str, rows: int, classes: int) -> str:
    """Return why a recipe is not for so many rows; empty where it is."""
    if recipe == "fewshot" and rows > FEW_A_CLASS * classes:
        return f"it is for at most {FEW_A_CLASS} rows a class"
    return ""


def nothing_to_gain(true: Sequence[str], present: Judged) -> str:
    """Return why no recipe can do better than the present one; empty where one can."""
    wrong = sum(a != b for a, b in zip(true, present.labels, strict=False))
    if not present.labels or wrong >= ROOM:
        return ""
    return f"the one that is kept is wrong on {wrong} held-out rows, too few to gain by"


def paragraph(climb: Climb, words: Mapping[str, str], lost_to: str = "") -> str:
    """Return why that recipe was chosen; `words` say what plain rivals are.

    `lost_to` is the rival that it was not shown to beat on the test rows: that comes first.
    """
    parts = [f"On the test rows it does not beat {lost_to}." if lost_to else ""]
    parts.append(_against_rivals(climb, words))
    if climb.trials:
        rows = climb.trials[0].rows
        parts.append(
            f"`auto` chose `{climb.recipe}` by {rows} rows that each recipe was judged on without "
            f"having learnt from them ({climb.folds} of {FOLDS} folds; test rows had no say)."
            if climb.folds > 1
            else f"`auto` chose `{climb.recipe}` by {rows} rows that were held out from those to "
            "learn from (test rows had no say)."
        )
        parts.append("; ".join(_told(each, climb.metric) for each in climb.trials) + ".")
    else:
        parts.append(f"`auto` chose `{climb.recipe}` without comparing.")
    if climb.not_tried:
        because: dict[str, list[str]] = {}
        for name, why in climb.not_tried.items():
            because.setdefault(why, []).append(f"`{name}`")
        told = "; ".join(f"{', '.join(names)} ({why})" for why, names in because.items())
        parts.append(f"Not tried: {told}.")
    return " ".join(part for part in parts if part)


def _against_rivals(climb: Climb, words: Mapping[str, str]) -> str:
    """Return the first sentence where a plain rival does better than all: bad news come first."""
    own = _value(climb)
    if not climb.rivals or own is None:
        return ""
    metric = climb.metric
    best = measure.best({name: {metric: value} for name, value in climb.rivals.items()}, metric)
    rival = climb.rivals[best]
    if (rival < own) if metric not in LOWER else (rival > own):
        return ""
    return (
        f"On held-out rows {words.get(best, best)} reached {metric} {figure(metric, rival)}, "
        "and no recipe did better."
    )


def _value(climb: Climb) -> float | None:
    """Return what the chosen recipe reached on held-out rows."""
    found = [each.value for each in climb.trials if each.recipe == climb.recipe]
    return found[0] if found else None


def _told(trial: Trial, metric: str) -> str:
    """Return one clause on a recipe that was tried."""
    # Of numbers the loss is the main metric in another unit.
    loss_named = "loss" if metric in WITH_UNIT else "log loss"
    reached = f"{loss_named} {trial.loss:.3f}"
    if trial.value is not None:
        reached = f"{metric} {figure(metric, trial.value)} and {reached}"
    told = f"`{trial.recipe}` reached {reached}"
    if trial.gains is None:
        return told
    loss = f"{_signed('', trial.gains.loss)} in {loss_named}"
    parts = (
        [f"{_signed(metric, trial.gains.metric)} in {metric}", loss]
        if trial.gains.metric
        else [loss]
    )
    told += f" on {trial.rows} rows, a gain over `{trial.over}` of {' and '.join(parts)}"
    return f"{told}: {'kept' if trial.kept else 'not beyond the noise, so not kept'}"


def _signed(metric: str, gain: Interval) -> str:
    told, low, high = (figure(metric, gain[name], "+") for name in ("value", "low", "high"))
    return f"{told} ({low} to {high})"
