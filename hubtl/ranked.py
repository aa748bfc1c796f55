"""What `rank` returns: candidates in order, what speaks for each, and what was left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .registry.entry import LeftOut


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer scores by itself; `layer` counts from 1, the last being what a head sees."""

    layer: int
    value: float


@dataclass(frozen=True, slots=True)
class Related:
    """How near rows lie to what a candidate was made for; it has no part in the score.

    Whether their `domain` and `language` are among those that it states, and a number of the task's
    own, of which more is nearer, with what that is; None where it is not known.
    """

    domain: bool | None = None
    language: bool | None = None
    value: float | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate: its score with a 95 % interval, and what that is made of.

    The score is 0 for a middling one of the candidates that saw as many `rows`. `tied_with` are
    those that can't be told apart from it as the best. `parts` are what each scorer, prior and past
    results add to the score, `scores` what scorers said and `intervals` how far that is chance,
    `priors` what is known without rows; what is unknown is None. `layers` are what each layer
    scores by LogME on at most 200 rows, and `averaged` the mean of all layers: evidence that has no
    part in the score, and is there only where features were not kept from `adapt`. `seconds` are
    without the download.
    """

    id: str
    score: float
    low: float
    high: float
    tied_with: tuple[str, ...]
    priors: Mapping[str, float | None]
    seconds: float
    rows: int
    parts: Mapping[str, float | None] = field(default_factory=dict)
    scores: Mapping[str, float | None] = field(default_factory=dict)
    params: int | None = None
    licence: str | None = None
    revision: str | None = None
    upon: str | None = None
    intervals: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    averaged: float | None = None
    related: Related = Related()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates for a task, best first, on `rows` rows to learn from; no test row was read.

    It foretells what they reach by `recipe`; `frozen` is whether that keeps bases as they are. Of
    those within one standard error of the highest score the smaller come first. `weights` say what
    each part counts, `scorers` what each scorer's number is, and `past_sets` on how many earlier
    sets candidates were compared; `learnt` is whether the weights were learnt from those, which
    eight sets or more allow where it does better than fixed ones. `domain` and `language` are those
    of the rows, where they are known. `failed` are candidates that could not be judged, `left_out`
    models that were none, each with its reason.
    """

    task: str
    ranking: tuple[Ranked, ...]
    advice: str
    rows: int
    of_rows: int
    columns: Mapping[str, str]
    weights: Mapping[str, float]
    scorers: Mapping[str, str]
    past_sets: int
    failed: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...]
    not_known: tuple[str, ...]
    seconds: float
    scorer: str = "ensemble"
    domain: str | None = None
    language: str | None = None
    learnt: bool = False
    recipe: str = ""
    frozen: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `rank --json` promises: all fields."""
        return asdict(self)

    def may_be_best(self, each: Ranked) -> bool | None:
        """Return whether one can't be told from the best; None where it was left on fewer rows."""
        first = self.ranking[0]
        if each.rows < first.rows:
            return None
        return each.id in (first.id, *first.tied_with)

    def write_report(self, path: str | os.PathLike[str]) -> Path:
        """Return the page to look at, written to a .html of that name; raises BadOption."""
        from .chart import write_chart

        return write_chart(self, Path(path))
