"""Whether test rows from their own file are of another kind than those that were learnt from."""

from __future__ import annotations

from typing import Any

from .job import Job
from .learning import Outcome
from .registry.comparing import LOWER
from .transfer import measure


def shifted(job: Job, outcome: Outcome) -> dict[str, Any] | None:
    """Return how the test rows' result differs from that of rows that were held out of training.

    None where the test rows were not given apart. `difference` is test - held out, of the main
    metric; None where no row was held out.
    """
    if job.request.test is None:
        return None
    metrics, seed = job.goal.metrics, outcome.seed
    main = next(iter(metrics))
    held_out = outcome.learnt.held_out
    if held_out is None or not len(held_out.true):
        says = "how it does on rows like those it learnt from was not measured beside it"
        told = {
            "held_out": None,
            "difference": None,
            "how": "the method tells of no held-out rows",
        }
        return {"metric": main, "rows": 0, **told, "says": says}
    true, said = ([job.labels[n] for n in part] for part in (held_out.true, held_out.said))
    here = measure.measure(true, said, metrics, seed)[main]
    rows, ours = job.split.test, outcome.predicted.labels
    tested, origins = [row.label for row in rows], [row.origin for row in rows]
    there = measure.measure(tested, ours, metrics, seed, origins)[main]
    gap = measure.apart(there, here)
    return {
        "metric": main,
        "rows": len(true),
        "held_out": here,
        "difference": gap,
        "how": held_out.how,
        "says": _says(main, gap, here["value"]),
    }


def _says(metric: str, gap: dict[str, float], there: float) -> str:
    """Return the difference in words, and what it means where it is beyond chance."""
    beside = f"held-out rows like those it learnt from ({there:.3f})"
    if gap["low"] <= 0 <= gap["high"]:
        return f"its {metric} differs by no more than chance from that of {beside}"
    points, way = abs(100 * gap["value"]), "higher" if gap["value"] > 0 else "lower"
    worse = (gap["value"] < 0) != (metric in LOWER)
    kind = "of another kind" if worse else "easier, or of another kind"
    return (
        f"its {metric} is {points:.0f} points {way} ({100 * gap['low']:+.0f} to "
        f"{100 * gap['high']:+.0f}) than on {beside}: the test rows are {kind}"
    )
