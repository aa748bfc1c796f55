"""What the verbs return: plain values, each with the JSON that its command promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .registry.entry import Entry
from .registry.exported import Made
from .registry.facts import Facts
from .registry.past import Past


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
    """What `adapt` would do, for `--dry-run`; `origin` is the column that says whose a row is.

    `candidates` are those that are ranked first, where the base is yet to be chosen. `preference`
    says why it is this recipe, where none was named and the task prefers one, and `made` which rows
    the task made of others.
    """

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
    warnings: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    origin: str | None = None
    candidates: tuple[str, ...] = ()
    preference: str = ""
    made: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return all fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How an adapted model does on rows, and against another on the same rows.

    `judgement` has its `classes`, `confusion`, `calibration` and `worst` rows, `slices` how it does
    on the rows of each value of a column.
    """

    folder: str
    facts: Facts
    rows: Mapping[str, int]
    metrics: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]
    beats_baseline: bool | None  # None where there is no rival, or the best is not known of them
    seconds: float
    how: str
    against: Mapping[str, Any] | None = None
    judgement: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Any] | None = None

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
            **self.judgement,
            "slices": self.slices,
        }
        return {**self.facts.as_json(self.folder), **measured}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One input's label, its probability, and that of every class; a label may be a list.

    Where it is a number, nobody knows how sure that is: the score is None, and scores have the
    number by its name.
    """

    input: str
    label: Any
    score: float | None
    scores: Mapping[str, float]


def worded(label: Any) -> str:
    """Return a label of a prediction as one text, spans as `PER 0-6`; a list of none is a dash."""
    if isinstance(label, float):
        return f"{label:g}"
    if isinstance(label, str):
        return label
    if isinstance(label, dict):
        return f"{label['label']} {label['start']}-{label['end']}"
    return ", ".join(map(worded, label)) or "-"


@dataclass(frozen=True, slots=True)
class Published:
    """Where an adapter is, and what came back when it was loaded from there.

    `changes` tells of each file how it differs from what is live, `card_changes` so of the card,
    and `against` how the two do on the same rows. `environment` is what is not as it was when it
    was measured, (then, now) of each.
    """

    address: str
    commit: str
    verified: bool
    metric: Mapping[str, Any]
    rows: int
    agreement: Mapping[str, Any]
    files: tuple[str, ...] = field(default=())
    card: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    card_changes: str = ""
    against: Mapping[str, Any] | None = None
    environment: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `publish --json` and `verify --json` promise."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Family:
    """What a model was made from, and what was made from it, on one hub.

    `lineage` has id, revision and licence of each, the nearest first and the base last; None where
    that is not told. `base_now` is the commit of the base's `main`, `versions` are by their tags,
    and `not_known` says what could not be asked, and why. `gain_and_retention` are the sentences on
    what an adapter is better at than the best baseline, and on how much of the base it retains.
    `past` is what the team reached with a base. `ancestors` are what the base itself was made from,
    each with how that below it was made from it. `more` counts what else was made from the model.
    """

    lineage: tuple[Mapping[str, str | None], ...]
    children: tuple[Entry, ...]
    base_now: str | None = None
    versions: Mapping[str, Entry] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    not_known: tuple[str, ...] = ()
    gain_and_retention: tuple[str, ...] = ()
    past: tuple[Past, ...] = ()
    ancestors: tuple[Mapping[str, str | None], ...] = ()
    more: int = 0

    @property
    def base_moved_on(self) -> bool | None:
        """Whether the base's `main` is another commit than the one it was made from."""
        pinned = self.lineage[-1]["revision"] if self.lineage else None
        return pinned != self.base_now if pinned and self.base_now else None

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `show --json` promises beside those of the model itself."""
        return {
            "lineage": [dict(each) for each in self.lineage],
            "ancestors": [dict(each) for each in self.ancestors],
            "children": [each.as_json() for each in self.children],
            "more_children": self.more,
            "base_revision": self.lineage[-1]["revision"] if self.lineage else None,
            "base_now": self.base_now,
            "base_moved_on": self.base_moved_on,
            "versions": [
                {"tag": tag, "revision": at.revision, "metrics": dict(at.metrics)}
                for tag, at in self.versions.items()
            ],
            "results": self.results,
            "baselines": self.baselines,
            "gain_and_retention": list(self.gain_and_retention),
            "past": [each.as_json() for each in self.past],
            "not_known": list(self.not_known),
        }


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


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about data: what kind, how grave, how many rows, and what to do about it.

    `severity` is error (adapt refuses it, or what it measures is wrong), warning or note. `rows`
    name rows by file and line, with what makes them one: `label`, `like` for the row that one is
    like, `rather` for the label that it should have, and `sure` for how probable that is.
    """

    kind: str
    severity: str
    what: str
    hint: str
    count: int
    rows: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return all fields."""
        return {**asdict(self), "rows": [dict(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found, the gravest first, and what the data are like.

    `inputs` has the least, the median, the 95th hundredth and the most of each measure; `traits`
    how many rows have each, such as a language. `not_checked` says what was not looked at, and why.
    """

    task: str
    data: str
    columns: Mapping[str, str]
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    findings: tuple[Finding, ...]
    inputs: Mapping[str, Mapping[str, float]]
    traits: Mapping[str, Mapping[str, int]]
    not_checked: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `check --json` promises: all fields."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**found, "findings": [each.as_json() for each in self.findings]}


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought: how many models of which hub, and how many the index has now.

    They are a `whole` listing, or what changed after one.
    """

    hub: str
    models: int
    entries: int
    seconds: float
    whole: bool = True
