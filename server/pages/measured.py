"""What was measured of a model, as its `hubtl.json` says or its card: figures, and who vouches.

Both are files that anybody may write, so nothing of them is taken for more than it is: a number is
a number, and a sentence is shown as one. What the hub itself can check, it checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...registry.card import METRIC_NAMES
from ...registry.comparing import LOWER, read_results
from ..cards import plain
from ..trees import File

LARGEST = 4 << 20  # bytes of a hubtl.json that is read
LONGEST = 300  # letters of a sentence that is shown
MOST_RIVALS, MOST_METRICS, MOST_LABELS = 8, 8, 200


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of results: the model itself or a rival, and its figures by metric."""

    name: str
    figures: Mapping[str, Figure]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """The results of a model, its own first; `told` are further facts, each with its name.

    `intact` is how many of the files that were measured are those of this commit, of how many;
    None where nobody says which files were measured.
    """

    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    test_rows: int | None
    beats: bool | None
    gain: Figure | None
    over: str
    retention: Figure | None
    retention_how: str
    told: tuple[tuple[str, str], ...]
    intact: tuple[int, int] | None

    @property
    def main(self) -> str:
        """The name of the metric that counts."""
        return self.metrics[0]

    def across(self, value: float, left: int, right: int) -> float:
        """Return where a value of the main metric stands on a line from 0 to 1, or to the most."""
        told = [row.figures[self.main] for row in self.rows if self.main in row.figures]
        most = max([1.0, *(each.high or each.value for each in told)])
        share = min(max(value / most, 0.0), 1.0)
        return round(left + share * (right - left), 1)

    @property
    def lower(self) -> bool:
        """Whether less of the main metric is better."""
        return self.main in LOWER


def title_of(metric: str) -> str:
    """Return a metric's name as a person says it."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def by_card(index: object) -> Measured | None:
    """Return what a card's `model-index` says, None where it has no figures."""
    found = read_results(index)
    if not found.metrics:
        return None
    names = tuple(found.metrics)[:MOST_METRICS]
    nothing: tuple[float | None, float | None] = (None, None)
    figures = {
        name: Figure(found.metrics[name], *found.intervals.get(name, nothing)) for name in names
    }
    own = Row("this model", figures, own=True)
    return Measured(names, (own,), found.test_rows, None, None, "", None, "", (), None)


def by_facts(content: bytes, files: Iterable[File]) -> Measured | None:
    """Return what a `hubtl.json` says, None where it is none that can be read."""
    try:
        read = plain(json.loads(content))
        return _measured(read, {file.path: file.sha256 for file in files})
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return None


def _measured(read: Mapping[str, Any], files: Mapping[str, str]) -> Measured:
    main = str(read["main_metric"])
    if main not in read["metrics"]:
        raise ValueError("the main metric has no figure")
    names = sorted((str(name) for name in read["metrics"]), key=lambda name: name != main)
    names = names[:MOST_METRICS]
    own = Row("this model", {name: _figure(read["metrics"][name]) for name in names}, own=True)
    words = read.get("rivals") or {}
    rivals = [
        Row(
            _words(words.get(name, name)),
            {m: Figure(_number(values[m])) for m in names if m in values},
        )
        for name, values in list(read["baselines"].items())[:MOST_RIVALS]
    ]
    gain, kept = read["gain"], read.get("retention") or {}
    known = kept.get("score") is not None
    return Measured(
        metrics=tuple(names),
        rows=(own, *rivals),
        test_rows=int(_number(read["rows"]["test"])),
        beats=read["beats_baseline"] is True,
        gain=_figure(gain),
        over=_words(words.get(gain["over"], gain["over"])),
        retention=Figure(_number(kept["score"])) if known else None,
        retention_how=_words(kept.get("how", "")),
        told=tuple(_told(read)),
        intact=_intact(read["files"], files),
    )


def _told(read: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    rows, energy = read["rows"], read.get("energy") or {}
    parts = [f"{int(_number(rows[name])):,} to {verb}" for name, verb in PARTS if name in rows]
    yield "Rows", ", ".join(parts)
    yield "Recipe", f"{_words(read['recipe'])}: {_words(read['method'])}"
    yield "Seed", _words(read["seed"])
    if read["labels"]:
        labels = ", ".join(_words(label) for label in read["labels"][:MOST_LABELS])
        yield "Labels", _words(labels)
    yield "Took", f"{_number(read['seconds']):,.0f} s"
    if energy.get("kwh") is not None:
        yield "Energy", f"{_number(energy['kwh']):.3g} kWh"
    if read.get("made_on"):
        yield "Made on", _words(read["made_on"])
    print_ = str(read["data"].get("test_fingerprint", ""))[:12]
    if print_:
        yield "Test rows", print_


PARTS = (("train", "learn from"), ("validation", "choose by"), ("test", "test on"))


def _intact(claimed: Mapping[str, Any], files: Mapping[str, str]) -> tuple[int, int] | None:
    if not claimed or not all(files.get(path, "missing") for path in claimed):
        return None  # of what a mirror has not fetched, hashes are not known
    same = sum(files.get(path) == sha256 for path, sha256 in claimed.items())
    return same, len(claimed)


def _figure(told: Mapping[str, Any]) -> Figure:
    return Figure(_number(told["value"]), _number(told["low"]), _number(told["high"]))


def _number(value: Any) -> float:
    """Return a number that can be shown; raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise ValueError("a figure is a number")
    return float(value)


def _words(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
