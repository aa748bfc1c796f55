"""What `search --fits` reckons a recipe takes, beside what `adapt --dry-run` measures.

    python -m benchmarks.fits [--recipes probe lora full] [--models text image sound] [--room DIR]

For each starter model and recipe: `hubtl adapt --dry-run` in a process of its own, with rows that
are as large as what is reckoned for (texts of 128 tokens, pictures as they are, clips of 10
seconds) and, where a recipe trains in batches, with `--set rows=1`. Features are made of 32 inputs
at once whatever is asked, and their memory is among what both tell. It takes minutes a recipe.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from hubtl.registry.catalog import catalogue
from hubtl.registry.memory import needed

HERE = Path(__file__).resolve().parent.parent / "examples"
TEXTS = HERE / "debian-sections.csv"
PICTURES = HERE / "noto-emoji"
CLIPS = HERE / "letters-and-numbers"
CLASSES, EACH = 3, 40
WORDS = 90  # of such texts, which are about 128 tokens
RATE, SECONDS = 16_000, 10
STARTERS: Mapping[str, tuple[str, str]] = {
    "text": ("sentence-transformers/all-MiniLM-L6-v2", "text-classification"),
    "image": ("starter/efficientnet-lite0", "image-classification"),
    "sound": ("starter/whisper-tiny.en", "audio-classification"),
}
HEAD = "| model | recipe | reckoned MB | measured MB | reckoned / measured |\n|---|---|--:|--:|--:|"


def texts(room: Path) -> Path:
    """Return a table of texts of about 128 tokens, put together of shorter ones."""
    by_label: dict[str, list[str]] = defaultdict(list)
    with TEXTS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_label[row["label"]] += row["text"].split()
    chosen = sorted(by_label)[:CLASSES]
    rows = [
        {"text": " ".join(itertools.islice(words, WORDS)), "label": label}
        for label in chosen
        for words in [itertools.cycle(by_label[label])]
        for _ in range(EACH)
    ]
    return _written(room / "texts.csv", rows)


def clips(room: Path) -> Path:
    """Return a table of clips of ten seconds, put together of shorter ones."""
    by_label: dict[str, list[Path]] = defaultdict(list)
    with (CLIPS / "metadata.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_label[row["label"]].append(CLIPS / row["file_name"])
    rows = []
    for label in sorted(by_label)[:CLASSES]:
        sounds = itertools.cycle(by_label[label])
        for number in range(EACH):
            path = room / f"{label}-{number}.wav"
            soundfile.write(path, _long(sounds), RATE)
            rows.append({"file": str(path), "label": label})
    return _written(room / "clips.csv", rows)


def _long(paths: Iterator[Path]) -> Any:
    parts: list[Any] = []
    while sum(map(len, parts)) < RATE * SECONDS:
        sound, rate = soundfile.read(next(paths), dtype="float32")
        steps = np.arange(0, len(sound), rate / RATE)
        parts.append(np.interp(steps, np.arange(len(sound)), sound).astype("float32"))
    return np.concatenate(parts)[: RATE * SECONDS]


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def measured(model: str, task: str, data: Path, recipe: str, room: Path) -> int:
    """Return the bytes that a dry run tells."""
    command = [sys.executable, "-m", "hubtl", "adapt", task, str(data), "--base", model]
    command += ["--recipe", recipe, "--domain", "general", "--out", str(room / "out")]
    command += ["--dry-run", "--json", *([] if recipe == "probe" else ["--set", "rows=1"])]
    environment = {**os.environ, "HUBTL_HOME": str(room / "home")}
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    return int(json.loads(done.stdout)["estimate"]["memory_bytes"])


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipes", nargs="+", default=["probe", "lora", "full"])
    parser.add_argument("--models", nargs="+", default=list(STARTERS))
    parser.add_argument("--room", type=Path)
    options = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory(dir=options.room) as folder:
        room = Path(folder)
        for kind in options.models:
            made = {"text": texts, "image": lambda room: PICTURES, "sound": clips}
            data = made[kind](room)
            model, task = STARTERS[kind]
            entry = catalogue().entry(model)
            assert entry
            for recipe in options.recipes:
                told, took = needed(entry, recipe), measured(model, task, data, recipe, room)
                assert told
                figures = f"{told / 1e6:,.0f} | {took / 1e6:,.0f} | {told / took:.2f}"
                print(f"| {model} | {recipe} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
