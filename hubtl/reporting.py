"""`report.html`: one page on an adapted folder, for its owner's eyes. It stays on this machine."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import plots
from .evaluation import goal_of, temperature_of
from .judgement import Judgement, judge
from .page import HERE, rendered, write_page
from .plugins.hookspecs import Task
from .plugins.manager import plugins
from .plugins.pictured import Pictured
from .predictions import Predictions, read_predictions
from .registry.card import METRIC_NAMES, headline, seeds_line, shift_line
from .registry.comparing import figure
from .registry.facts import Facts, read_facts
from .registry.usage import beside_best, calibrated, gained, kept_of_base
from .results import worded
from .transfer import measure
from .transfer.goal import Goal
from .transfer.judging import Answers, ClassScore, confusion_matrix
from .transfer.split import evenly

FILE = "report.html"
PLOTS = tuple(
    f"plot_{name}"
    for name in (
        *("results", "classes", "confusion", "bins", "losses", "layers", "curve"),
        *("numbers", "residuals"),
    )
)
TEMPLATE = HERE / "report.html.jinja"
OURS = "this model"
MOST_CLASSES, MOST_DRAWN, MOST_PAIRS, RIGHT = 100, 20, 10, 5
MOST_POINTS = 1000  # each of which is drawn
LONGEST = 600  # letters of a text that are shown
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the page shows it: what went in, what is true, what was said, how wrong that is."""

    id: str
    input: str
    true: str
    label: str
    wrong: float
    picture: str
    why_none: str


def write_report(folder: Path) -> Path:
    """Return the report of an adapted folder, written anew, readable by its owner only.

    Raises UnknownName or BadData where the folder has no facts or no predictions.
    """
    facts, rows = read_facts(folder), read_predictions(folder)
    write_page(folder / FILE, render_report(facts, rows))
    return folder / FILE


def render_report(facts: Facts, rows: Predictions) -> str:
    """Return the page."""
    task, goal = plugins().task(facts.task), goal_of(facts)
    answers = Answers(rows.ids, rows.true, rows.predicted, rows.logits, rows.origins)
    found = judge(answers, goal, facts.labels, facts.seed, temperature_of(facts))
    results = _results(facts, rows, goal)
    return rendered(
        TEMPLATE,
        facts=facts,
        name=str(facts.address).partition("/")[2] or facts.task,
        headline=headline(facts).replace("**", ""),
        beside_best=beside_best(facts.main_metric, facts.metrics, facts.baselines, facts.rivals),
        metrics=list(facts.metrics),
        titles=METRIC_NAMES,
        results=results,
        seeds=seeds_line(facts) if facts.seeds else "",
        classes=_hardest(found.classes),
        pairs=[
            (worded(goal.shown(true)), worded(goal.shown(said)), count)
            for true, said, count in found.confusion[:MOST_PAIRS]
        ],
        calibrated=calibrated(facts.calibration),
        bins=found.calibration["reliability"],
        rings="reliability_before" in found.calibration,
        worst=[_shown(rows, *each, task, goal) for each in found.worst],
        worst_by=goal.worst_by,
        shown=figure,
        numbers=goal.ordered,
        whole=goal.whole,
        right=list(_right(rows, task, goal)),
        made=_made(facts),
        gained=gained(facts),
        retained=kept_of_base(facts.retention),
        shift=shift_line(facts),
        losses=facts.losses,
        layers=facts.layers,
        curve=facts.curve.get("says", ""),
        **_plots(facts, results, goal, found),
    )


def _results(
    facts: Facts, rows: Predictions, goal: Goal
) -> dict[str, Mapping[str, Mapping[str, float]]]:
    """Return the metrics of the model and of each rival on the same rows, by what they are."""
    rivals = {
        facts.rivals.get(name, name): measure.measure(
            rows.true, said, goal.metrics, facts.seed, rows.origins
        )
        for name, said in rows.rivals.items()
    }
    return {OURS: facts.metrics, **rivals}


def _hardest(classes: Sequence[ClassScore]) -> list[ClassScore]:
    """Return the classes with the lowest F1, as many as a page can show."""
    order = sorted(classes, key=lambda each: each.f1["value"] if each.f1 else 0.0)
    return order[:MOST_CLASSES]


def _plots(
    facts: Facts,
    results: Mapping[str, Mapping[str, Mapping[str, float]]],
    goal: Goal,
    found: Judgement,
) -> dict[str, Any]:
    """Return each plot as SVG that is safe to put into the page; empty where there is none."""
    from markupsafe import Markup

    drawn = dict.fromkeys(PLOTS, "")
    if not plots.can_plot():
        return {**drawn, "plots": False}
    metric = facts.main_metric
    title = METRIC_NAMES.get(metric, metric)
    values = {name: each[metric] for name, each in results.items()}
    drawn["plot_results"] = plots.intervals(values, title, f"{title} beside the baselines", {OURS})
    scores = {each.label: each.f1 for each in _hardest(found.classes) if each.f1}
    if 0 < len(scores) <= MOST_DRAWN:
        drawn["plot_classes"] = plots.intervals(
            scores, "F1", "F1 of each class", limits=(-0.03, 1.03)
        )
    if found.confusion and goal.divides and len(facts.labels) <= MOST_DRAWN:
        counts = confusion_matrix(found.answers, facts.labels)
        drawn["plot_confusion"] = plots.confusion(facts.labels, counts, "What is taken for what")
    bins = found.calibration["reliability"]
    if bins:
        before = found.calibration.get("reliability_before", [])
        about = "How often it is right, by how sure it is"
        drawn["plot_bins"] = plots.reliability(bins, before, about)
    if goal.ordered:
        drawn |= _drawn_numbers(found.answers, facts.labels[0], goal)
    drawn |= _drawn_learning(facts, goal)
    return {**{name: Markup(svg) for name, svg in drawn.items()}, "plots": True}


def _drawn_numbers(answers: Answers, name: str, goal: Goal) -> dict[str, str]:
    """Return the plots of what was said against what is true, and of how far off that is."""
    some = answers.among(evenly(len(answers), MOST_POINTS))
    true, said = ([float(label) for label in part] for part in (some.true, some.labels))
    about, same = f"{name}: said against true", not goal.given
    drawn = {"plot_numbers": plots.against(true, said, name, about, same=same)}
    if same:
        about = f"{name}: how far off, by what is said"
        drawn["plot_residuals"] = plots.residuals(true, said, name, about)
    return drawn


def _drawn_learning(facts: Facts, goal: Goal) -> dict[str, str]:
    """Return the plots of how it learnt: the losses, the layers, and what more rows would give."""
    drawn, unit = {}, goal.loss_in
    training = facts.losses.get("training", [])
    if training:
        losses = facts.losses
        about = "Loss by epoch"
        drawn["plot_losses"] = plots.curves(
            training, losses["validation"], losses["best_epoch"], about, unit
        )
    layers = facts.layers.get("losses", [])
    if layers:
        drawn["plot_layers"] = plots.by_layer(layers, "Loss of a probe on each layer", unit)
    points = facts.curve.get("points", [])
    if points:
        title = METRIC_NAMES.get(facts.curve["metric"], facts.curve["metric"])
        drawn["plot_curve"] = plots.growth(points, title, f"{title} by rows to learn from")
    return drawn


def _right(rows: Predictions, task: Task, goal: Goal) -> Iterator[Shown]:
    """Yield a few rows that are right, from all over the test rows."""
    pairs = zip(rows.true, rows.predicted, strict=True)
    numbers = [number for number, (true, said) in enumerate(pairs) if true == said]
    for number in numbers[:: max(1, len(numbers) // RIGHT)][:RIGHT]:
        yield _shown(rows, number, 0.0, task, goal)


def _shown(rows: Predictions, number: int, wrong: float, task: Task, goal: Goal) -> Shown:
    text = CONTROL.sub("\ufffd", rows.inputs[number])
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    picture = why_none = ""
    if isinstance(task, Pictured):
        picture, why_none = _picture(task.thumbnail, rows.inputs[number])
    return Shown(
        rows.ids[number],
        text,
        worded(goal.shown(rows.true[number])),
        worded(goal.shown(rows.predicted[number])),
        wrong,
        picture,
        why_none,
    )


def _picture(thumbnail: Callable[[str], bytes], input: str) -> tuple[str, str]:
    """Return a picture as an address that holds it whole, or why there is none."""
    try:
        return f"data:image/png;base64,{base64.b64encode(thumbnail(input)).decode()}", ""
    except OSError as error:
        return "", f"not shown: {error.strerror or 'damaged'}"


def _made(facts: Facts) -> list[tuple[str, str]]:
    """Return what was done, and why, each thing with its name."""
    rows = facts.rows
    upon = [
        f"{made['id']} at {made['revision']}, licence {made['licence']}"
        for made in facts.lineage[:-1]
    ]
    told = [
        ("Task", facts.task),
        ("Base", f"{facts.base} at {facts.base_revision}"),
        ("Upon", "; that upon ".join(upon)),
        ("Licence", facts.licence or "not known"),
        ("Recipe", f"{facts.recipe}: {facts.method}"),
        ("Why", facts.why),
        ("Options", _pairs(facts.options)),
        ("Chosen by measuring", _pairs(facts.choices)),
        (
            "Rows",
            f"{rows['train']} to train, {rows['validation']} to validate, {rows['test']} to test; "
            f"{facts.data['split']}",
        ),
        ("Inputs", str(facts.inputs.get("how", ""))),
        ("Seed", str(facts.seed)),
        ("Made on", facts.made_on or ""),
        ("Versions", _pairs(facts.versions)),
    ]
    return [(name, words) for name, words in told if words]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
