"""How good choices of a base were, given what each base turned out to be worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import weightedtau

from .sets import Data, Row, half_of

NEAR = 0.5  # points that nobody misses

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a way to choose is worth: regret in points, points behind the best of all, its tau.

    The best of all test rows is the luckiest too, so `behind` is never below 0 and overstates;
    `regret` is right in the mean, and may be below 0 where the luckiest of one half is not of the
    other.
    """

    regret: float
    behind: float
    tau: float = float("nan")


@dataclass(frozen=True, slots=True)
class Worth:
    """What each candidate reaches on a set, in the mean over seeds: on all test rows, on halves.

    The best by all rows is the luckiest too, so that even who chooses among equals seems to miss
    it: `regret` takes the best by one half, and how far a choice is behind it by the other.
    """

    all: dict[str, float]
    halves: tuple[dict[str, float], dict[str, float]]

    def regret(self, name: str) -> float:
        """Return by how many points a candidate misses the best one."""
        found = []
        for chosen, judged_by in (self.halves, self.halves[::-1]):
            best = max(chosen, key=lambda each: chosen[each])
            found.append(100 * (judged_by[best] - judged_by[name]))
        return fmean(found)

    def choice(self, name: str, tau: float = float("nan")) -> Choice:
        """Return what it is worth to choose a candidate."""
        return Choice(self.regret(name), 100 * (max(self.all.values()) - self.all[name]), tau)

    def among(self, names: Iterable[str]) -> Worth:
        """Return the same of some candidates."""
        kept = set(names)
        one, other, all_ = (
            {name: value for name, value in each.items() if name in kept}
            for each in (*self.halves, self.all)
        )
        return Worth(all_, (one, other))


def share(hits: Iterable[str]) -> float:
    """Return the share of rows that were told right."""
    return fmean(map(int, hits))


def worth_of(hits: Mapping[str, Sequence[str]], tests: Sequence[Sequence[Row]]) -> Worth:
    """Return what models reach on all test rows and on either half, in the mean over seeds."""

    def among(wanted: tuple[int, ...]) -> dict[str, float]:
        return {
            name: fmean(
                share(hit for hit, row in zip(each, test, strict=True) if half_of(row) in wanted)
                for each, test in zip(of, tests, strict=True)
            )
            for name, of in hits.items()
        }

    return Worth(among((0, 1)), (among((0,)), among((1,))))


def choices(ranking: Any, worth: Worth) -> dict[str, Choice]:
    """Return what each way to choose is worth."""
    rows = [each for each in ranking["ranking"] if each["id"] in worth.all]
    ways = {
        "ensemble (highest score)": np.array([each["score"] for each in rows]),
        "parameters": np.array([float(each["params"]) for each in rows]),
        "fewest parameters": np.array([-float(each["params"]) for each in rows]),
    }
    for name in rows[0]["scores"]:
        ways[f"{name} alone"] = np.array([each["scores"].get(name, np.nan) for each in rows], float)
    names = [each["id"] for each in rows]
    first = {"rank (first in the list)": worth.choice(names[0])}
    return first | {name: judged(score, names, worth) for name, score in ways.items()}


def judged(score: Values, names: Sequence[str], worth: Worth) -> Choice:
    """Return what it is worth to choose the highest score, with the weighted tau of all."""
    score = np.nan_to_num(score, nan=-np.inf)
    real = np.array([worth.all[name] for name in names])
    tau = float(np.nan_to_num(weightedtau(score, real).statistic))
    return worth.choice(names[int(score.argmax())], tau)


def sureness(rankings: Iterable[tuple[Any, Worth]]) -> str:
    """Return how often the best one is among those that a ranking says may be the best."""
    sizes, missed = [], []
    for ranking, worth in rankings:
        said = [name for name in ranking["may_be_best"] if name in worth.all]
        sizes.append(len(said))
        missed.append(min((worth.regret(name) for name in said), default=100.0))
    held = sum(each <= NEAR for each in missed)
    alone = [miss for size, miss in zip(sizes, missed, strict=True) if size == 1]
    return (
        f"  {held} of {len(sizes)} name the best (within {NEAR} points) among those that may be "
        f"it, {fmean(sizes):.1f} in the mean; {len(alone)} name one alone, "
        f"{sum(each > NEAR for each in alone)} of them wrongly"
    )


def table(title: str, found: Iterable[Sequence[dict[str, Choice]]]) -> None:
    """Print each way's regret over sets (of a set, the mean over its draws), and its mean tau."""
    sets = list(found)
    draws = sum(map(len, sets))
    print(f"\n{title}: {len(sets)} sets, {draws} choices")
    print(f"  {'':28}{'regret':>8}{'worst':>8}{'a draw':>8}{'behind':>8}{'worst':>8}{'tau':>8}")
    for way in sets[0][0]:
        regrets = [[each[way].regret for each in one] for one in sets]
        behind = [fmean(each[way].behind for each in one) for one in sets]
        taus = fmean(fmean(each[way].tau for each in one) for one in sets)
        means = [fmean(each) for each in regrets]
        worst = max(map(max, regrets))
        print(
            f"  {way:28}{fmean(means):8.2f}{max(means):8.2f}{worst:8.2f}"
            f"{fmean(behind):8.2f}{max(behind):8.2f}{taus:8.2f}"
        )


def show(data: Data, worth: Worth, apart: set[str]) -> None:
    """Print what models reach, the best first, those that count for nothing behind."""
    ordered = sorted(worth.all, key=lambda name: (name in apart, -worth.all[name]))
    said = ", ".join(f"{name.partition('/')[2]} {worth.all[name]:.3f}" for name in ordered)
    print(f"  {data.name}: {said}")
