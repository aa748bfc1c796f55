"""Where a model goes wrong: each class by itself, what is taken for what, the worst rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .goal import Goal
from .measure import Interval, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_ROWS = 10  # in a slice: an interval over fewer says nothing


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How one class does: each figure as {value, low, high}, and how often rows have the class.

    A figure is None where nothing is there to count: no row has the class, or none is said to.
    """

    label: str
    support: int
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows and what was said of them: ids, true labels, labels and logits, in one order.

    `origins` has what each row is of, such as a speaker, where rows of one are not independent.
    """

    ids: Sequence[str]
    true: Sequence[str]
    labels: Sequence[str]
    logits: Sequence[Sequence[float]]
    origins: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.true)

    def among(self, rows: Sequence[int]) -> Answers:
        """Return the answers of the rows of these numbers alone."""
        return Answers(
            [self.ids[row] for row in rows],
            [self.true[row] for row in rows],
            [self.labels[row] for row in rows],
            [self.logits[row] for row in rows],
            [self.origins[row] for row in rows] if self.origins else (),
        )


def by_class(
    answers: Answers, goal: Goal, classes: Sequence[str], seed: int = 0
) -> list[ClassScore]:
    """Return the scores of each class, with 95 % bootstrap intervals over rows, and origins."""
    if not classes or goal.ordered:
        return []
    rows = resampled(seed, answers.true, answers.labels, origins=answers.origins)
    true, labels = ([str(each) for each in kinds] for kinds in rows.kinds)
    a, b, right = goal.counted(true, labels, classes)

    def scored(weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        has, said, both = (weights @ each for each in (a, b, right))
        return {
            "precision": _shares(both, said),
            "recall": _shares(both, has),
            "f1": _shares(2 * both, has + said),
        }

    seen = scored(rows.counts)
    drawn = [(each.tail, scored(each.weights)) for each in rows.draws]
    support = (rows.counts @ a)[0]
    return [
        ClassScore(
            name,
            int(support[number]),
            **{
                what: _interval(
                    values[0, number], [(tail, found[what][:, number]) for tail, found in drawn]
                )
                for what, values in seen.items()
            },
        )
        for number, name in enumerate(classes)
    ]


def confusions(answers: Answers) -> list[tuple[str, str, int]]:
    """Return (true, said, rows) of each pair of labels that differ, the most frequent first."""
    pairs = zip(answers.true, answers.labels, strict=True)
    counts = Counter((a, b) for a, b in pairs if a != b)
    return sorted(((a, b, rows) for (a, b), rows in counts.items()), key=lambda c: (-c[2], c[:2]))


def confusion_matrix(answers: Answers, classes: Sequence[str]) -> list[list[int]]:
    """Return how many rows of each class (a line) were said to be of each class (a column)."""
    counts = Counter(zip(answers.true, answers.labels, strict=True))
    return [[counts[true, said] for said in classes] for true in classes]


def worst(
    answers: Answers, goal: Goal, classes: Sequence[str], most: int
) -> list[tuple[int, float]]:
    """Return the number of each of the most wrong rows, and how wrong it is; the worst first."""
    rows = zip(answers.true, answers.labels, answers.logits, strict=True)
    wrong = [goal.wrong(true, label, logits, classes) for true, label, logits in rows]
    order = sorted(range(len(wrong)), key=lambda number: (-wrong[number], number))
    return [(number, wrong[number]) for number in order[:most] if wrong[number] > 0]


def _shares(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0))


def _interval(value: float, drawn: Sequence[tuple[float, NDArray[Any]]]) -> Interval | None:
    """Return a value with the interval of resamples, of those that there are."""
    if np.isnan(value):
        return None
    ends = np.array([np.nanquantile(found, [tail, 1 - tail]) for tail, found in drawn])
    return {"value": float(value), "low": float(ends.min()), "high": float(ends.max())}
