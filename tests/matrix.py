"""Every recipe of every modality, published to a server and to a shared drive, used without hubtl.

python -m tests.matrix [TASK ...]

Real weights, a little real data, a real `hubtl serve`. Each card's first Python block is taken from
the hub and run in an environment without hubtl; it must give for every test row the label that was
measured.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hubtl
from hubtl.predictions import read_predictions

from .conftest import ROOT, SECTIONS
from .plain import plain_python, said_by_cards

STARTERS = {
    "text-classification": "sentence-transformers/all-MiniLM-L6-v2",
    "image-classification": "starter/efficientnet-lite0",
    "audio-classification": "starter/whisper-tiny.en",
    "automatic-speech-recognition": "starter/whisper-tiny.en",
}
RECIPES = ("probe", "fewshot", "top", "lora", "norm", "full")  # the first two need classes
KEPT = ("a", "b", "c", "seven")  # of the letters and numbers
TRAIN, TEST = 8, 8  # rows of each label


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
        for task in sys.argv[1:] or STARTERS:
            data = data_of(task, room / task)
            for recipe in RECIPES[2 * task.startswith("automatic") :]:
                failed += not whole(task, recipe, data, room, hubs, python)
    sys.exit(failed)


def whole(task: str, recipe: str, data: Path, room: Path, hubs: list[Hub], python: Path) -> bool:
    """Return whether what a recipe makes of a task says the same from each hub."""
    out = room / "adapted" / task / recipe
    quick = {} if recipe == "probe" else {"epochs": "1"}
    made = hubtl.adapt(
        task,
        data,
        base=STARTERS[task],
        recipe=recipe,
        options=quick,
        hub="starter",
        domain="general",
        out=out,
    )
    rows, held = read_predictions(out), True
    for hub in hubs:
        name = f"acme/{task}-{recipe}"
        with environment(hub.environment):
            done = hubtl.publish(out, name, hub=hub.name, with_base=hub.name.startswith("folder:"))
            card = (hubtl.pull(name, hub=hub.name, to=room / "card") / "README.md").read_text()
        shutil.rmtree(room / "card")
        plain = {**os.environ, **hub.environment, "HF_HOME": str(room / f"plain-{hub.name[:4]}")}
        (said,) = said_by_cards(python, [card], [rows.inputs], plain)
        same = sum(a == b for a, b in zip(said, rows.predicted, strict=True))
        metric = made.facts.main_metric
        print(
            f"{task:29} {recipe:6} {hub.name[:6]:7} {same} of {len(said)} the same, {metric} "
            f"{done.metric['measured']:.4f} and {done.metric['reproduced']:.4f}",
            flush=True,
        )
        held &= same == len(said) and done.metric["measured"] == done.metric["reproduced"]
    return held


def data_of(task: str, room: Path) -> Path:
    """Return a little of the data that ships with hubtl."""
    room.mkdir()
    if task == "text-classification":
        return some_rows(SECTIONS, room / "some.csv", ("net", "games", "math"))
    if task == "image-classification":
        for path in sorted((ROOT / "examples/noto-emoji").glob("*/*/*.webp")):
            part, label, name = path.parts[-3:]
            folder = room / "pictures" / part / label
            folder.mkdir(parents=True, exist_ok=True)
            if label in ("animals", "food", "flags") and len(list(folder.iterdir())) < TEST:
                shutil.copyfile(path, folder / name)
        for folder in (room / "pictures").glob("*/*"):
            if not any(folder.iterdir()):
                folder.rmdir()
        return room / "pictures"
    source = ROOT / "examples/letters-and-numbers"
    some = some_rows(source / "metadata.csv", room / "some.csv", KEPT)
    shutil.copytree(source / "clips", room / "clips")
    if task == "automatic-speech-recognition":
        text = some.read_text().replace("label", "text", 1)
        some.write_text(text)
    return some


def some_rows(source: Path, path: Path, labels: tuple[str, ...]) -> Path:
    """Write the first rows of some labels of a csv to another, and return it."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in labels]
    kept, counts = [], dict[tuple[str, str], int]()
    for row in rows:
        key = row["label"], row["split"]
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= (TRAIN if row["split"] == "train" else TEST):
            kept.append(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path


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
