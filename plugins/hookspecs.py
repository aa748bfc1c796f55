"""The seam: what a plugin may offer, and the shapes of it.

Seven hooks offer nouns by returning them, one adds commands, one guards publishing, one adds to a
card. What is offered need only fit a Protocol below; nothing has to be inherited. docs/plugins.md
has a page for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pluggy

from ..registry.card import Section
from ..registry.entry import Entry, Query
from ..registry.recipe import Recipe
from .demo import Demo as Demo
from .draft import Draft as Draft
from .draft import Offer as Offer
from .export import Export as Export
from .kept import Collecting as Collecting
from .kept import Versioned as Versioned
from .scoring import RowScorer as RowScorer
from .scoring import Scorer as Scorer

if TYPE_CHECKING:
    import typer

    from ..transfer.columns import Role
    from ..transfer.goal import Goal
    from ..transfer.network import Network
    from ..transfer.split import Split
    from ..transfer.start import Session
    from ..transfer.temperature import HeldOut

hookspec = pluggy.HookspecMarker("hubtl")
hookimpl = pluggy.HookimplMarker("hubtl")


class Hub(Protocol):
    """A place where models are kept: enough to be searched."""

    name: str

    def search(self, query: Query) -> Iterable[Entry]:
        """Return what the hub has that might fit; hubtl filters and orders it."""
        ...


@runtime_checkable
class Addressed(Protocol):
    """A kind of hub of which there are many: `folder:PATH`, or a server by its URL."""

    def at(self, address: str) -> Hub:
        """Return the hub at that address."""
        ...


@runtime_checkable
class Source(Protocol):
    """A hub that models can be pulled from."""

    name: str

    def search(self, query: Query) -> Iterable[Entry]:
        """Return what the hub has that might fit; hubtl filters and orders it."""
        ...

    def entry(self, model: str, revision: str | None = None) -> Entry:
        """Return one model at a resolved revision; raises UnknownName or Unreachable."""
        ...

    def fetch(self, entry: Entry, paths: Sequence[str], room: Path) -> Path:
        """Return a folder that has these files: `room` filled, or one of the hub's own."""
        ...


@runtime_checkable
class DataSource(Protocol):
    """A hub that keeps data sets too."""

    name: str

    def data(self, dataset: str, revision: str | None = None) -> Entry:
        """Return a data set's files at a resolved revision; raises UnknownName or Unreachable."""
        ...

    def fetch_data(self, entry: Entry, paths: Sequence[str], room: Path) -> None:
        """Fill `room` with these files of a data set, past every cache."""
        ...


@runtime_checkable
class Destination(Source, Protocol):
    """A hub that adapters can be published to."""

    def address(self, model: str) -> str:
        """Return where a person finds a model of that id on this hub."""
        ...

    def draft(self, model: str, folder: Path, *, private: bool, message: str) -> Draft:
        """Send a folder's files, all of them the new whole, without showing them yet."""
        ...

    def mirror(self, entry: Entry, folder: Path, owner: str, *, private: bool) -> Entry:
        """Keep a base, and return it as the hub has it: under its own id and revision.

        A hub that gives its own ids keeps it in the namespace of `owner`.
        """
        ...


@runtime_checkable
class Reviewing(Destination, Protocol):
    """A hub where one who may not write can offer a change to those who may."""

    def offer(self, model: str, folder: Path, *, message: str) -> Offer:
        """Send a folder's files, all of them the new whole, as a pull request in draft."""
        ...


@dataclass(frozen=True, slots=True)
class Loading:
    """What code needs to load an adapted folder: its address, its pinned base, its labels.

    `inputs` is how the network reads them, `options` those of the recipe.
    """

    address: str
    base: str
    base_revision: str
    labels: Sequence[str]
    inputs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """A kind of prediction: what its rows are, which networks do it, what a plain rival scores.

    `options` are what a recipe may set for this task, with what holds unless it does; `about` says
    what each means, and `words` what those may be that take one of a few words. `rivals` says what
    each of its baselines is; `needs` names packages that its inputs are read by beyond hubtl's own,
    each with what pip is told to install.
    """

    name: str
    roles: Sequence[Role]
    probe_inputs: Sequence[str]
    rivals: Mapping[str, str]
    needs: Mapping[str, str]
    options: Mapping[str, Any]
    about: Mapping[str, str]
    words: Mapping[str, Sequence[str]]

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return what a row's label is, as a recipe's options have it."""
        ...

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return the base with a new head for these labels, on `device` or the best there is.

        `options` are the task's own, as the recipe sets them.
        """
        ...

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return each plain rival's labels for the test rows, learnt from the same rows.

        One of them may be the base in the folder, where it can do the task as it is.
        """
        ...

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return Python that loads a saved folder without hubtl: the proof on its card.

        It defines `predict(inputs) -> list` and `logits(inputs) -> tensor [inputs, labels]`. The
        same folder must always give the same text, since hubtl runs no code that a card brings
        along unless it is this.
        """
        ...

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return other code that may load a folder and defines `logits`, by its name."""
        ...


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a method says of its work, for the card: one line, and options as they were used.

    `loss` is that of the validation rows, by which one of several seeds is chosen; None where there
    were none. `held_out` is what was said of rows that were not learnt from, and the temperature
    that the logits were divided by; `curves` has the losses by epoch on `training` rows and on
    those of `validation`, `layers` those of a probe on what each layer is given.
    """

    how: str
    options: Mapping[str, Any] = field(default_factory=dict)
    loss: float | None = None
    held_out: HeldOut | None = None
    curves: Mapping[str, Any] = field(default_factory=dict)
    layers: Sequence[float] = ()


class Method(Protocol):
    """A way of adapting: trains a network in place.

    `options` are what a recipe may set, with what holds unless it does; `about` says what each
    means, and `words` what those may be that take one of a few words. One that `validates` is given
    rows to choose by; one that is `linear` ends in a linear head, so it needs classes to tell. One
    whose `frozen` is true, if it has that, leaves the body as it was.
    """

    name: str
    linear: bool
    options: Mapping[str, Any]
    about: Mapping[str, str]
    words: Mapping[str, Sequence[str]]
    validates: bool

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Train the network on the session's rows, choosing by its validation rows, if any."""
        ...


@hookspec
def register_hubs() -> Iterable[Hub]:
    """Return hubs. Called once, when plugins are loaded."""
    raise AssertionError("a specification is never called")


@hookspec
def register_tasks() -> Iterable[Task]:
    """Return tasks, each named by the Hub's pipeline tag."""
    raise AssertionError("a specification is never called")


@hookspec
def register_methods() -> Iterable[Method]:
    """Return methods, the code that recipes set the options of."""
    raise AssertionError("a specification is never called")


@hookspec
def register_recipes() -> Iterable[Recipe]:
    """Return recipes: a method with its options set, under a name."""
    raise AssertionError("a specification is never called")


@hookspec
def register_scorers() -> Iterable[Scorer]:
    """Return scorers, which judge a backbone by its features and the labels."""
    raise AssertionError("a specification is never called")


@hookspec
def register_demos() -> Iterable[Demo]:
    """Return demos, each named by what `hubtl demo --modality` takes."""
    raise AssertionError("a specification is never called")


@hookspec
def register_exports() -> Iterable[Export]:
    """Return forms that adapted models can be written in, each named by what `--format` takes."""
    raise AssertionError("a specification is never called")


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands to the command line, such as `hubtl mycommand`."""


@hookspec
def before_publish(folder: Path, entry: Entry) -> None:
    """Look at what is about to be published as `entry`; raise a HubtlError to refuse it."""


@hookspec
def card_sections(folder: Path) -> Iterable[Section]:
    """Return sections to add to the card of an adapted folder."""
    raise AssertionError("a specification is never called")
