"""Combine what scorers say of candidates with what is known of them, and with past results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAST = "past"
# What parts weigh: all scorers together 1, and these. A prior that no table judged weighs nothing:
# it is shown and not counted.
PRIORS = {"benchmark": 1.0, "parameters": 0.5}
MOST_PAST = 3.0
# Where a recipe keeps the base as it is, it fits a linear head, and these measure one on the rows
# themselves: they weigh 1, and what is known otherwise, which guesses at that, this share.
LINEAR = ("probe", "logme")
FROZEN = 0.1
DIGITS = 6  # of a value that count: features turned round score the same but for the seventh
DOUBT = 1.0  # what it weighs that a candidate of which nothing is known is a middling one

Values = Mapping[str, "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Past:
    """What the same candidates scored on an earlier set [candidates], NaN where they did not run.

    More is better, in whatever unit. `scores` is what scorers said of them then.
    """

    results: NDArray[np.float64]
    scores: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Combined:
    """A number a candidate, more being better, 0 for a middling one; and how it came about.

    `parts` is what each part adds [candidates], NaN where it is unknown: the known ones sum to the
    score. `weights` is what a part weighs where it is known and trusted in full.
    """

    score: NDArray[np.float64]
    parts: Values
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Part:
    """How candidates stand by one part [candidates], NaN where unknown, and how far to trust it."""

    standing: NDArray[np.float64]
    trust: NDArray[np.float64]


def combine(
    scores: Values,
    priors: Values,
    past: Sequence[Past] = (),
    weights: Mapping[str, float] | None = None,
) -> Combined:
    """Return the weighted mean of standardised ranks by each scorer, prior and past results.

    Values are [candidates], or [draws, candidates] for scorers; NaN is unknown, and then that part
    is left out for that candidate. The less is known of one, the nearer it is to the middle, by as
    much as its known parts leave open: so that unknowns neither favour nor harm it.
    """
    chosen = fixed(scores, priors) if weights is None else weights
    found = parts_of(scores, priors, past)
    known = {name: ~np.isnan(part.standing) for name, part in found.items()}
    weigh = {name: known[name] * chosen.get(name, 0.0) * p.trust for name, p in found.items()}
    total = DOUBT + sum(weigh.values())
    parts = {name: weigh[name] / total * part.standing for name, part in found.items()}
    score = sum((np.nan_to_num(part) for part in parts.values()), np.zeros(()))
    return Combined(np.asarray(score), parts, {name: chosen.get(name, 0.0) for name in found})


def fixed(
    scores: Mapping[str, object], priors: Mapping[str, object], *, frozen: bool = False
) -> dict[str, float]:
    """Return what parts weigh unless it is learnt, for recipes that keep bases frozen or do not."""
    told = [name for name in scores if name in LINEAR] if frozen else []
    each = {name: float(name in (told or scores)) / len(told or scores) for name in scores}
    known = {**{name: PRIORS.get(name, 0.0) for name in priors}, PAST: MOST_PAST}
    share = FROZEN if told else 1.0
    return {**each, **{name: share * weight for name, weight in known.items()}}


def parts_of(scores: Values, priors: Values, past: Sequence[Past]) -> dict[str, Part]:
    """Return how candidates stand by each part, and the trust in it.

    Results on n other sets are trusted n / (n + 1), and priors the rest: they guess at what results
    tell.
    """
    found, often = past_standing([each.results for each in past]) if past else (None, 0.0)
    rest = np.asarray(1 / (often + 1))
    parts = {name: Part(standing(values), np.ones(())) for name, values in scores.items()}
    parts |= {name: Part(standing(values), rest) for name, values in priors.items()}
    if found is not None:
        parts[PAST] = Part(found, 1 - rest)
    return parts


def standing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks along the last axis, of mean 0 and deviation 1; NaN where values are.

    Those that differ by rounding alone are alike; where all are, 0.
    """
    from scipy.stats import rankdata

    table = np.asarray(values, np.float64)
    size = np.floor(np.log10(np.maximum(np.abs(np.nan_to_num(table)), 1e-12)))
    unit = 10.0 ** (DIGITS - 1 - size)
    table = np.round(table * unit) / unit
    ranks = rankdata(table, axis=-1, nan_policy="omit")
    ranks = np.where(np.isnan(table), np.nan, ranks)
    known = (~np.isnan(ranks)).sum(axis=-1, keepdims=True)
    total = np.nansum(ranks, axis=-1, keepdims=True)
    centred = ranks - total / np.maximum(known, 1)
    spread = np.sqrt(np.nansum(centred**2, axis=-1, keepdims=True) / np.maximum(known, 1))
    return np.asarray(centred / np.where(spread > 0, spread, 1.0))


def past_standing(
    results: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how candidates stand in results on other sets, and on how many each was compared.

    The mean of standardised ranks where all ran on all sets. Else the numbers whose differences
    come nearest to who beat whom (HodgeRank: Jiang et al., 2011), for a rank among the best few is
    not one among all. NaN for one that was never compared.
    """
    table = np.stack(results)
    count = table.shape[1]
    won, met, often = np.zeros(count), np.zeros((count, count)), np.zeros(count)
    for row in table:
        both = ~np.isnan(row)[:, None] & ~np.isnan(row) & ~np.eye(count, dtype=bool)
        won += np.where(both, np.sign(row[:, None] - row), 0.0).sum(axis=1)
        met += both
        often += both.any(axis=1)
    found = np.linalg.pinv(np.diag(met.sum(axis=1)) - met, hermitian=True) @ won * np.sqrt(3)
    return np.where(often > 0, found, np.nan), often
