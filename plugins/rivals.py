"""What the plain rivals share: a linear model, as strong as a quarter of the rows says."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..transfer.split import Example, Split, to_choose_by

COMMONEST = "always the commonest label"
MEAN = "always the mean of the training labels"
RIDGES = tuple(10.0**power for power in range(-2, 6))  # of ridge regression: more holds back more


@runtime_checkable
class Estimating(Protocol):
    """A task whose labels may be numbers: the plain rivals that tell these, and what each is."""

    number_rivals: Mapping[str, str]

    def estimates(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the numbers that each rival tells of the test rows, as texts."""
        ...


def commonest(train: Sequence[Example], test: Sequence[Example]) -> list[str]:
    """Return the commonest label of the training rows, for each test row."""
    counts = Counter(row.label for row in train)
    return [min(counts, key=lambda label: (-counts[label], label))] * len(test)


def mean_of(train: Sequence[Example], test: Sequence[Example]) -> list[str]:
    """Return the mean of the numbers of the training rows, for each test row."""
    return [repr(math.fsum(float(row.label) for row in train) / len(train))] * len(test)


def labels_by(
    model: Callable[[float], Any],
    strengths: Sequence[float],
    inputs: Callable[[Sequence[Example]], Any],
    train: Sequence[Example],
    test: Sequence[Example],
    seed: int,
) -> list[str]:
    """Return the labels that a scikit-learn model, learnt from `train`, gives the test rows.

    Its strength is the one that does best on a quarter of the training rows, so that the rival is
    a fair one; the middle one where none can be held out. `inputs` makes of rows what it fits.
    """

    if len({row.label for row in train}) < 2:  # then there is nothing to learn
        return commonest(train, test)
    said = _predicted(model, strengths, inputs, train, test, to_choose_by(train, 0.25, seed), str)
    return [str(label) for label in said]


def numbers_by(
    model: Callable[[float], Any],
    inputs: Callable[[Sequence[Example]], Any],
    train: Sequence[Example],
    test: Sequence[Example],
    seed: int,
) -> list[str]:
    """Return the numbers that a scikit-learn model, learnt from `train`, gives the test rows.

    It is given one of RIDGES, which is chosen as `labels_by` chooses a strength.
    """
    parts = to_choose_by(train, 0.25, seed, strata=False)
    return [
        repr(float(number))
        for number in _predicted(model, RIDGES, inputs, train, test, parts, float)
    ]


def scaled_ridge(alpha: float) -> Any:
    """Return ridge regression on features that are scaled each by itself."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge(alpha=alpha))


def _predicted(
    model: Callable[[float], Any],
    strengths: Sequence[float],
    inputs: Callable[[Sequence[Example]], Any],
    train: Sequence[Example],
    test: Sequence[Example],
    parts: tuple[Sequence[Example], Sequence[Example]],
    read: Callable[[str], Any],
) -> Sequence[Any]:
    """Return what a model says of test rows, as strong as does best on the second of the parts."""

    def targets(rows: Sequence[Example]) -> list[Any]:
        return [read(row.label) for row in rows]

    def fitted(rows: Sequence[Example], strength: float) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model(strength).fit(inputs(rows), targets(rows))

    kept, held_out = parts
    strength = strengths[len(strengths) // 2]
    if held_out and len({row.label for row in kept}) > 1:
        seen, true = inputs(held_out), targets(held_out)
        scores = {each: fitted(kept, each).score(seen, true) for each in strengths}
        strength = max(strengths, key=lambda each: scores[each])
    said: Sequence[Any] = fitted(train, strength).predict(inputs(test))
    return said
