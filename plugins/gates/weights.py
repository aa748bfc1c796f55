"""Refuse a folder whose files contradict each other: weights, labels, and the pin of the base."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...registry.entry import Entry
from ...registry.errors import NotReproduced
from ...registry.facts import FILE, Facts, read_facts
from ...registry.weights import ADAPTER_CONFIG
from ..hookspecs import hookimpl
from ..manager import plugins
from ..tagging import Tagging

WEIGHTS = "adapter_model.safetensors"


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise NotReproduced where loading would silently leave something out, or mix it up."""
    facts = read_facts(folder)
    _check_labels(folder, facts)
    config = _read(folder / ADAPTER_CONFIG)
    if not config:
        return
    _check_pin(config, facts)
    if (folder / WEIGHTS).is_file():
        _check_parts(config, folder / WEIGHTS)


def _read(path: Path) -> Mapping[str, Any]:
    read = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return read if isinstance(read, dict) else {}


def _check_labels(folder: Path, facts: Facts) -> None:
    """Raise NotReproduced where config.json and the facts give numbers to other labels."""
    names: Mapping[str, str] = _read(folder / "config.json").get("id2label") or {}
    task = plugins().tasks.get(facts.task)
    labels = list(task.outputs(facts.labels) if isinstance(task, Tagging) else facts.labels)
    named = [names.get(str(number)) for number in range(len(labels))]
    if names and labels and (named != labels or len(names) != len(named)):
        raise NotReproduced(
            f"`config.json` and {FILE} don't name the same labels in the same order, so that one "
            "would be taken for another",
            "adapt again: one of the two was changed",
        )


def _check_pin(config: Mapping[str, Any], facts: Facts) -> None:
    """Raise NotReproduced where PEFT would load another base than the one that is told."""
    pinned = config.get("base_model_name_or_path"), config.get("revision")
    if pinned != (facts.base, facts.base_revision):
        raise NotReproduced(
            f"{ADAPTER_CONFIG} is for `{pinned[0]}` at {str(pinned[1])[:7]}, and {FILE} for "
            f"`{facts.base}` at {facts.base_revision[:7]}",
            "adapt again: one of the two was changed",
        )


def _check_parts(config: Mapping[str, Any], path: Path) -> None:
    """Raise NotReproduced for a part that the configuration names and the weights don't have.

    PEFT says nothing of it: a head that is missing is random, an adapter that is missing is none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            names = set(file.keys())
            idle = {name for name in names if ".lora_A." in name and file.get_tensor(name).any()}
            idle = {n for n in idle if not file.get_tensor(n.replace("lora_A", "lora_B")).any()}
    except SafetensorError as error:
        raise NotReproduced(f"`{path.name}` can't be read: {error}", "adapt again") from error
    for module in config.get("modules_to_save") or ():
        _check_there(f"`{module}`, which learnt anew,", names, f".{module}.")
    if config.get("peft_type") == "LORA":
        _check_there("the adapter itself", names, ".lora_B.")
    if idle:
        raise NotReproduced(
            f"`{path.name}` has numbers in `{min(idle)}` of which nothing is made: its lora_B is "
            "zero",
            "adapt again: it was changed",
        )


def _check_there(what: str, names: Iterable[str], part: str) -> None:
    if not any(part in name for name in names):
        raise NotReproduced(
            f"`{WEIGHTS}` lacks {what} so that loading it would go on without",
            "adapt again: it was changed",
        )
