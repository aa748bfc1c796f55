"""Write an adapted model in another form, and compare it with the adapter before it is done."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .dataset import read_inputs
from .evaluation import Model, find_adapted, goal_of, with_base
from .gate import check_inputs
from .plugins.export import HERE, Export, Saved
from .plugins.hookspecs import Task
from .plugins.installed import installed_version
from .plugins.manager import plugins
from .predictions import FILE as PREDICTIONS
from .predictions import read_predictions
from .proof import NO_COMMIT, loading, predict_in_clean_process
from .registry.entry import split_revision
from .registry.errors import BadData, BadOption, NotReproduced
from .registry.exported import FILE, Made, render_exported
from .registry.facts import Facts
from .registry.fingerprint import files_in, sha256
from .results import Exported
from .transfer.agreement import Agreement, compare
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries
from .workspace import check_out, disk_told, staged

LICENCES = ("LICENSE", "NOTICE")  # as their names begin


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants exported, in which form, where to, and the rows to compare on, if any."""

    model: str
    form: str
    out: Path | None = None
    data: Path | None = None
    columns: Mapping[str, str] | None = None
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What the adapter says of rows: the rows in words, inputs, labels, logits, true labels."""

    rows: str
    inputs: Sequence[str]
    labels: Sequence[str]
    logits: Sequence[Sequence[float]]
    true: Sequence[str] = ()


def export(wanted: Wanted, progress: Progress) -> Exported:
    """Return the folder of a model in another form, which says what the adapter says.

    Raises NotReproduced with what differs; then nothing is written.
    """
    form = plugins().export(wanted.form)
    out = wanted.out or _default(wanted)
    check_out(out, mark=FILE)
    found = find_adapted(wanted.model, wanted.hub, progress)
    facts, task = found.facts, plugins().task(found.facts.task)
    _check_fits(form, task)
    model = with_base(found, wanted.hub, progress)
    said = _said(wanted, model, task, progress)
    saved = Saved(model.folder, tuple(facts.files), model.base, loading(facts, HERE))
    commit = None if model.revision == NO_COMMIT else model.revision
    with disk_told(out), staged(out) as folder:
        progress(f"writing {form.name}", 0, 1)
        with quiet_libraries():
            code = form.write(task, saved, folder)
        progress(f"writing {form.name}", 1, 1)
        _copy_licences(model.base, folder)
        agreement = _compared(form, code, folder, facts, said, progress)
        compared = {"on": said.rows, **asdict(agreement)}
        hashes = {path: sha256(at) for path, at in files_in(folder).items()}
        versions = {name: installed_version(name) or "" for name in (*facts.versions, *form.needs)}
        made = Made(form.name, form.about, form.library, facts, commit, compared, versions, hashes)
        made.write(folder)
        card = render_exported(made, code, name=out.name)
        (folder / "README.md").write_text(card, encoding="utf-8")
    return Exported(out, made, {path: at.stat().st_size for path, at in files_in(out).items()})


def _default(wanted: Wanted) -> Path:
    """Return a folder named by the model and the form, in `exported/`."""
    name = Path(split_revision(wanted.model)[0]).name or "model"
    return Path("exported", f"{name}-{wanted.form}")


def _check_fits(form: Export, task: Task) -> None:
    if form.fits(task):
        return
    others = [name for name, each in plugins().exports.items() if each.fits(task)]
    raise BadOption(
        f"a model for {task.name} can't be exported as `{form.name}`",
        f"--format {' or '.join(others)}" if others else "use it as it is: `hubtl predict`",
    )


def _said(wanted: Wanted, model: Model, task: Task, progress: Progress) -> _Said:
    """Return what the adapter says of DATA, of its test rows, or of the public probe inputs.

    Of its test rows that was written down when it was measured; else it is asked now.
    """
    if wanted.data is None and (model.folder / PREDICTIONS).is_file():
        before = read_predictions(model.folder)
        check_inputs(before)
        rows = f"the {len(before.ids)} test rows of the adapter"
        return _Said(rows, before.inputs, before.predicted, before.logits, before.true)
    if wanted.data is None:
        inputs = list(task.probe_inputs)
        rows = f"hubtl's {len(inputs)} public inputs"
    else:
        inputs = read_inputs(
            wanted.data, task, wanted.columns or {}, wanted.hub, model.facts.fields
        )
        rows = f"{len(inputs)} rows"
    if not inputs:
        raise BadData("there are no rows to compare on", "--data TABLE names some")
    found = model.predict(inputs, "asking the adapter", progress)
    return _Said(rows, inputs, found.labels, found.logits)


def _copy_licences(base: Path, folder: Path) -> None:
    """Copy what the licence of the base's weights says must go along with them."""
    for path in base.iterdir():
        if path.is_file() and path.name.upper().startswith(LICENCES):
            shutil.copyfile(path, folder / path.name)


def _compared(
    form: Export, code: str, folder: Path, facts: Facts, said: _Said, progress: Progress
) -> Agreement:
    """Ask the folder the same rows, by its own code, in a clean process; raises NotReproduced."""
    goal = goal_of(facts)
    found = predict_in_clean_process(
        code,
        {},
        said.inputs,
        at=folder,
        step="comparing with the adapter",
        progress=progress,
        said=goal.said,
        true=said.true,
        written=[number for number, label in enumerate(said.labels) if goal.shown(label)],
    )
    agreement = compare(
        said.labels, said.logits, found.labels, found.logits, goal, share=form.tolerance
    )
    if not agreement.holds:
        raise NotReproduced(
            f"the model as `{form.name}` does not say what the adapter says on {said.rows}: "
            f"{agreement}",
            "nothing was written; use the adapter itself, or another --format",
        )
    return agreement
