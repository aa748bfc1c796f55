"""What the verbs return: plain values, each with the JSON that its command promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .registry.exported import Made
from .registry.facts import Facts


@dataclass(frozen=True, slots=True)
class Adapted:
    """An adapted folder and the facts in it."""

    folder: Path
    facts: Facts

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `adapt --json` promises."""
        return self.facts.as_json(self.folder)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `adapt` would do, for `--dry-run`."""

    task: str
    base: str
    base_revision: str | None
    recipe: str
    options: Mapping[str, Any]
    why: str
    rows: Mapping[str, int]
    labels: tuple[str, ...]
    columns: Mapping[str, str]
    folder: str
    download_bytes: int
    estimate: Mapping[str, Any] | None = None
    not_measured: str = ""
    upon: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return all fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How an adapted model does on rows, and against another on the same rows."""

    folder: str
    facts: Facts
    rows: Mapping[str, int]
    metrics: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]
    beats_baseline: bool
    seconds: float
    how: str
    against: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `evaluate --json` promises."""
        measured = {
            "rows": dict(self.rows),
            "metrics": self.metrics,
            "baselines": self.baselines,
            "beats_baseline": self.beats_baseline,
            "seconds": self.seconds,
            "how": self.how,
            "against": self.against,
        }
        return {**self.facts.as_json(self.folder), **measured}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One input's label, its probability, and that of every class; a label may be a list."""

    input: str
    label: Any
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Published:
    """Where an adapter is, and what came back when it was loaded from there."""

    address: str
    commit: str
    verified: bool
    metric: Mapping[str, Any]
    rows: int
    agreement: Mapping[str, Any]
    files: tuple[str, ...] = field(default=())
    card: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `publish --json` and `verify --json` promise."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Exported:
    """An adapted model in another form: its folder, what was made of what, the size of each file.

    `made.compared` says on which rows it was compared with the adapter, and how near it came.
    """

    folder: Path
    made: Made
    sizes: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `export --json` promises: those of `export.json`, and the sizes."""
        size_bytes = sum(self.sizes.values())
        return {
            "folder": str(self.folder),
            **self.made.as_json(),
            "sizes": dict(self.sizes),
            "size_bytes": size_bytes,
        }
