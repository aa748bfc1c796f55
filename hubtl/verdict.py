"""Whether a model beats its plain rivals on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .predictions import FILE, read_predictions
from .registry.facts import Facts
from .transfer import measure
from .transfer.judging import Answers
from .transfer.rows import Example

Said = Mapping[str, Sequence[str]]


def gain_over_best(
    rivals: Said, answers: Answers, metrics: Mapping[str, measure.Metric], seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Return the paired gain over the best of the rivals in the main metric, and what each reached.

    There is at least one rival.
    """
    true, main = answers.true, next(iter(metrics))
    reached = {name: measure.values(true, labels, metrics) for name, labels in rivals.items()}
    best = measure.best(reached, main)
    gain = measure.gain(true, answers.labels, rivals[best], metrics, seed, answers.origins)
    return {"over": best, "metric": main, **gain}, reached


def verdict(
    rivals: Said, answers: Answers, metrics: Mapping[str, measure.Metric], seed: int, *, all_: bool
) -> tuple[bool | None, dict[str, dict[str, float]]]:
    """Return whether answers beat the best rival by more than chance, and what each reached.

    `all_` is whether these are all rivals there are: who beats some may not beat the others, and
    then it is None, as it is where there is no rival.
    """
    if not rivals:
        return None, {}
    gain, reached = gain_over_best(rivals, answers, metrics, seed)
    beats = gain["low"] > 0
    return (beats if all_ or not beats else None), reached


def known_rivals(
    folder: Path, facts: Facts, rows: Sequence[Example], commonest: str | None
) -> dict[str, list[str]]:
    """Return what plain rivals say of rows, as far as it is known, by their names.

    They learnt from rows that are not here: what they said is kept of the rows that were measured,
    on the machine that did. Of others it is known of the one that always says `commonest`.
    """
    found = {} if commonest is None else {"majority": [commonest] * len(rows)}
    if not (folder / FILE).is_file():
        return found
    kept = read_predictions(folder)
    places = {content: place for place, content in enumerate(kept.contents)}
    if not all(row.content in places for row in rows):
        return found
    asked = [places[row.content] for row in rows]
    told = {name: [said[n] for n in asked] for name, said in kept.rivals.items()}
    return found | {name: said for name, said in told.items() if name in facts.baselines}
