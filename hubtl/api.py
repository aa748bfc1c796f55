"""The verbs in the order of the road, from search to export.

Each is a function from one plain value to the next. What the command line does, a notebook does in
the same words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .registry.entry import Entry, Found, Query
from .transfer.progress import Progress, silent

if TYPE_CHECKING:  # a search needs none of these, and classes take time to be made
    from .registry.past import Past
    from .results import (
        Adapted,
        Checked,
        Evaluation,
        Exported,
        Family,
        Plan,
        Prediction,
        Published,
        Synced,
    )

PathLike = str | os.PathLike[str]


def search(words: str = "", *, hub: str | None = None, **filters: object) -> Found:
    """Return the models that fit the words and the filters, best first, and those left out.

    Filters are the fields of `Query`: task, domain, language, licence, allows, max_params, fits (by
    `recipe`), trusted, kind, base, organisation, limit. What hubtl never loads is left out. Needs
    no network unless `hub` is one that does.
    """
    from .sources import search_models

    return search_models(Query(words, **filters), hub)  # type: ignore[arg-type]


def sync(
    *,
    hub: str | None = None,
    organisation: str | None = None,
    least: int | None = None,
    anew: bool = False,
    progress: Progress = silent,
) -> Synced:
    """Bring a hub's listing into the index that `search` reads, and return how many models came.

    `least` are the downloads below which a model is left out; `anew` brings all rather than what
    changed. Raises BadOption, Unreachable and Refused.
    """
    from .syncing import sync_index

    return sync_index(hub, organisation, least, anew, progress)


def show(model: str, *, hub: str | None = None) -> Entry:
    """Return what is known of the model `ID[@REV]`; raises UnknownName."""
    from .sources import find_model

    return find_model(model, hub)[1]


def family(entry: Entry, *, offline: bool = False) -> Family:
    """Return what a model that `show` found was made from, and what was made from it.

    Its hub and the index are asked, or the index alone. What can't be asked is told in the result
    and raises nothing.
    """
    from .descent import family_of

    return family_of(entry, offline=offline)


def past(
    task: str | None = None,
    *,
    domain: str | None = None,
    fingerprint: str | None = None,
    base: str | None = None,
) -> tuple[Past, ...]:
    """Return what you and your team reached for a task, what tells the most about the next first.

    `fingerprint` is that of data, as `hubtl.json` has it. Needs no network.
    """
    from .remembering import recalled

    return recalled(task, domain=domain, fingerprint=fingerprint, base=base)


def pull(
    model: str,
    *,
    to: PathLike | None = None,
    hub: str | None = None,
    progress: Progress = silent,
) -> Path:
    """Return a folder with a model's files, hashes checked; raises Refused for a pickle."""
    from .pulling import pull_model

    return pull_model(model, Path(to) if to else None, hub, progress)


def check(
    task: str,
    data: PathLike,
    *,
    test: PathLike | None = None,
    base: str | None = None,
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    hub: str | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Checked:
    """Return what is wrong with data, the gravest first; nothing is trained that is kept.

    With `base` labels are doubted by that model's features, else by a plain rival's. Raises BadData
    where there are no rows that can be used.
    """
    from .checking import Wanted
    from .checking import check as work

    wanted = Wanted(
        task,
        Path(data),
        Path(test) if test else None,
        base,
        columns or {},
        options or {},
        hub,
        seed,
    )
    return work(wanted, progress)


def plan(
    task: str,
    data: PathLike,
    *,
    measure: bool = False,
    progress: Progress = silent,
    **options: object,
) -> Plan:
    """Return what `adapt` would do with the same arguments; nothing is trained or kept.

    With `measure` a few steps are tried, and the plan says what time, memory and disk it takes,
    where the base is there without a network.
    """
    from .job import prepare
    from .planning import planned

    job = prepare(_request(task, data, **options))
    return planned(job, progress) if measure else job.as_plan()


def adapt(
    task: str,
    data: PathLike,
    *,
    progress: Progress = silent,
    tell: Callable[[Plan], None] | None = None,
    **options: object,
) -> Adapted:
    """Return a new adapted folder, measured on rows that it has not learnt from.

    Options: base (`auto` for the first of a ranking), recipe, out, test, domain, options (of the
    recipe), columns (role to name), seed, seeds, hub, device, time_budget (such as 5m), plan (an
    earlier plan.json), resume. `tell` is given the plan before anything is trained, and `retain`
    names more inputs to see by what is forgotten. Raises the HubtlError that says what stands in
    the way before any work is done.
    """
    from .adaptation import adapt as work
    from .job import prepare

    job = prepare(_request(task, data, **options))
    return work(job, progress, tell or (lambda _: None))


def evaluate(
    model: PathLike,
    data: PathLike,
    *,
    against: str | None = None,
    columns: Mapping[str, str] | None = None,
    slice_by: str | None = None,
    hub: str | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Return how an adapted folder or ORG/NAME does on rows, with 95 % intervals.

    With `slice_by`, the name of any column, also how it does on the rows of each of its values.
    """
    from .evaluation import evaluate as work

    return work(
        os.fspath(model),
        Path(data),
        against=against,
        columns=columns or {},
        slice_by=slice_by,
        hub=hub,
        progress=progress,
    )


def report(folder: PathLike) -> Path:
    """Return `report.html`, written anew into an adapted folder from what was measured there.

    Raises UnknownName or BadData where the folder has no facts or no predictions.
    """
    from .reporting import write_report

    return write_report(Path(folder))


def predict(
    model: PathLike, inputs: Sequence[str], *, hub: str | None = None, progress: Progress = silent
) -> list[Prediction]:
    """Return one prediction an input, in order."""
    from .evaluation import predict as work

    return work(os.fspath(model), inputs, hub=hub, progress=progress)


def publish(
    folder: PathLike, to: str, *, progress: Progress = silent, **options: object
) -> Published:
    """Return where the adapter is, after it came back from there and said the same on all rows.

    Options: hub, public, tag, domain, description, data_licence, with_base, allow_worse,
    pull_request (offered as one, whose address is returned), dry_run. Raises Refused or
    NotReproduced; then the hub is as it was. Called again after any failure, it goes on with what
    the hub has of it.
    """
    from .publication import Wish
    from .publication import publish as work

    return work(Wish(Path(folder), to, **options), progress)  # type: ignore[arg-type]


def verify(
    model: str,
    *,
    data: PathLike | None = None,
    columns: Mapping[str, str] | None = None,
    hub: str | None = None,
    progress: Progress = silent,
) -> Published:
    """Return the proof again for a published ORG/NAME; raises NotReproduced with what differs."""
    from .verification import verify as work

    return work(model, Path(data) if data else None, columns or {}, hub, progress)


def export(
    model: PathLike,
    *,
    format: str,
    out: PathLike | None = None,
    data: PathLike | None = None,
    columns: Mapping[str, str] | None = None,
    hub: str | None = None,
    progress: Progress = silent,
) -> Exported:
    """Return an adapted folder or ORG/NAME in another form, after it said what the adapter says.

    It is compared on the rows of `data`, else on the test rows of the folder, else on public
    inputs. Raises NotReproduced with what differs; then nothing is written.
    """
    from .exporting import Wanted
    from .exporting import export as work

    wanted = Wanted(
        os.fspath(model),
        format,
        Path(out) if out else None,
        Path(data) if data else None,
        columns,
        hub,
    )
    return work(wanted, progress)


def _request(task: str, data: PathLike, **options: object):  # type: ignore[no-untyped-def]
    from .subject import Request

    files = ("out", "test", "plan", "retain")
    paths = {key: Path(str(options[key])) for key in files if options.get(key)}
    return Request(task, Path(data), **{**options, **paths})  # type: ignore[arg-type]
