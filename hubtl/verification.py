"""The proof of a published adapter again, any later day, on any machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .dataset import read_dataset, test_rows
from .evaluation import Model, check_labels, fetch_model, goal_of
from .plugins.manager import plugins
from .registry.comparing import figure
from .registry.errors import NotReproduced
from .registry.facts import Facts
from .registry.fingerprint import rows_fingerprint, sha256
from .registry.rooms import temporary_room
from .reproduction import METRIC_TOLERANCE, compare_probe
from .results import Published
from .transfer import measure, resources
from .transfer.agreement import LOGIT_TOLERANCE
from .transfer.progress import Progress
from .transfer.split import contents_of


def verify(
    name: str, data: Path | None, columns: Mapping[str, str], hub: str | None, progress: Progress
) -> Published:
    """Return whether a published adapter still says what it said when it was measured.

    The logits of the public probe inputs are compared with those in `hubtl.json`; with `data`, the
    main metric is measured on its test rows. Adapter and base must be byte for byte those of then;
    how the machine and the libraries differ is told. Raises NotReproduced with what differs.
    """
    with temporary_room("hubtl-verify-") as room:
        model = fetch_model(name, hub, room, progress)
        facts, task = model.facts, plugins().task(model.facts.task)
        goal = goal_of(facts)
        read = None
        if data:
            read = read_dataset(data, task, columns, hub, goal=goal, fields=facts.fields)
        rows = test_rows(read) if read else ()
        check_labels(rows, facts, name)
        inputs = [row.input for row in rows]
        check_base(model)
        true = [row.label for row in rows]
        said = model.predict(inputs, "verifying", progress, task.probe_inputs, true)
    agreement, differs = compare_probe(facts, said, goal), environment(facts)
    if not agreement.holds:
        changed = ", ".join(f"{what} {then} -> {now}" for what, (then, now) in differs.items())
        raise NotReproduced(
            f"`{name}` no longer says what was measured on the public probe inputs: {agreement}; "
            f"its files and those of its base are the same, other is {changed or 'nothing'}",
            f"`hubtl show {name}` tells who published it; evaluate it on rows of your own",
        )
    measured = facts.metrics[facts.main_metric]["value"]
    metric = {"name": facts.main_metric, "measured": measured, "reproduced": None}
    if rows:
        found = measure.values(true, said.labels, goal.metrics)[facts.main_metric]
        same = rows_fingerprint(contents_of(rows))
        metric |= {"reproduced": found, "same_rows": same == facts.data["test_fingerprint"]}
        # As far off as public inputs are, and then some: a tolerance would hide another ranking.
        gap = min(LOGIT_TOLERANCE, 10 * agreement.widest)
        off = METRIC_TOLERANCE + goal.slack(measured, gap, said.labels)
        if metric["same_rows"] and abs(found - measured) > off:
            told = [figure(facts.main_metric, each, digits=4) for each in (found, measured)]
            raise NotReproduced(
                f"`{name}` gives {facts.main_metric} {told[0]} on the very rows that gave "
                f"{told[1]}",
                f"`hubtl show {name}` tells who published it",
            )
    return Published(
        name,
        model.revision,
        True,
        metric,
        len(rows) or agreement.rows,
        asdict(agreement),
        environment=differs,
    )


def check_base(model: Model) -> None:
    """Raise NotReproduced where the hub now has another base than the adapter was made from."""
    for path, digest in model.facts.base_files.items():
        there = model.base / path
        if not there.is_file() or sha256(there) != digest:
            raise NotReproduced(
                f"the base `{model.facts.base}` is not the one it was adapted from: `{path}` "
                f"{'differs' if there.is_file() else 'is gone'}",
                "tell the owner of the hub: a revision that is pinned must not change",
            )


def environment(facts: Facts) -> dict[str, tuple[str, str]]:
    """Return what of libraries and machine is not as it was measured with: (then, now) of each."""
    then = {**facts.versions, **facts.machine}
    now = {**resources.versions(), **resources.machine()}
    return {
        what: (str(then[what]), str(now.get(what, "gone")))
        for what in then
        if then[what] != now.get(what)
    }
