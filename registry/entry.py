"""What is known about one model, and what is asked about all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .kinship import Relation, parents_of

Kind = Literal["base", "adapter"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a model: its size in bytes and, where the hub tells them, sha256 and git's id."""

    size: int
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a model's files are made from others: its kind, the files it reads, and their wheel."""

    kind: str
    wheel: str
    wheel_sha256: str
    sources: Mapping[str, File]


@dataclass(frozen=True, slots=True)
class Package:
    """The installed Python package, and the folder in it, that carry a model or its sources.

    `pip` is what is typed to install it.
    """

    name: str
    version: str
    folder: str
    conversion: Conversion | None = None
    pip: str = "pip install 'hubtl[starter]'"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that a hub or the catalogue knows of: a base or an adapter.

    `base` is what it was made from, and `relation` how; `upon` is the adapter that an adapter was
    made from, where that was not its base itself.
    `trust` are facts of `registry.trust`, none where nothing is known.
    `metrics` have the main one first; `tested_on` is the start of the fingerprint of the rows that
    gave them.
    """

    id: str
    hub: str = "hf"
    kind: Kind = "base"
    tasks: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licence: str | None = None
    params: int | None = None
    size_bytes: int | None = None
    revision: str | None = None
    downloads: int | None = None
    base: str | None = None
    base_revision: str | None = None
    upon: str | None = None
    relation: Relation | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    tested_on: str | None = None
    test_rows: int | None = None
    architecture: str | None = None
    tags: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    about: str = ""
    source: tuple[str, ...] = ()
    date: str | None = None
    files: Mapping[str, File] = field(default_factory=dict)
    package: Package | None = None

    @property
    def organisation(self) -> str:
        """The part of the id before the slash, or an empty text."""
        return self.id.rpartition("/")[0]

    @property
    def parents(self) -> list[str]:
        """The models that it says it was made from, the nearest first."""
        return parents_of(self.base, self.upon, self.tags)

    @property
    def main_metric(self) -> str | None:
        """The metric that a model is judged by, where any is known."""
        return next(iter(self.metrics), None)

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `search --json` promises."""
        return {
            "id": self.id,
            "kind": self.kind,
            "tasks": list(self.tasks),
            "domains": list(self.domains),
            "languages": list(self.languages),
            "licence": self.licence,
            "params": self.params,
            "size_bytes": self.size_bytes,
            "hub": self.hub,
            "revision": self.revision,
            "downloads": self.downloads,
            "base": self.base,
            "upon": self.upon,
            "relation": self.relation,
            "metrics": dict(self.metrics),
            "intervals": {name: list(both) for name, both in self.intervals.items()},
            "tested_on": self.tested_on,
            "test_rows": self.test_rows,
            "trust": list(self.trust),
            "about": self.about,
        }


@dataclass(frozen=True, slots=True)
class Query:
    """What a search asks for; what is None is not asked.

    `fits` asks for what this machine has the memory to adapt by `recipe`; `trusted` for models that
    are known to have safetensors and are not gated. What hubtl never loads is never found.
    """

    words: str = ""
    task: str | None = None
    domain: str | None = None
    language: str | None = None
    licence: str | None = None
    allows: str | None = None
    max_params: int | None = None
    fits: bool = False
    recipe: str = "probe"
    trusted: bool = False
    kind: Kind | None = None
    base: str | None = None
    organisation: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that the words find but a filter excludes, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of those that the words find each filter leaves out, by what it says of them.

    Each is counted once, by the first filter that it does not pass. `first` is None where all were
    looked at, else the number of those, the highest standing, that were.
    """

    reasons: Mapping[str, int] = field(default_factory=dict)
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, what it left out, and out of how many.

    `comparable` are the ids of those whose results are of the same rows, together; `meant` is what
    misspelt words and beginnings of words were taken for; `marks` are what to know of some.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    searched: int
    date: str
    where: str = ""
    comparable: tuple[tuple[str, ...], ...] = ()
    meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counted)
    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the keys that `search --json` promises."""
        return {
            "entries": [entry.as_json() for entry in self.entries],
            "left_out": [{"id": left.id, "why": left.why} for left in self.left_out],
            "left_out_by_reason": dict(self.counted.reasons),
            "left_out_of_first": self.counted.first,
            "marks": {model: list(marks) for model, marks in self.marks.items()},
            "searched": self.searched,
            "date": self.date,
            "where": self.where,
            "comparable": [list(ids) for ids in self.comparable],
            "meant": {said: list(words) for said, words in self.meant.items()},
        }


def split_revision(name: str) -> tuple[str, str | None]:
    """Return `ID@REV` as (id, revision); the revision is None where none was given."""
    model, at, revision = name.partition("@")
    return model, revision if at else None
