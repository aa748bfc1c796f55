"""Learn from past results what each part of a ranking should weigh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .ensemble import Part, Past, Values, combine, fixed, parts_of, standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH = 8  # sets: with fewer, weights that were learnt were no better than fixed ones
PULL = 0.1  # towards the fixed weights, as a share of what all rows say


def weighed(
    scores: Iterable[str], priors: Values, past: Sequence[Past], *, frozen: bool
) -> tuple[dict[str, float], bool]:
    """Return what parts weigh, and whether that was learnt from past results."""
    taught = learnt(past, priors, frozen=frozen)
    if taught is not None:
        return taught, True
    return fixed(dict.fromkeys(scores), priors, frozen=frozen), False


def learnt(
    past: Sequence[Past], priors: Values, *, frozen: bool = False
) -> dict[str, float] | None:
    """Return the weights that fit past results best, or None where fixed ones do as well.

    Each set in turn is left out, and ranked by weights of the others; learnt ones are taken where
    their weighted Kendall's tau is higher than that of fixed ones by more than its standard error,
    and there are 8 sets at least.
    """
    gains = []
    for number, one in enumerate(past):
        others = [each for other, each in enumerate(past) if other != number]
        ran = ~np.isnan(one.results)
        if len(past) < ENOUGH or ran.sum() < 2:
            continue
        ways = _fit(others, priors, frozen), fixed(one.scores, priors, frozen=frozen)
        ours, theirs = (
            _agreement(combine(one.scores, priors, others, weights).score[ran], one.results[ran])
            for weights in ways
        )
        gains.append(ours - theirs)
    if len(gains) < ENOUGH or np.mean(gains) <= np.std(gains, ddof=1) / np.sqrt(len(gains)):
        return None
    return _fit(past, priors, frozen)


def _fit(past: Sequence[Past], priors: Values, frozen: bool) -> dict[str, float]:
    """Return weights of no less than 0 by ridge regression towards the fixed, of the same sum."""
    from scipy.optimize import nnls

    said = {name: None for one in past for name in one.scores}
    start = fixed(said, priors, frozen=frozen)
    rows, wanted = [], []
    for number, one in enumerate(past):
        others = [each for other, each in enumerate(past) if other != number]
        ran = ~np.isnan(one.results)
        found = parts_of(one.scores, priors, others)
        columns = [_told(found.get(name), len(ran)) for name in start]
        rows.append(np.stack(columns, axis=1)[ran])
        wanted.append(standing(one.results[ran]))
    x, y = np.concatenate(rows), np.concatenate(wanted)
    told = np.array(list(start.values()))
    foretold = x @ told
    scale = max(0.0, float(foretold @ y) / max(float(foretold @ foretold), 1e-12))
    table = np.concatenate([x / np.sqrt(len(y)), np.sqrt(PULL) * np.eye(len(start))])
    best = nnls(table, np.concatenate([y / np.sqrt(len(y)), np.sqrt(PULL) * scale * told]))[0]
    if best.sum() == 0:
        return start
    return dict(zip(start, (best * told.sum() / best.sum()).tolist(), strict=True))


def _told(part: Part | None, candidates: int) -> NDArray[np.float64]:
    """Return a part's standings by the trust in it, 0 where unknown."""
    return np.zeros(candidates) if part is None else np.nan_to_num(part.standing * part.trust)


def _agreement(score: NDArray[np.float64], results: NDArray[np.float64]) -> float:
    from scipy.stats import weightedtau

    return float(np.nan_to_num(weightedtau(score, results).statistic))
