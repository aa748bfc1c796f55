"""Where candidates stand: scores, priors and past results combined, with intervals and ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .ranked import Layer, Ranked
from .rating import Rated
from .registry.catalog import catalogue
from .registry.comparing import LOWER, comparable
from .registry.entry import Entry
from .registry.ledger import Scores
from .registry.past import Past as Result
from .transfer.ensemble import Combined, Past, combine
from .transfer.scoring import Scored, resampled, spread
from .transfer.split import Example
from .transfer.ties import level, ties
from .transfer.weighing import weighed

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What bases reached on other data, and what scorers had said of them there."""

    results: Sequence[Result] = ()
    scores: Scores = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standings:
    """Candidates as they were given: scores, intervals, and which may be the best one.

    `spans` are 95 % intervals of what each scorer that can tell says [2, candidates], `level` are
    those within one standard error of the highest score, `order` has places, the first first, and
    `past_sets` is on how many sets candidates were compared; `learnt` is whether the weights were
    learnt from those. `origins` are whose each row is, where known.
    """

    rated: tuple[Rated, ...]
    combined: Combined
    priors: Mapping[str, NDArray[np.float64]]
    spans: Mapping[str, NDArray[np.float64]]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    best: NDArray[np.bool_]
    level: NDArray[np.bool_]
    order: tuple[int, ...]
    past_sets: int
    learnt: bool
    origins: tuple[str, ...] = ()


def standings(
    rated: Sequence[Rated],
    rows: Sequence[Example],
    earlier: Earlier,
    seed: int,
    *,
    frozen: bool = False,
) -> Standings:
    """Return where candidates stand that were rated on the same rows; `frozen` is what is adapted.

    Those may be the best that rows and past results can't tell from it: priors are no evidence of
    these rows, so they order candidates and tell none apart. Of them the smaller come first that
    are within one standard error of the highest score, then the freer; then by score.
    """
    names = dict.fromkeys(name for each in rated for name in each.scores)
    said = {name: [each.scores.get(name, Scored(UNKNOWN)) for each in rated] for name in names}
    groups = _people(rows)
    draws = {name: resampled(each, groups=groups, seed=seed) for name, each in said.items()}
    values = _values(said)
    priors, past = priors_of(rated), past_of(rated, earlier)
    weights, learnt = weighed(names, priors, past, frozen=frozen)
    combined = combine(values, priors, past, weights)
    drawn = combine(draws, priors, past, weights).score
    all_ = ties(drawn, combined.score)
    measured = ties(
        combine(draws, {}, past, weights).score, combine(values, {}, past, weights).score
    )
    best = all_.best | measured.best
    near = best & level(drawn, combined.score)
    ordered = np.argsort(-combined.score, kind="stable").tolist()
    order = (
        *sorted((n for n in ordered if near[n]), key=lambda n: _cost(rated[n])),
        *(n for n in ordered if best[n] and not near[n]),
        *(n for n in ordered if not best[n]),
    )
    spans = {name: spread(each, draws[name]) for name, each in said.items()}
    return Standings(
        tuple(rated), combined, priors, spans, all_.low, all_.high, best, near, order, len(past),
        learnt, tuple(row.origin or row.group for row in rows),
    )  # fmt: skip


def listed(table: Standings, seconds: Mapping[str, float], *, final: bool) -> list[Ranked]:
    """Return candidates in order; ties are told where it is the last round."""
    best = [table.rated[n].id for n in table.order if table.best[n]] if final else []
    found = []
    for n in table.order:
        each = table.rated[n]
        known = each.candidate.known
        tied = tuple(other for other in best if other != each.id) if each.id in best else ()
        found.append(
            Ranked(
                each.id,
                float(table.combined.score[n]),
                float(table.low[n]),
                float(table.high[n]),
                tied,
                {name: _known(values[n]) for name, values in table.priors.items()},
                round(seconds[each.id], 2),
                each.rows,
                {name: _known(part[n]) for name, part in table.combined.parts.items()},
                {name: one.value for name, one in each.scores.items()},
                each.params,
                known.licence,
                each.revision,
                each.upon,
                {name: _interval(span[:, n].tolist()) for name, span in table.spans.items()},
                _layers(each),
                each.layers.averaged.value if each.layers and each.layers.averaged else None,
                each.related,
            )
        )
    return found


def _layers(each: Rated) -> tuple[Layer, ...]:
    scores = each.layers.each if each.layers else ()
    return tuple(Layer(number, scored.value) for number, scored in enumerate(scores, 1))


def _interval(span: Sequence[float]) -> tuple[float, float] | None:
    low, high = span
    return None if low != low else (low, high)


def _known(value: float) -> float | None:
    return None if value != value else float(value)


def by_score(rated: Sequence[Rated], earlier: Earlier, *, frozen: bool = False) -> list[Rated]:
    """Return candidates by what is known so far, the best first, without intervals."""
    names = dict.fromkeys(name for each in rated for name in each.scores)
    said = {name: [each.scores.get(name, Scored(UNKNOWN)) for each in rated] for name in names}
    priors, past = priors_of(rated), past_of(rated, earlier)
    weights, _ = weighed(names, priors, past, frozen=frozen)
    score = combine(_values(said), priors, past, weights).score
    return [rated[number] for number in np.argsort(-score, kind="stable").tolist()]


def priors_of(rated: Sequence[Rated]) -> dict[str, NDArray[np.float64]]:
    """Return what is known of candidates without rows, of which more is better; NaN is unknown.

    A benchmark counts for candidates whose results are of the same rows.
    """
    known = [each.candidate.known for each in rated]
    return {
        "parameters": np.array([each.params for each in rated], np.float64),
        "downloads": np.array([_number(each.downloads) for each in known]),
        "benchmark": np.array(_benchmark(known)),
    }


def past_of(rated: Sequence[Rated], earlier: Earlier) -> list[Past]:
    """Return what candidates reached on earlier sets: where two of them or more ran alike.

    That is on the same test rows, by one recipe and metric; of each set the recipe that most of
    them ran by, with what scorers said of them on that data. An adapter has no past: results are
    told by the base.
    """
    places = {
        each.candidate.known.id.casefold(): number
        for number, each in enumerate(rated)
        if each.upon is None
    }
    sets: dict[tuple[str, str], dict[str | None, NDArray[np.float64]]] = {}
    data: dict[tuple[str, str], str | None] = {}
    for each in earlier.results:
        where, place = each.tested_on or each.fingerprint, places.get(each.base.casefold())
        if where is None or place is None:
            continue
        by_recipe = sets.setdefault((where, each.metric), {})
        row = by_recipe.setdefault(each.recipe, np.full(len(rated), UNKNOWN))
        row[place] = np.fmax(row[place], -each.value if each.metric in LOWER else each.value)
        data[where, each.metric] = each.fingerprint or data.get((where, each.metric))
    most = {key: max(each.values(), key=_ran) for key, each in sets.items()}
    return [
        Past(row, _said_then(data[key], places, len(rated), earlier.scores))
        for key, row in most.items()
        if _ran(row) > 1
    ]


def _said_then(
    data: str | None, places: Mapping[str, int], candidates: int, scores: Scores
) -> dict[str, NDArray[np.float64]]:
    """Return what scorers said of candidates on earlier data, by scorer."""
    found: dict[str, NDArray[np.float64]] = {}
    for base, place in places.items():
        for name, value in scores.get((data or "", base), {}).items():
            found.setdefault(name, np.full(candidates, UNKNOWN))[place] = value
    return found


def _ran(row: NDArray[np.float64]) -> int:
    return int((~np.isnan(row)).sum())


def _values(said: Mapping[str, Sequence[Scored]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([one.value for one in each]) for name, each in said.items()}


def _benchmark(known: Sequence[Entry]) -> list[float]:
    """Return published results of the largest group that compares."""
    group = max(comparable(known), key=len, default=[])
    ids = {entry.id for entry in group}
    found = []
    for entry in known:
        metric = entry.main_metric or ""
        value = entry.metrics[metric] if entry.id in ids else UNKNOWN
        found.append(-value if metric in LOWER else value)
    return found


def _number(value: int | None) -> float:
    return UNKNOWN if value is None else float(value)


def _cost(rated: Rated) -> tuple[int, bool]:
    """Return what to order by: fewer parameters, then a licence that allows commercial use."""
    licence = catalogue().licences.get(rated.candidate.known.licence or "")
    return rated.params, not (licence and licence.commercial)


def _people(rows: Sequence[Example]) -> NDArray[np.int64] | None:
    """Return a number for whose each row is; None where each is its own."""
    numbers: dict[str, int] = {}
    found = [
        numbers.setdefault(row.origin or row.group or f"row {row.id}", len(numbers)) for row in rows
    ]
    return np.array(found) if len(numbers) < len(rows) else None
