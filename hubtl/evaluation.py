"""Judge an adapted model on rows, and ask it for predictions: both by its card's own code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .asked import asked_for
from .dataset import read_dataset, read_inputs, test_rows
from .judgement import judge, sliced
from .plugins.manager import plugins
from .proof import NO_COMMIT, Predicted, card_code, predict_in_clean_process
from .registry.entry import Entry, split_revision
from .registry.errors import BadData, BadOption, NotReproduced, Refused, UnknownName
from .registry.facts import FILE, Facts, read_facts
from .registry.fingerprint import sha256
from .results import Evaluation, Prediction
from .sources import base_folder, fetch, find_model, pull
from .transfer import measure
from .transfer.goal import Goal, other_kind
from .transfer.judging import Answers
from .transfer.progress import Progress
from .transfer.split import Example
from .verdict import known_rivals, verdict

ANOTHER = "leave out --against, or name another model"


@dataclass(frozen=True, slots=True)
class Model:
    """An adapted model that is here: its files, its facts, its base's files."""

    folder: Path
    facts: Facts
    base: Path
    revision: str

    def predict(
        self,
        inputs: Sequence[str],
        step: str,
        progress: Progress,
        probe: Sequence[str] = (),
        true: Sequence[str] = (),
    ) -> Predicted:
        """Return what the card's code says of inputs, or of their `true` labels, without hubtl."""
        return predict_in_clean_process(
            card_code(self.folder, self.facts),
            {
                self.facts.base: (self.facts.base_revision, self.base),
                str(self.facts.address): (self.revision, self.folder),
            },
            inputs,
            probe=probe,
            step=step,
            progress=progress,
            said=goal_of(self.facts).said,
            true=true,
        )


def goal_of(facts: Facts) -> Goal:
    """Return what a label is to the task that a model was adapted for."""
    task = plugins().task(facts.task)
    # What was written before an option was there has what holds unless it is set.
    return task.goal({**task.options, **facts.options}).recalled(facts.data, facts.labels)


def temperature_of(facts: Facts) -> float | None:
    """Return what the logits were divided by before they were saved, or None where by nothing."""
    found = facts.calibration.get("temperature")
    return None if found is None else float(found)


@dataclass(frozen=True, slots=True)
class Found:
    """An adapted model without its base, which may be a gigabyte: what there is to check by."""

    folder: Path
    facts: Facts
    revision: str


def open_model(name: str, hub: str | None, progress: Progress) -> Model:
    """Return the adapted model in a folder or on a hub; raises UnknownName for neither.

    A folder of that name goes first; `hub` then says where its base is.
    """
    return with_base(find_adapted(name, hub, progress), hub, progress)


def with_base(found: Found, hub: str | None, progress: Progress) -> Model:
    """Return what was found with its base, which is fetched where it isn't here."""
    facts = found.facts
    base = base_folder(facts.base, facts.base_revision, hub, progress=progress)
    return Model(found.folder, facts, base, found.revision)


def find_adapted(name: str, hub: str | None, progress: Progress) -> Found:
    """Return the adapted model in a folder or on a hub, without its base; raises UnknownName."""
    path = Path(name)
    if path.is_dir() and (hub is None or (path / FILE).is_file()):
        facts = read_facts(path)
        check_files(path, facts)
        return Found(path, facts, NO_COMMIT)
    if path.exists() or split_revision(name)[0].count("/") != 1:
        raise UnknownName(
            f"there is no adapted folder `{name}`",
            "give a folder that `hubtl adapt` wrote, or ORG/NAME on a hub",
        )
    source, entry = find_model(name, hub)
    folder = pull(source, entry, progress=progress)
    return Found(folder, published_facts(folder, entry), str(entry.revision))


def fetch_model(name: str, hub: str | None, room: Path, progress: Progress) -> Model:
    """Return a published model and its base as their hub has them now, past every cache."""
    source, entry = find_model(name, hub)
    folder = fetch(source, entry, _made(room / "adapter"), progress=progress)
    facts = published_facts(folder, entry)
    base_entry = source.entry(facts.base, facts.base_revision)
    base = fetch(source, base_entry, _made(room / "base"), progress=progress)
    return Model(folder, facts, base, str(entry.revision))


def published_facts(folder: Path, entry: Entry) -> Facts:
    """Return the facts of a model from a hub; raises where they are of another, or files differ."""
    facts = read_facts(folder)
    if str(facts.address).casefold() != entry.id.casefold():
        raise Refused(
            f"`{entry.id}` holds what was published as `{facts.address}`",
            f"its card would load that one: use `{facts.address}`, or have it published again",
        )
    check_files(folder, facts)
    return facts


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def check_files(folder: Path, facts: Facts) -> None:
    """Raise NotReproduced if a file is not the one that was measured."""
    changed = changed_files(folder, facts)
    if changed:
        raise NotReproduced(
            f"`{changed[0]}` in `{folder}` is not the file that was measured: its sha256 differs",
            "adapt again, or take the folder from a copy",
        )


def changed_files(folder: Path, facts: Facts) -> list[str]:
    """Return the measured files that are gone or have other bytes now."""
    return [
        path
        for path, digest in facts.files.items()
        if not (folder / path).is_file() or sha256(folder / path) != digest
    ]


def check_labels(rows: Sequence[Example], facts: Facts, name: str) -> None:
    """Raise BadData if a row has a label that the model doesn't know."""
    said = goal_of(facts).classes(row.label for row in rows)
    strange = [label for label in said if label not in facts.labels]
    if strange:
        raise BadData(
            f"a row has the label `{strange[0]}`, which `{name}` does not know",
            f"it knows {', '.join(f'`{label}`' for label in facts.labels)}",
        )


def evaluate(
    name: str,
    data: Path,
    *,
    against: str | None,
    columns: Mapping[str, str],
    slice_by: str | None = None,
    hub: str | None,
    progress: Progress,
) -> Evaluation:
    """Return how a model does on a file's test rows (all rows where none is marked as test)."""
    from .transfer.resources import Stopwatch

    watch = Stopwatch()
    model = open_model(name, hub, progress)
    facts = model.facts
    goal = goal_of(facts)
    task = plugins().task(facts.task)
    read = read_dataset(data, task, columns, hub, goal=goal, slice_by=slice_by, fields=facts.fields)
    rows = test_rows(read)
    check_labels(rows, facts, name)
    commonest, other = _commonest(facts, goal, name), _other(against, goal, hub, progress)
    marked = bool(len(read.parts["test"]))
    how = "the rows marked as test" if marked else "all rows"
    if not marked and read.fingerprint == facts.data["fingerprint"]:
        how = "all rows, most of which it has learnt from: this is no evidence"
    true, inputs = [row.label for row in rows], [row.input for row in rows]
    predicted = model.predict(inputs, "evaluating", progress, true=true)
    origins = [row.origin for row in rows]
    answers = Answers([row.id for row in rows], true, predicted.labels, predicted.logits, origins)
    values = [row.group for row in rows]
    rivals = known_rivals(model.folder, facts, rows, commonest)
    unknown = [facts.rivals.get(each, each) for each in facts.baselines if each not in rivals]
    beats, baselines = verdict(rivals, answers, goal.metrics, facts.seed, all_=not unknown)
    if unknown:
        how += f"; not known of them: {', '.join(unknown)}"
    return Evaluation(
        name,
        facts,
        {"train": 0, "validation": 0, "test": len(rows)},
        measure.measure(true, predicted.labels, goal.metrics, facts.seed, origins),
        baselines,
        beats,
        round(watch.seconds, 2),
        how,
        _compared(other, str(against), answers, inputs, facts, progress) if other else None,
        judge(answers, goal, facts.labels, facts.seed, temperature_of(facts)).as_json(),
        sliced(slice_by, values, answers, goal, facts.seed) if slice_by else None,
    )


def _commonest(facts: Facts, goal: Goal, name: str) -> str | None:
    """Return the label that a plain rival always says, if one does; BadData where it is none."""
    said = facts.data.get("commonest")
    try:
        if said is not None:
            goal.read(said) if goal.ordered else goal.shown(said)
    except (TypeError, ValueError) as error:
        raise BadData(f"`{name}` is damaged: its commonest label is none", "adapt again") from error
    return said


def _other(against: str | None, goal: Goal, hub: str | None, progress: Progress) -> Model | None:
    """Return the model to compare with; raises BadOption where it tells labels of another kind."""
    other = open_model(against, hub, progress) if against else None
    if other and (why := other_kind(goal, goal_of(other.facts))):
        raise BadOption(f"not compared with `{against}`: {why}", ANOTHER)
    return other


def _compared(
    other: Model,
    against: str,
    answers: Answers,
    inputs: Sequence[str],
    facts: Facts,
    progress: Progress,
) -> dict[str, object]:
    """Return the paired difference to another model on the same rows."""
    goal = goal_of(facts)
    theirs = other.predict(inputs, f"evaluating {against}", progress, true=answers.true)
    if why := goal.unlike(answers.labels, theirs.labels):
        raise BadOption(f"not compared with `{against}`: {why}", ANOTHER)
    metrics, true, seed, origins = goal.metrics, answers.true, facts.seed, answers.origins
    difference = measure.difference(
        true, answers.labels, theirs.labels, metrics, facts.main_metric, seed, origins
    )
    return {
        "folder": against,
        "metrics": measure.measure(true, theirs.labels, metrics, seed, origins),
        "difference": {"metric": facts.main_metric, **difference},
    }


def predict(
    name: str, inputs: Sequence[str], *, hub: str | None, progress: Progress
) -> list[Prediction]:
    """Return one prediction an input, in order, none dropped; a folder is all files in it.

    Each file is looked into before work starts; raises BadData or UnknownName that names it.
    """
    if not inputs:
        raise BadData("there is nothing to predict", "give inputs, or --data TABLE")
    there = find_adapted(name, hub, progress)
    role = plugins().task(there.facts.task).roles[0]
    asked = asked_for(role, inputs, there.facts.fields)
    model = with_base(there, hub, progress)
    predicted = model.predict(asked.inputs, "predicting", progress)
    found = []
    goal = goal_of(model.facts)
    for word, label, logits in zip(asked.words, predicted.labels, predicted.logits, strict=True):
        if any(math.isnan(each) for each in logits):
            raise BadData(f"of the input `{word}` the model makes nothing", "leave it out")
        scores = goal.scores(logits, model.facts.labels)
        sure = goal.sure(label, logits, model.facts.labels)
        found.append(Prediction(word, goal.shown(label), sure, scores))
    return found


def inputs_of(
    name: str, data: Path, columns: Mapping[str, str], hub: str | None, progress: Progress
) -> list[str]:
    """Return the inputs of every row of a file, as the model's task reads them."""
    there = find_adapted(name, hub, progress)
    return read_inputs(data, plugins().task(there.facts.task), columns, hub, there.facts.fields)
