"""What an adapted model is for, where its evidence ends, and how to cite it: from facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .catalog import catalogue
from .comparing import LOWER, figure
from .facts import Facts

ALLOWED = {True: "allows", False: "does not allow", None: "is not known to allow"}


def intended(facts: Facts) -> str:
    """Return what it was made and measured for, and what nobody knows of it."""
    metric = facts.metrics[facts.main_metric]
    one = "one of" if facts.main_metric == "accuracy" else "of"  # else a row may have several
    among = f", {one} {len(facts.labels)} labels" if facts.labels else ""
    if "numbers" in facts.data:
        among = f", a number, `{facts.labels[0]}`"
        if "least" in facts.data["numbers"]:  # what is said is in another unit
            among = f", whose order is that of a number, `{facts.labels[0]}`"
    wide = figure(facts.main_metric, metric["high"] - metric["low"])
    spoken = f" in {', '.join(facts.languages)}" if facts.languages else ""
    domain = f", in the domain `{facts.domain}`" if facts.domain else ""
    lines = [
        f"- For `{facts.task}`{among}{spoken}{domain}, of inputs like those it learnt from.",
        f"- All evidence is {facts.rows['test']} rows of one data set ({facts.data['split']}): how "
        "it does on other data was not measured.",
        f"- With so many rows the interval is {wide} wide: what "
        "differs by less can't be told apart.",
        *_grouped(facts.data.get("groups", 0)),
    ]
    if not facts.beats_baseline:
        rival = facts.rivals.get(facts.gain["over"], facts.gain["over"])
        lines.append(f"- It is not shown to be better than {rival}, which costs less.")
    return "\n".join([*lines, *_licence(facts)])


def _grouped(groups: int) -> list[str]:
    """Return what it means that the test rows are of so many groups, such as speakers."""
    if not groups:
        return []
    if groups == 1:
        return ["- All test rows are of one group, as a speaker: nothing is known of any other."]
    return [
        f"- The test rows are of {groups} groups, as speakers, and rows of one are alike: the "
        "intervals count groups as well as rows."
    ]


def _licence(facts: Facts) -> list[str]:
    known = catalogue().licences.get(facts.licence or "")
    if known is None:
        return []
    notes = f" {known.notes}" if known.notes else ""
    return [
        f"- [{known.name}]({known.url}) {ALLOWED[known.commercial]} commercial use, and "
        f"{ALLOWED[known.derivatives]} derived models.{notes}"
    ]


def calibrated(calibration: Mapping[str, object]) -> str:
    """Return one sentence on how far its probabilities are to be believed, empty where unknown."""
    if not calibration:
        return ""
    if calibration["ece"] is None:
        return f"Calibration: {calibration['how']}."
    told = (
        f"Calibration: expected error {calibration['ece']:.3f} over {calibration['bins']} bins "
        f"(it is {calibration['confidence']:.0%} sure on average, and "
        f"{calibration['accuracy']:.0%} right), {calibration['how']}."
    )
    if calibration.get("temperature") is None:
        return told
    return (
        f"{told} Without that the error was {calibration['ece_before']:.3f}, and the log loss "
        f"{calibration['log_loss_before']:.3f} where it is {calibration['log_loss']:.3f}."
    )


def gained(facts: Facts) -> str:
    """Return one sentence on how much better it is than the best baseline."""
    best = facts.gain["over"]
    more = {
        name: figure(facts.main_metric, facts.gain[name], "+") for name in ("value", "low", "high")
    }
    return (
        f"Gain {more['value']} {facts.main_metric} ({more['low']} to {more['high']}) over "
        f"{facts.rivals.get(best, best)}."
    )


def beside_best(
    metric: str,
    metrics: Mapping[str, Mapping[str, float]],
    baselines: Mapping[str, Mapping[str, float]],
    rivals: Mapping[str, str],
) -> str:
    """Return how what does not beat the best baseline stands to it; `rivals` are their words."""
    sign = -1 if metric in LOWER else 1
    best = max(baselines, key=lambda name: sign * baselines[name][metric])
    ahead = sign * (baselines[best][metric] - metrics[metric]["value"])
    if ahead < 0:
        return "its advantage may be chance"
    known = rivals.get(best, best)
    return f"{known} is better on these rows" if ahead else f"{known} does as well on these rows"


def kept_of_base(retention: Mapping[str, Any]) -> list[str]:
    """Return a sentence on how much of what the base could do it still can, for each set of inputs.

    It stands wherever the gain does.
    """
    own = retention.get("retain")
    return [_kept(each) for each in (retention, *([own] if own else []))]


def _kept(retention: Mapping[str, Any]) -> str:
    if retention["score"] is None:
        return f"Retention is not known: {retention['how']}."
    beside = ""
    if retention["loss_before"] is not None:
        losses = (f"{retention[name]:.3f}" for name in ("loss_before", "loss_after"))
        beside = ", loss {} before and {} after".format(*losses)
    elif retention["rows"]:
        cka = retention["cka"]
        beside = ", linear CKA " + ("not known" if cka is None else f"{cka:.3f}")
    return f"Retention {retention['score']:.3f}{beside}: {retention['how']}."


def cost(facts: Facts) -> list[str]:
    """Return the sentences on the energy it took, and on what a full fine-tune would take."""
    energy, full = facts.energy, facts.full_estimate
    told = []
    if energy["kwh"] is not None:
        kg = f", {energy['kg_co2']:.2g} kg of CO2" if energy["kg_co2"] is not None else ""
        told.append(f"Energy {energy['kwh']:.2g} kWh{kg}: {energy['how']}.")
    if full and full["seconds"] is not None:
        kwh = f" and {full['kwh']:.2g} kWh" if full["kwh"] is not None else ""
        told.append(
            f"To train all weights would take about {full['seconds']:.1f} s{kwh}: {full['how']}."
        )
    return told


def cite(facts: Facts) -> str:
    """Return a BibTeX entry for the version that the card is of."""
    model = facts.address or ""
    key = "".join(c if c.isalnum() else "-" for c in model)
    year = f"  year = {{{facts.made_on[:4]}}},\n" if facts.made_on else ""
    return (
        f"```bibtex\n@misc{{{key},\n  title = {{{model}: {facts.recipe} on {facts.base}, for "
        f"{facts.task}}},\n  author = {{{model.partition('/')[0]}}},\n{year}"
        f"  note = {{base at {facts.base_revision}, data {facts.data['fingerprint'][:16]}}},\n}}\n"
        "```"
    )
