"""What is wrong with labels: too few of one, far more of another, and those that are doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .results import Finding
from .row_faults import Sheet
from .splitting import BY_NUMBER, TEST_SHARE, are_measured
from .transfer.goal import Goal
from .transfer.noise import suspects
from .transfer.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 8  # rows to learn a class from
UNEVEN, VERY_UNEVEN = 10, 50
USUAL_DOUBTS = 0.01  # of rows of sets that nobody disturbed, at most
SHOWN = 5


def counts_of(labels: Sequence[str], goal: Goal, classes: Sequence[str]) -> NDArray[Any]:
    """Return how many rows each class has."""
    return goal.counts(goal.targets(labels, classes), len(classes))


def class_faults(sheet: Sheet, goal: Goal) -> Iterator[Finding]:
    """Yield what hinders learning classes, or judging what was learnt."""
    if goal.ordered:
        yield from _number_faults(sheet)
        return
    if goal.divides and are_measured(set(sheet.labels)):
        what = f"the labels are {len(set(sheet.labels))} different numbers, each taken for a class"
        yield Finding("numbers", "warning", what, BY_NUMBER, len(sheet))
    classes = goal.classes(sheet.labels)
    if len(classes) == 1 and goal.divides:
        what = f"all rows have the label `{classes[0]}`"
        hint = "there is nothing to tell apart: add rows with another label"
        yield Finding("one_label", "error", what, hint, len(sheet))
    if len(classes) < 2:
        return
    learnt = counts_of(sheet.labels[: sheet.learning], goal, classes)
    counts = dict(zip(classes, learnt.tolist(), strict=True))
    if sheet.divided:
        tested = counts_of(sheet.labels[sheet.learning :], goal, classes)
        yield from _one_sided(counts, dict(zip(classes, tested.tolist(), strict=True)))
    elif goal.divides and (single := [name for name, count in counts.items() if count == 1]):
        what = f"{_names(single)}: one row only, to learn from and to test with"
        yield Finding("single", "error", what, "add rows, or leave that label out", len(single))
    # Of what is not divided yet, a part will be held out.
    stays = 1 if sheet.divided else 1 - TEST_SHARE
    if few := [name for name, count in counts.items() if 0 < count * stays < FEW]:
        what = f"fewer than {FEW} rows to learn from: {_names(few)}"
        hint = "add rows, or join labels that are much the same"
        yield Finding("few", "warning", what, hint, len(few))
    there = {name: count for name, count in counts.items() if count}
    most, least = max(there, key=lambda n: there[n]), min(there, key=lambda n: there[n])
    ratio = there[most] / there[least]
    if ratio >= UNEVEN:
        yield Finding(
            "imbalance",
            "warning" if ratio >= VERY_UNEVEN else "note",
            f"`{most}` has {ratio:.0f} times the rows of `{least}`",
            "look at macro_f1 rather than accuracy; try --set class_weights=balanced",
            there[most],
        )


def _number_faults(sheet: Sheet) -> Iterator[Finding]:
    """Yield that there is nothing to learn of numbers which are all the same."""
    learnt = set(sheet.labels[: sheet.learning])
    if len(learnt) == 1:
        what = f"all rows to learn from have the label `{next(iter(learnt))}`"
        hint = "there is nothing to tell apart: add rows with another number"
        yield Finding("one_label", "error", what, hint, sheet.learning)


def _one_sided(learnt: Mapping[str, int], tested: Mapping[str, int]) -> Iterator[Finding]:
    """Yield which classes are only learnt, or only tested."""
    if strange := [name for name, count in learnt.items() if not count]:
        what = f"no row to learn from has {_names(strange)}, which test rows have"
        hint = "add such rows to train on, or leave them out of the test"
        yield Finding("unlearnt", "error", what, hint, len(strange))
    if untested := [name for name, count in tested.items() if not count]:
        what = f"no test row has {_names(untested)}"
        hint = "how well it is told will not be known: add such test rows"
        yield Finding("untested", "warning", what, hint, len(untested))


def doubtful(
    sheet: Sheet,
    features: Any,
    rows: Sequence[int],
    plain: str,
    seed: int,
    progress: Progress,
) -> Iterator[Finding]:
    """Yield the labels that are contradicted by what the features [rows, features] speak for.

    `plain` says what the features are. A label that only one of the rows has can't be judged.
    """
    import numpy

    labels = numpy.array([sheet.labels[row] for row in rows])
    names, targets, counts = numpy.unique(labels, return_inverse=True, return_counts=True)
    judged = numpy.flatnonzero(counts[targets] > 1)
    names, targets = numpy.unique(labels[judged], return_inverse=True)
    if len(names) < 2:
        return
    found = suspects(features[judged], targets, seed=seed, progress=progress)
    if found:
        share = len(found) / len(judged)
        yield Finding(
            "label",
            "warning" if share > USUAL_DOUBTS else "note",
            f"{len(found)} labels ({share:.1%}) are doubtful: by {plain}, learnt from the other "
            "rows, another is far more probable",
            f"look at them, the most doubtful first; in sound data up to {USUAL_DOUBTS:.0%} of the "
            "labels look so",
            len(found),
            tuple(
                sheet.told(
                    rows[int(judged[each.row])],
                    rather=str(names[each.other]),
                    sure=round(each.sure, 3),
                )
                for each in found
            ),
        )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
