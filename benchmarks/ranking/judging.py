"""How good choices of a base were, given what each base turned out to be worth."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import weightedtau

from .sets import Data

NEAR = 0.5  # points that nobody misses

Values = NDArray[np.float64]


def choices(ranking: Any, worth: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Return the regret in points, and the weighted tau, of each way to choose."""
    rows = [each for each in ranking["ranking"] if each["id"] in worth]
    real = np.array([worth[each["id"]] for each in rows])
    best = max(worth.values())
    ways = {
        "ensemble (highest score)": np.array([each["score"] for each in rows]),
        "parameters": np.array([float(each["params"]) for each in rows]),
        "fewest parameters": np.array([-float(each["params"]) for each in rows]),
    }
    for name in rows[0]["scores"]:
        ways[f"{name} alone"] = np.array([each["scores"].get(name, np.nan) for each in rows], float)
    first = {"rank (first in the list)": (100 * (best - real[0]), float("nan"))}
    return first | {name: judged(score, real, best) for name, score in ways.items()}


def judged(score: Values, real: Values, best: float) -> tuple[float, float]:
    """Return the regret in points of the highest score, and the weighted tau of all."""
    score = np.nan_to_num(score, nan=-np.inf)
    tau = float(np.nan_to_num(weightedtau(score, real).statistic))
    return 100 * (best - float(real[score.argmax()])), tau


def sureness(rankings: Iterable[tuple[Any, dict[str, float]]]) -> str:
    """Return how often the best one is among those that a ranking says may be the best."""
    sizes, missed = [], []
    for ranking, worth in rankings:
        said = [name for name in ranking["may_be_best"] if name in worth]
        sizes.append(len(said))
        best = max((worth[name] for name in said), default=0.0)
        missed.append(100 * (max(worth.values()) - best))
    held = sum(each <= NEAR for each in missed)
    alone = [miss for size, miss in zip(sizes, missed, strict=True) if size == 1]
    return (
        f"  {held} of {len(sizes)} name the best (within {NEAR} points) among those that may be "
        f"it, {fmean(sizes):.1f} in the mean; {len(alone)} name one alone, "
        f"{sum(each > NEAR for each in alone)} of them wrongly"
    )


def table(title: str, found: Iterable[dict[str, tuple[float, float]]]) -> None:
    """Print each way's mean and worst regret, and mean tau, over choices."""
    all_ = list(found)
    print(f"\n{title}: {len(all_)} choices\n  {'':28}{'regret':>8}{'worst':>8}{'tau':>8}")
    for way in all_[0]:
        regrets = [each[way][0] for each in all_]
        taus = [each[way][1] for each in all_]
        print(f"  {way:28}{fmean(regrets):8.2f}{max(regrets):8.2f}{fmean(taus):8.2f}")


def show(data: Data, worth: dict[str, float], apart: set[str]) -> None:
    """Print what models reach, the best first, those that count for nothing behind."""
    ordered = sorted(worth, key=lambda name: (name in apart, -worth[name]))
    said = ", ".join(f"{name.partition('/')[2]} {worth[name]:.3f}" for name in ordered)
    print(f"  {data.name}: {said}")
