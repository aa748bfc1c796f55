"""What tests of `rank` share: two tiny bases, rows, and what was kept of a ranking."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import hubtl
from hubtl.ranked import Ranking
from hubtl.registry.fingerprint import files_in
from hubtl.registry.places import trunks

from .conftest import WORDS, sentences

TASK = "text-classification"
BERT, ENCODER, TWIN = "acme/tiny-bert", "acme/tiny-encoder", "acme/twin"


def rank(shelf, data, *named: str, **more) -> Ranking:
    return hubtl.rank(TASK, data, candidates=named, hub=shelf.name, **more)


def said(found: Ranking) -> list[hubtl.Ranked]:
    """What was said of candidates but for the time it took."""
    return [dataclasses.replace(each, seconds=0) for each in found.ranking]


def kept() -> dict[str, int]:
    """Each trunk that is kept whole, and when its features were made."""
    made = trunks()[0].glob("[0-9a-f]*/pooled.npy")
    return {path.parent.name: path.stat().st_mtime_ns for path in made}


def copy_of(shelf, folder: Path, name: str, spoil=None) -> None:
    """Put a copy of a tiny base on the shelf under another name, its weights spoilt."""
    shutil.copytree(folder, name.partition("/")[2])
    weights = Path(name.partition("/")[2], "model.safetensors")
    if spoil:
        spoil(weights)
    shelf.cache.add(name, files_in(weights.parent))


def many_moods(rows: int, path: Path = Path("many.csv")) -> Path:
    """A csv of so many rows to train on, and ten to test."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for label in WORDS:
            for number, text in enumerate(sentences(label, rows // 2 + 5)):
                part = "train" if number < rows // 2 else "test"
                writer.writerow([f"{text} {number}", label, part])
    return path
