"""Recipes tried on parts of the rows to learn from, and what they say of the rest."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .climbing import FOLDS, Gains, Interval, compare, folds_for
from .job import Job
from .ladder import Rung
from .learning import network_of, session_of
from .rivals import rivals_of
from .splitting import RIVAL_ROWS, parts_to_judge
from .transfer import measure
from .transfer.feed import Feed, Pooled, Whole
from .transfer.meter import Meter
from .transfer.network import Network
from .transfer.progress import Progress
from .transfer.split import Example, Split, at_most
from .transfer.start import Session
from .transfer.trial import Judged, judged
from .transfer.views import told_to, viewed
from .unfinished import Unfinished

GIVEN = 100  # rows that the user set apart to validate: so many are enough to judge by


@dataclass(frozen=True, slots=True)
class Part:
    """Rows to train on, and rows that are held out from it."""

    kept: Sequence[Example]
    held: Sequence[Example]

    @property
    def split(self) -> Split:
        """The rows to train on alone: what is held out is for no method to see."""
        return Split(self.kept, (), (), "a part")


def parts_of(job: Job, rows: Sequence[Example]) -> list[Part]:
    """Return the parts of the rows to judge by; those the user set apart, if they are enough.

    Raises BadData where the rows can't be divided.
    """
    if len(job.split.validation) >= GIVEN:
        return [Part(job.split.train, job.split.validation)]
    parts = parts_to_judge(job.data, rows, FOLDS, job.request.seed, job.goal)
    some = itertools.islice(parts, folds_for(len(rows)))
    return [Part(kept, held) for kept, held in some if len(held)]


@dataclass(frozen=True, slots=True)
class Trying:
    """A job, parts of its rows, and the room where what was tried is kept."""

    job: Job
    base: Path
    work: Unfinished
    room: Unfinished
    rows: Sequence[Example]
    parts: Sequence[Part]

    def judge(self, rung: Rung, numbers: Iterable[int], progress: Progress) -> Judged:
        """Return what a recipe says of the held-out rows of these parts; none is tried twice."""
        said = Judged((), ())
        for number in numbers:
            kept = self.room.folder / f"{rung.recipe.name}-{number}.json"
            if not kept.is_file():
                found = self._train(rung, number, progress)
                beside = kept.with_suffix(".new")
                beside.write_text(json.dumps(dataclasses.asdict(found)), "utf-8")
                beside.replace(kept)
            read = json.loads(kept.read_text("utf-8"))
            said += Judged(**{name: tuple(each) for name, each in read.items()})
        return said

    @property
    def held(self) -> list[Example]:
        """The held-out rows of all parts."""
        return [row for part in self.parts for row in part.held]

    @property
    def origins(self) -> list[str]:
        """Whose each held-out row is."""
        return [row.origin for row in self.held]

    def compared(self, ours: Judged, theirs: Judged) -> Gains:
        """Return by how much ours are better on the rows that both have."""
        true = [row.label for row in self.held]
        return compare(true, ours, theirs, self.job.goal.metrics, self.origins)

    def value(self, said: Judged) -> float | None:
        """Return what was reached in the main metric; None where there are no classes."""
        if not said.labels:
            return None
        metrics = self.job.goal.metrics
        true = [row.label for row in self.held[: len(said)]]
        return measure.values(true, said.labels, metrics)[next(iter(metrics))]

    def interval(self, said: Judged) -> Interval | None:
        """Return what was reached in the main metric on all held-out rows, as {value, low, high}.

        None where there are no classes.
        """
        if not said.labels:
            return None
        metrics, seed = self.job.goal.metrics, self.job.request.seed
        true = [row.label for row in self.held]
        found = measure.measure(true, said.labels, metrics, seed, self.origins)
        return found[next(iter(metrics))]

    def rivals(self, true: Sequence[str], metric: str) -> dict[str, float]:
        """Return what each plain rival reaches on the held-out rows of all parts."""
        seed, goal = self.job.request.seed, self.job.goal
        said: dict[str, list[str]] = {}
        for part in self.parts:
            split = dataclasses.replace(part.split, test=part.held)
            few = at_most(split, RIVAL_ROWS, seed, strata=goal.divides)
            for name, labels in rivals_of(self.job, few, self.base).items():
                said.setdefault(name, []).extend(labels)
        return {
            name: measure.values(true, labels, goal.metrics)[metric]
            for name, labels in said.items()
        }

    def _train(self, rung: Rung, number: int, progress: Progress) -> Judged:
        """Train a fresh network on a part, and return what it says of the rows held out."""
        import torch

        part, seed = self.parts[number], self.job.request.seed
        name = f"{rung.recipe.name}-{number}"
        place = self.room.within(name, self._known(rung, number))
        # With all rows of the part: those that the recipe would set apart to validate by are so few
        # here that they hold it back, and what is judged are others.
        job = dataclasses.replace(self.job, split=part.split).by(rung, apart=False)

        def told(step: str, done: int, total: int) -> None:
            progress(
                f"trying {rung.recipe.name} ({number + 1} of {len(self.parts)}): {step}",
                done,
                total,
            )

        torch.manual_seed(seed)
        network = network_of(job, self.base, told)
        session = dataclasses.replace(
            session_of(job, seed, place.choices, Meter()),
            among=self.rows,
            progress=told,
            checkpoint=place.checkpoint(seed),
        )
        session = viewed(session, network)
        job.method.adapt(network, job.recipe.options, session)
        # Features are made in one precision for all, so that each recipe finds those of the others.
        self.work.choices.add({"precision": place.choices.get("precision")})
        held = told_to(network, part.held)
        found = judged(network, held, _feed(network, rung, held, session), session)
        place.forget(seed)
        return found

    def _known(self, rung: Rung, number: int) -> dict[str, object]:
        """Return the choices to begin with: those of the first part, but for when that ended."""
        known = {"precision": self.work.choices.get("precision")}
        if number:
            earlier = self.room.within(f"{rung.recipe.name}-0", {}).choices
            known |= earlier.all()
        return {k: v for k, v in known.items() if v is not None and not k.startswith("last step")}


def _feed(network: Network, rung: Rung, held: Sequence[Example], session: Session) -> Feed:
    """Return held-out rows as the head sees them: from what is kept, where only the head is new."""
    inputs = [row.input for row in held]
    if getattr(rung.method, "frozen", False):
        precision = session.precision(str(rung.recipe.options["precision"]), network)
        trunk = session.shelf.find(network, session.inputs, None, precision)
        if trunk is not None and trunk.pooled is not None:
            return Pooled(trunk, inputs)
    return Whole(network, inputs)
