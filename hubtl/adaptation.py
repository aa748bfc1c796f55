"""Adapt a base to rows: check everything, fit, save, and measure what was saved."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .dataset import Dataset, read_dataset
from .lineage import Upon, licence_upon, traced
from .plugins.hookspecs import Learnt, Loading, Method, Source, Task
from .plugins.manager import plugins
from .predictions import write_predictions
from .proof import Predicted, predict_in_clean_process
from .registry.card import render
from .registry.catalog import catalogue
from .registry.entry import Entry
from .registry.errors import BadOption
from .registry.facts import LOCAL, WRITTEN_LATER, Facts
from .registry.fingerprint import files_in, rows_fingerprint, sha256
from .registry.places import setting, trunks
from .registry.recipe import Recipe
from .registry.weights import check_weights, needed
from .results import Adapted, Plan
from .sources import find_model, first_base, pull, pulled
from .splitting import RIVAL_ROWS, split_rows, write_split
from .transfer import resources
from .transfer.network import choose_device
from .transfer.progress import Progress
from .transfer.quiet import quiet_libraries
from .transfer.split import Split, at_most
from .transfer.start import Session
from .transfer.trunk import Shelf
from .unfinished import unfinished
from .workspace import check_out, disk_told, staged

NOT_MEASURED = "not measured by this version of hubtl"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, in the user's words."""

    task: str
    data: Path
    base: str = "auto"
    recipe: str = "probe"
    out: Path | None = None
    test: Path | None = None
    domain: str | None = None
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seed: int = 0
    hub: str | None = None
    device: str | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A request with every name resolved and every row read: nothing can be misspelt any more."""

    task: Task
    recipe: Recipe
    method: Method
    source: Source
    base: Entry
    data: Dataset
    split: Split
    labels: tuple[str, ...]
    out: Path
    domain: str | None
    seed: int
    why: str
    device: str | None = None
    resume: bool = False
    upon: Upon | None = None

    @property
    def address(self) -> str:
        """The id that the card's code uses until the folder is published."""
        return f"local/{_plain(self.out.name)}"

    def as_plan(self) -> Plan:
        """Return what would be done."""
        there = pulled(self.base.id, self.base.revision)
        sizes = [self.base.files[path].size for path in needed(self.base.files)]
        return Plan(
            self.task.name,
            self.base.id,
            self.base.revision,
            self.recipe.name,
            self.recipe.options,
            self.why,
            self.split.sizes,
            self.labels,
            self.data.columns,
            str(self.out),
            (0 if there else sum(sizes)) + (self.upon.download_bytes if self.upon else 0),
            self.upon.name if self.upon else None,
        )


def prepare(request: Request) -> Job:
    """Return the job; raises the HubtlError that says what stands in its way, before any work."""
    offered = plugins()
    task = offered.task(request.task)
    recipe = offered.recipe(request.recipe)
    method = offered.method(recipe.method)
    recipe = recipe.over(method.options).with_options(request.options)
    domain = request.domain or setting("domain")
    if domain:
        catalogue().check_domain(domain)
    out = request.out or Path("adapted", f"{_plain(request.data.stem)}-{recipe.name}")
    check_out(out)
    if request.device:
        choose_device(request.device)
    asked = (task, request.columns, request.hub)
    data = read_dataset(request.data, *asked)
    test = read_dataset(request.test, *asked) if request.test else None
    split = split_rows(data, test, request.seed, validates=method.validates)
    base, why = request.base, f"The recipe and the base `{request.base}` were asked for."
    if base == "auto":
        base, why = first_base(task)
        source, entry = find_model(base, "starter")
    else:
        source, entry = find_model(base, request.hub)
    source, entry, upon = traced(source, entry, request.hub)
    if not re.fullmatch("[0-9a-f]{40}", entry.revision or ""):
        raise BadOption(f"`{entry.id}` has no commit to pin", "choose another --base")
    check_weights(entry.id, entry.files)
    labels = tuple(sorted({row.label for row in split.train}))
    return Job(
        task, recipe, method, source, entry, data, split, labels, out, domain, request.seed, why,
        request.device, request.resume, upon,
    )  # fmt: skip


def adapt(job: Job, progress: Progress) -> Adapted:
    """Do the job and return the folder, whole and measured; on any failure nothing is left."""
    import torch

    from .transfer.resources import Stopwatch

    watch = Stopwatch()
    with (
        disk_told(job.out),
        unfinished(_identity(job), resume=job.resume) as checkpoint,
        staged(job.out) as folder,
        quiet_libraries(),
    ):
        base = pull(job.source, job.base, progress=progress)
        torch.manual_seed(job.seed)
        network = job.task.network(base, job.base, job.labels, job.device)
        if job.upon:
            job.upon.put_into(network, progress)
        session = Session(
            job.split.train,
            job.split.validation,
            job.labels,
            job.seed,
            progress,
            Shelf(*trunks()),
            checkpoint,
        )
        learnt = job.method.adapt(network, job.recipe.options, session)
        network.save(folder)
        rows = (*job.split.train, *job.split.validation, *job.split.test)
        inputs = network.describe_inputs([row.input for row in rows])
        loading = Loading(job.address, job.base.id, job.base.revision or "", job.labels, inputs)
        snippet = job.task.snippet(folder, loading)
        predicted = predict_in_clean_process(
            snippet,
            {job.base.id: (job.base.revision or "", base), job.address: ("0" * 40, folder)},
            [row.input for row in job.split.test],
            probe=job.task.probe_inputs,
            ways=job.task.other_ways(folder, loading),
            step="measuring what was saved",
            progress=progress,
        )
        rivals = job.task.baselines(at_most(job.split, RIVAL_ROWS, job.seed), job.seed)
        write_predictions(folder, job.split.test, predicted, rivals)
        write_split(folder, job.split, job.seed)
        facts = _facts(job, learnt, inputs, predicted, rivals, folder, watch.seconds)
        facts.write(folder)
        sections = plugins().sections(folder)
        card = render(facts, snippet, name=job.address.partition("/")[2], more=sections)
        (folder / "README.md").write_text(card, encoding="utf-8")
    return Adapted(job.out, facts)


def _identity(job: Job) -> dict[str, Any]:
    """Return all that decides what comes out: two runs with the same are the same work."""
    return {
        "task": job.task.name,
        "base": f"{job.base.id}@{job.base.revision}",
        "upon": job.upon.name if job.upon else None,
        "recipe": job.recipe.name,
        "method": job.method.name,
        "options": dict(job.recipe.options),
        "rows": [rows_fingerprint((r.input, r.label) for r in part) for part in _parts(job.split)],
        "seed": job.seed,
        "device": job.device,
        "out": str(job.out.absolute()),
        "versions": resources.versions(),
    }


def _parts(split: Split) -> tuple[Sequence[Any], ...]:
    return split.train, split.validation, split.test


def _facts(
    job: Job,
    learnt: Learnt,
    inputs: Mapping[str, Any],
    predicted: Predicted,
    rivals: Mapping[str, Sequence[str]],
    folder: Path,
    seconds: float,
) -> Facts:
    from .transfer import measure

    true = [row.label for row in job.split.test]
    baselines = {name: measure.values(true, labels) for name, labels in rivals.items()}
    main = job.task.main_metric
    best = max(baselines, key=lambda name: baselines[name][main])
    gain = measure.difference(true, predicted.labels, rivals[best], main, job.seed)
    unhashed = (*WRITTEN_LATER, *LOCAL)
    hashes = {path: sha256(at) for path, at in files_in(folder).items() if path not in unhashed}
    return Facts(
        task=job.task.name,
        base=job.base.id,
        base_revision=job.base.revision or "",
        licence=licence_upon(job.upon, job.base),
        recipe=job.recipe.name,
        method=learnt.how,
        options=learnt.options,
        why=job.why,
        labels=job.labels,
        rows=job.split.sizes,
        main_metric=main,
        metrics=measure.measure(true, predicted.labels, job.seed),
        baselines=baselines,
        gain={"over": best, "metric": main, **gain},
        beats_baseline=gain["low"] > 0,
        retention={
            "score": None,
            "how": NOT_MEASURED,
            "rows": None,
            "cka": None,
            "loss_before": None,
            "loss_after": None,
        },
        seconds=round(seconds, 2),
        peak_memory_bytes=resources.peak_memory(),
        energy={"kwh": None, "kg_co2": None, "how": NOT_MEASURED},
        seed=job.seed,
        data={
            "fingerprint": job.data.fingerprint,
            "test_fingerprint": rows_fingerprint((row.input, row.label) for row in job.split.test),
            "split": job.split.how,
            "commonest": rivals["majority"][0] if "majority" in rivals else None,
        },
        inputs=inputs,
        files=hashes,
        versions=resources.versions(),
        machine=resources.machine(),
        probe={"inputs": job.task.name, "logits": predicted.probe},
        languages=job.base.languages if len(job.base.languages) <= 10 else (),
        domain=job.domain,
        address=job.address,
        loads=predicted.ways,
        lineage=job.upon.lineage if job.upon else (),
    )


def _plain(name: str) -> str:
    """Return a name with nothing in it that a hub's grammar forbids."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    while "--" in kept or ".." in kept:
        kept = kept.replace("--", "-").replace("..", ".")
    return kept.strip(".-") or "model"


def options_from(pairs: Sequence[str]) -> dict[str, str]:
    """Return `--set KEY=VALUE` texts as a dict; raises BadOption for one without `=`."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise BadOption(f"`--set {pair}` is not KEY=VALUE", "such as --set epochs=5")
        found[key] = value
    return found
