"""What the plain rivals share: a linear model, as strong as a quarter of the rows says."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..transfer.split import Example, hold_out

COMMONEST = "always the commonest label"


def commonest(train: Sequence[Example], test: Sequence[Example]) -> list[str]:
    """Return the commonest label of the training rows, for each test row."""
    counts = Counter(row.label for row in train)
    return [min(counts, key=lambda label: (-counts[label], label))] * len(test)


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

    def fitted(rows: Sequence[Example], strength: float) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model(strength).fit(inputs(rows), [row.label for row in rows])

    if len({row.label for row in train}) < 2:  # then there is nothing to learn
        return commonest(train, test)
    kept, held_out = hold_out(train, 0.25, seed)
    strength = strengths[len(strengths) // 2]
    if held_out and len({row.label for row in kept}) > 1:
        seen, true = inputs(held_out), [row.label for row in held_out]
        scores = {each: fitted(kept, each).score(seen, true) for each in strengths}
        strength = max(strengths, key=lambda each: scores[each])
    return [str(label) for label in fitted(train, strength).predict(inputs(test))]
