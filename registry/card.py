"""The card: a README.md with the Hub's metadata, written from measured facts and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import history
from .comparing import WITH_UNIT, figure, held_out
from .errors import BadData
from .facts import Facts
from .usage import calibrated, cite, cost, intended, kept_of_base
from .weights import ADAPTER_CONFIG

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "f1": "Micro F1",
    "precision": "Precision",
    "recall": "Recall",
    "wer": "Word error rate",
    "cer": "Character error rate",
    "perplexity": "Perplexity",
    "loss": "Loss in nats a token",
    "mse": "Mean squared error",
    "r2": "Variance explained (R²)",
    "spearman": "Rank correlation (Spearman)",
    "pearson": "Correlation (Pearson)",
}
ENDS = ("value", "low", "high")
HUB_NAMES = {  # of `evaluate`
    "macro_f1": "f1",
    "r2": "r_squared",
    "spearman": "spearmanr",
    "pearson": "pearsonr",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a card, and what stands under it."""

    title: str
    text: str


def front_matter(facts: Facts, name: str) -> dict[str, Any]:
    """Return the Hub's metadata for a card."""
    results = [_result_told(metric, facts.metrics[metric]) for metric in _main_first(facts)]
    # The base first: that is the one which it is loaded with.
    parents = [facts.base, *(str(made["id"]) for made in facts.lineage[:1])]
    # What has weights of its own is no adapter: the Hub lists it among the base's fine-tunes.
    whole = ADAPTER_CONFIG not in facts.files
    relation = "finetune" if whole else "adapter"
    rows = held_out(facts.rows["test"], facts.data["test_fingerprint"])
    matter: dict[str, Any] = {
        "language": list(facts.languages),
        "license": facts.licence,
        "library_name": "transformers" if whole else "peft",
        "pipeline_tag": facts.task,
        "base_model": facts.base if len(parents) == 1 else parents,
        "base_model_relation": relation,
        "metrics": [HUB_NAMES.get(metric, metric) for metric in _main_first(facts)],
        "tags": [
            "hubtl",
            "transformers",
            *(f"base_model:{relation}:{parent}" for parent in parents),
            *([f"domain:{facts.domain}"] if facts.domain else []),
        ],
        "model-index": [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": facts.task},
                        "dataset": {"type": "private", "name": rows, "split": "test"},
                        "metrics": results,
                    }
                ],
            }
        ],
    }
    return {key: value for key, value in matter.items() if value not in (None, [])}


def _main_first(facts: Facts) -> list[str]:
    """Return the names of the metrics: who reads a card's metadata judges by the first."""
    return sorted(facts.metrics, key=lambda metric: metric != facts.main_metric)


def _result_told(metric: str, value: Mapping[str, float]) -> dict[str, Any]:
    told = {name: _rounded(metric, each) for name, each in value.items()}
    return {
        "type": metric,
        "value": told["value"],
        "name": METRIC_NAMES.get(metric, metric),
        "args": {"confidence_level": 0.95, "low": told["low"], "high": told["high"]},
    }


def _rounded(metric: str, value: float) -> float:
    """Return a rate with four decimals; what has a unit of its own has six digits."""
    return float(f"{value:.6g}") if metric in WITH_UNIT else round(value, 4)


def render(
    facts: Facts, snippet: str, *, name: str, description: str = "", more: Iterable[Section] = ()
) -> str:
    """Return a whole card: metadata, the result first, the loading snippet, how it was made."""
    matter = yaml.safe_dump(front_matter(facts, name), sort_keys=False, allow_unicode=True)
    sections = [
        Section("Use it", f"```python\n{snippet.strip()}\n```\n\n{_loads(facts)}"),
        Section("Result", _result(facts)),
        Section("What it is for, and where the evidence ends", intended(facts)),
        Section("How it was made", _made(facts)),
        Section("What is not known", _unknown(facts)),
        *([Section("Versions", history.table(facts))] if facts.history else []),
        *more,
        Section("Cite", cite(facts)),
    ]
    body = "\n\n".join(f"## {section.title}\n\n{section.text.strip()}" for section in sections)
    intro = f"{description.strip()}\n\n" if description.strip() else ""
    return f"---\n{matter}---\n\n# {name}\n\n{intro}{headline(facts)}\n\n{body}\n"


def headline(facts: Facts) -> str:
    """Return one sentence: the main metric, its interval, and the best baseline beside it."""
    metric = facts.main_metric
    value = facts.metrics[metric]
    best = facts.gain["over"]
    shown = {name: figure(metric, each) for name, each in value.items()}
    beside = figure(metric, facts.baselines[best][metric])
    verdict = "beats" if facts.beats_baseline else "**does not beat**"
    return (
        f"{METRIC_NAMES.get(metric, metric)} **{shown['value']}** "
        f"({shown['low']} to {shown['high']}) on {facts.rows['test']} {_kind(facts)}; "
        f"it {verdict} {facts.rivals.get(best, best)} at {beside}."
    )


def _kind(facts: Facts) -> str:
    """Return what the test rows are: held out of the same data, or of a file of their own."""
    kind = "rows of a file of their own" if facts.shift else "held-out rows"
    groups = facts.data.get("groups", 0)  # a folder of before does not tell
    return f"{kind} of {groups} group{'s' * (groups > 1)}" if groups else kind


def shift_line(facts: Facts) -> str:
    """Return one sentence that tells the rows of a test file apart, empty without such a file."""
    if not facts.shift:
        return ""
    how = f", on {facts.shift['how']}" if facts.shift["rows"] else ""
    return f"Tested on rows of a file of their own: {facts.shift['says']}{how}."


def first_python_block(card: str) -> str:
    """Return the code of a card's first Python block; raises BadData where it has none."""
    found = re.search(r"^```python\n(.*?)^```", card, re.MULTILINE | re.DOTALL)
    if not found:
        raise BadData("the card has no Python block to load the model by", "adapt again")
    return found.group(1)


def read_front_matter(path: Path) -> dict[str, Any]:
    """Return a card's metadata, empty where it has none that can be read."""
    if not path.is_file():
        return {}
    found = re.match(r"---\r?\n(.*?)^---", path.read_text("utf-8", "replace"), re.M | re.S)
    try:
        read = yaml.safe_load(found.group(1)) if found else {}
    except (yaml.YAMLError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _result(facts: Facts) -> str:
    names = list(facts.metrics)
    titles = [METRIC_NAMES.get(name, name) for name in names]
    lines = [
        "| | " + " | ".join(titles) + " |",
        "|---|" + "---|" * len(names),
        "| **this model** | " + " | ".join(_interval(n, facts.metrics[n]) for n in names) + " |",
    ]
    for baseline, values in facts.baselines.items():
        cells = " | ".join(figure(name, values[name]) for name in names)
        lines.append(f"| {facts.rivals.get(baseline, baseline)} | {cells} |")
    more = {name: figure(facts.main_metric, facts.gain[name], "+") for name in ENDS}
    better = ", more being better" if facts.main_metric in WITH_UNIT else ""
    lines += [
        "",
        f"Over the best baseline on the same rows: {more['value']} {facts.main_metric} "
        f"({more['low']} to {more['high']}){better}. Intervals are 95 % bootstrap intervals over "
        f"the {facts.rows['test']} test rows, which were used once, for these numbers.",
    ]
    lines += [f"\n{line}" for line in kept_of_base(facts.retention)]
    told = [
        shift_line(facts),
        calibrated(facts.calibration),
        seeds_line(facts) if facts.seeds else "",
        str(facts.curve["says"]) if facts.curve.get("points") else "",
    ]
    return "\n".join([*lines, *(f"\n{line}" for line in told if line)])


def seeds_line(facts: Facts) -> str:
    """Return one sentence on what several seeds reached."""
    assert facts.seeds, "there were several seeds"
    mean, deviation = facts.seeds["mean"], facts.seeds["deviation"]
    told = ", ".join(
        f"{METRIC_NAMES.get(name, name)} {figure(name, mean[name])} ± "
        f"{figure(name, deviation[name])}"
        for name in mean
    )
    return (
        f"{len(facts.seeds['runs'])} seeds: {told} (mean ± standard deviation). This is seed "
        f"{facts.seeds['kept']}: {facts.seeds['how']}."
    )


def _interval(metric: str, value: Mapping[str, float]) -> str:
    shown = {name: figure(metric, each) for name, each in value.items()}
    return f"**{shown['value']}** ({shown['low']}–{shown['high']})"


def _made(facts: Facts) -> str:
    options = ", ".join(f"{name} {value}" for name, value in facts.options.items())
    rows = facts.rows
    base_licence = facts.lineage[-1]["licence"] if facts.lineage else facts.licence
    lines = [
        f"- Base: [{facts.base}](https://huggingface.co/{facts.base}) at `{facts.base_revision}`, "
        f"licence {base_licence}{_copied(facts)}",
        *_upon(facts),
        f"- Recipe: `{facts.recipe}` ({facts.method}; {options}), seed {facts.seed}. {facts.why}",
        f"- Rows: {rows['train']} to train, {rows['validation']} to validate, {rows['test']} to "
        f"test; {facts.data['split']}. Fingerprint `{facts.data['fingerprint'][:16]}`",
        *_labels(facts),
        f"- Inputs: {facts.inputs['how']}",
        f"- Took {facts.seconds:.0f} s and {facts.peak_memory_bytes / 2**30:.1f} GiB on "
        f"{facts.machine['cpu']} ({facts.machine['cores']} cores)",
        *(f"- {line}" for line in cost(facts)),
        "- Versions: " + ", ".join(f"{name} {v}" for name, v in facts.versions.items()),
    ]
    if facts.data.get("licence"):
        lines.append(f"- Licence of the data, as declared: {facts.data['licence']}")
    return "\n".join(lines)


def _copied(facts: Facts) -> str:
    told = facts.base_copied_from
    return f"; the same files as `{told['id']}` at `{told['revision']}`" if told else ""


def _labels(facts: Facts) -> list[str]:
    """Return the line on the labels, if there is anything to choose from."""
    named = ", ".join(f"`{label}`" for label in facts.labels)
    if learnt := facts.data.get("numbers"):
        mean, deviation = (f"{learnt[name]:.4g}" for name in ("mean", "deviation"))
        return [f"- Label: the number {named}, {mean} ± {deviation} in the rows to learn from"]
    return [f"- Labels: {named}"] if named else []


def _upon(facts: Facts) -> list[str]:
    """Return the line on the adapters that this one was made upon, if it was upon any."""
    if not facts.lineage:
        return []
    adapters = [
        f"upon `{made['id']}` at `{made['revision']}`, licence {made['licence']}"
        for made in facts.lineage[:-1]
    ]
    how = "is a part of this adapter"
    if ADAPTER_CONFIG not in facts.files:
        how = "is in the weights, which are saved as a whole model"
    return [f"- Made {'; that '.join(adapters)}. What was learnt there {how}"]


def _unknown(facts: Facts) -> str:
    lines = []
    if facts.retention["score"] is None:
        lines.append(f"- {kept_of_base(facts.retention)[0]}")
    if facts.energy["kwh"] is None:
        lines.append(f"- Energy: {facts.energy['how']}")
    elif facts.energy["kg_co2"] is None:
        lines.append(f"- {facts.energy['how'].rpartition('; ')[2]}")
    if facts.full_estimate and facts.full_estimate["seconds"] is None:
        lines.append(f"- What training all weights would take: {facts.full_estimate['how']}")
    return "\n".join(lines) or "- Nothing that hubtl looks for."


def _loads(facts: Facts) -> str:
    if not facts.loads:
        return "This block is the proof: the figures below come from it."
    ways = "\n".join(f"- {way}: {result}" for way, result in facts.loads.items())
    return (
        f"This block is the proof: the figures below come from it. Other ways, as tried:\n\n{ways}"
    )
