"""What recipes make of every task, published to a server and to a shared drive, without hubtl.

python -m tests.matrix [NAME ...]

Real weights, a little real data, a real `hubtl serve`. Each card's first Python block is taken from
the hub and run in an environment without hubtl; it must give for every test row the label that was
measured, or a number as near to it as the proof asks for, and by these the metric.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hubtl
from hubtl.evaluation import goal_of
from hubtl.predictions import Predictions, read_predictions
from hubtl.reproduction import METRIC_TOLERANCE, SAME_MACHINE
from hubtl.transfer.agreement import compare
from hubtl.transfer.goal import Goal
from hubtl.transfer.measure import values

from . import matrix_data
from .plain import asked_of_cards, plain_python

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
EFFICIENTNET, WHISPER = "starter/efficientnet-lite0", "starter/whisper-tiny.en"
SMOLLM = "starter/smollm2-135m-instruct"
# Of newer kinds of labels two recipes hold what all do: one that fits a head, one that trains.
ALL, TWO = ("probe", "fewshot", "top", "lora", "norm", "full"), ("probe", "lora")


@dataclass(frozen=True)
class Asked:
    """What is adapted: a task and its options, a base, the recipes, and what makes the data."""

    task: str
    base: str
    recipes: tuple[str, ...]
    data: Callable[[Path], Path]
    options: Mapping[str, str] = field(default_factory=dict)


TEXTS, PAIRS = "text-classification", "sentence-similarity"
SPEECH = "automatic-speech-recognition"
ASKED = {
    TEXTS: Asked(TEXTS, MINILM, ALL, matrix_data.classes),
    "several-labels": Asked(TEXTS, MINILM, TWO, matrix_data.several, {"several": "true"}),
    "numbers": Asked(TEXTS, MINILM, TWO, matrix_data.numbers, {"numbers": "true"}),
    "token-classification": Asked("token-classification", MINILM, TWO, matrix_data.spans),
    # Those that fit a head need classes, and so have nothing to fit here.
    "scored-pairs": Asked(PAIRS, MINILM, ("lora",), matrix_data.scored_pairs),
    "pairs-alone": Asked(PAIRS, MINILM, ("lora",), matrix_data.pairs_alone),
    # It writes anew for each proof, a token at a time: a few show as well that it is the same.
    "text-generation": Asked(
        "text-generation", SMOLLM, ("lora",), matrix_data.completions, {"max_new_tokens": "8"}
    ),
    "image-classification": Asked("image-classification", EFFICIENTNET, ALL, matrix_data.pictures),
    "audio-classification": Asked("audio-classification", WHISPER, ALL, matrix_data.clips),
    SPEECH: Asked(SPEECH, WHISPER, ALL[2:], matrix_data.transcripts),
}


@dataclass(frozen=True)
class Hub:
    """A hub to publish to, and how the stock libraries are told of it."""

    name: str
    environment: dict[str, str]


def main() -> None:
    """Adapt, publish, take back, compare; a line for each, and an exit code that tells of any."""
    failed = 0
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as hubs:
        room = Path(place)
        python = plain_python(room / "plain")
        for name in sys.argv[1:] or ASKED:
            (room / name).mkdir()
            data = ASKED[name].data(room / name)
            for recipe in ASKED[name].recipes:
                failed += not whole(name, recipe, data, room, hubs, python)
    sys.exit(failed)


def whole(name: str, recipe: str, data: Path, room: Path, hubs: list[Hub], python: Path) -> bool:
    """Return whether what a recipe makes of a task says the same from each hub."""
    asked, out = ASKED[name], room / "adapted" / name / recipe
    quick = {} if recipe == "probe" else {"epochs": "1"}
    made = hubtl.adapt(
        asked.task,
        data,
        base=asked.base,
        recipe=recipe,
        options={**quick, **asked.options},
        hub="starter",
        domain="general",
        out=out,
    )
    rows, goal, metric = read_predictions(out), goal_of(made.facts), made.facts.main_metric
    held, measured = True, values(rows.true, rows.predicted, goal.metrics)[metric]
    for hub in hubs:
        model = f"acme/{name}-{recipe}"
        with environment(hub.environment):
            done = hubtl.publish(out, model, hub=hub.name, with_base=hub.name.startswith("folder:"))
            card = (hubtl.pull(model, hub=hub.name, to=room / "card") / "README.md").read_text()
        shutil.rmtree(room / "card")
        plain = {**os.environ, **hub.environment, "HF_HOME": str(room / f"plain-{hub.name[:4]}")}
        labels, logits = said_by(python, card, rows, goal, plain)
        same, widest = alike(rows, labels, logits, goal)
        said = values(rows.true, labels, goal.metrics)[metric]
        proven = done.metric["reproduced"]
        print(
            f"{name:29} {recipe:6} {hub.name[:6]:7} {same} of {len(labels)} the same, {metric} "
            f"{measured:.4f}, {proven:.4f} and {said:.4f}",
            flush=True,
        )
        held &= same == len(labels)
        for found, gap in ((proven, done.agreement["widest"]), (said, widest)):
            off = METRIC_TOLERANCE + goal.slack(measured, gap, rows.predicted)
            held &= abs(found - measured) <= off
    return held


def said_by(
    python: Path, card: str, rows: Predictions, goal: Goal, plain: Mapping[str, str]
) -> tuple[list[str], list[list[float]]]:
    """Return the labels that a card's code says, as measured ones are, and their numbers, if any.

    Code that writes is asked to for the rows that were written on, and what each row's own label
    costs it for all, as the proof does.
    """
    if "def nats(" not in card:
        (found,) = asked_of_cards(python, [card], [[("predict", [rows.inputs])]], plain)
        labels = [goal.said(each) for each in found[0]]
        return labels, [[float(each)] if goal.ordered else [] for each in labels]
    written = [number for number, label in enumerate(rows.predicted) if goal.shown(label)]
    calls: list[tuple[str, list[Any]]] = [
        ("predict", [[rows.inputs[number] for number in written]]),
        ("nats", [rows.inputs, rows.true]),
    ]
    ((texts, costs),) = asked_of_cards(python, [card], [calls], plain)
    said = dict(zip(written, texts, strict=True))
    labels = [goal.said([said.get(n, ""), *cost]) for n, cost in enumerate(costs)]
    return labels, [[-nats / tokens, float(tokens)] for nats, tokens in costs]


def alike(
    rows: Predictions, labels: list[str], logits: list[list[float]], goal: Goal
) -> tuple[int, float]:
    """Return how many rows are told as they were measured, and how far off numbers are at most."""
    if any(logits):
        told = compare(rows.predicted, rows.logits, labels, logits, goal, SAME_MACHINE)
        return told.rows - max(told.other_labels, told.far_logits), told.widest
    # `predict` says no logits, by which near ties would be told: labels have to be the same.
    pairs = zip(rows.predicted, labels, strict=True)
    return sum(goal.shown(a) == goal.shown(b) for a, b in pairs), 0.0


@contextlib.contextmanager
def serving(room: Path) -> Iterator[list[Hub]]:
    """Give a `hubtl serve --demo` of its own, and a shared drive."""
    command = [sys.executable, "-m", "hubtl", "serve", "--demo", "--port", "0", "--json"]
    store = ["--store", str(room / "store")]
    with subprocess.Popen([*command, *store], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            told = ""
            for line in lines:
                told += line
                with contextlib.suppress(ValueError):
                    told = json.loads(told)
                    break
            token = Path(told["demo_token"]).read_text().strip()
            drive = room / "drive"
            offline = {"HF_HUB_CACHE": str(drive), "HF_HUB_OFFLINE": "1"}
            server = {"HF_ENDPOINT": told["address"], "HF_TOKEN": token}
            yield [Hub(told["address"], server), Hub(f"folder:{drive}", offline)]
        finally:
            process.terminate()


@contextlib.contextmanager
def environment(wanted: dict[str, str]) -> Iterator[None]:
    """Let hubtl know a hub's token; it needs no more than that."""
    token = wanted.get("HF_TOKEN", "")
    os.environ["HF_TOKEN"] = token
    try:
        yield
    finally:
        del os.environ["HF_TOKEN"]


if __name__ == "__main__":
    main()
