"""A little real data for each line of the matrix, made of what ships with hubtl.

Labels are what is truly so of a package's description: its section, words in it, how long it is,
where its own name and versions stand in it, and which sentences are of one package.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .conftest import ROOT, SECTIONS

KEPT = ("a", "b", "c", "seven")  # of the letters and numbers
SOME_SECTIONS = ("net", "games", "math")
TRAIN, TEST = 8, 8  # rows of each label
LONG = 200  # letters of a text to find spans in, and of a prompt
LEAST = 40  # letters of the rest of a description: less says little that belongs to its synopsis
VERSION = re.compile(r"(?<![\w.-])\d+(?:\.\d+)+(?!\.?\w|-)")
Row = Mapping[str, Any]


def classes(room: Path) -> Path:
    """Return descriptions and their sections."""
    return written(balanced(sections()), room / "sections.csv")


def several(room: Path) -> Path:
    """Return descriptions and their sections, with `library` beside where they speak of one."""
    rows = (
        {**row, "label": row["label"] + "|library" * ("librar" in row["text"].casefold())}
        for row in sections()
    )
    return written(balanced(rows), room / "several.csv")


def numbers(room: Path) -> Path:
    """Return synopses, and how long the rest of each description is: its letters' logarithm."""
    rows = (
        {**row, "text": synopsis, "target": round(math.log10(len(rest)), 4)}
        for row, synopsis, rest in synopses()
    )
    return written(balanced(rows, 4, 2), room / "numbers.csv", "text", "target", "split")


def spans(room: Path) -> Path:
    """Return the beginnings of descriptions, and where they name their package or a version."""
    found = []
    for row in every_row():
        name = re.compile(rf"(?<![\w-]){re.escape(row['package'])}(?![\w-])", re.IGNORECASE)
        names, versions = (
            [[*each.span(), kind] for each in rule.finditer(row["text"]) if each.end() <= LONG]
            for rule, kind in ((name, "PACKAGE"), (VERSION, "VERSION"))
        )
        # A version in a package's name is no span of its own, since spans may not overlap.
        apart = [v for v in versions if all(v[1] <= n[0] or n[1] <= v[0] for n in names)]
        if names or apart:
            label, both = "VERSION" if apart else "PACKAGE", sorted([*names, *apart])
            found.append({**row, "text": row["text"][:LONG], "spans": both, "label": label})
    path = room / "spans.jsonl"
    kept = balanced(found, 3 * TRAIN, TEST)
    told = ({key: row[key] for key in ("text", "spans", "split")} for row in kept)
    path.write_text("".join(json.dumps(row) + "\n" for row in told), "utf-8")
    return path


def scored_pairs(room: Path) -> Path:
    """Return pairs of synopses, and whether their sections are the same."""
    pairs = []
    for part in ("train", "test"):
        rows = [
            (synopsis, row["label"])
            for row, synopsis, _ in synopses()
            if row["split"] == part and row["label"] in SOME_SECTIONS
        ]
        # Each synopsis is in one pair: a text in several would make these alike.
        for (first, its), (second, theirs) in zip(rows[::2], rows[1::2], strict=False):
            same = int(its == theirs)
            pairs.append({"sentence1": first, "sentence2": second, "label": same, "split": part})
    return written(balanced(pairs, 3 * TRAIN, 2 * TEST), room / "scored.csv")


def pairs_alone(room: Path) -> Path:
    """Return synopses and the rest of their descriptions, which belong together."""
    rows = (
        {**row, "anchor": synopsis, "positive": rest[:LONG]} for row, synopsis, rest in synopses()
    )
    return written(balanced(rows, 4, 3), room / "alone.csv", "anchor", "positive", "split")


def completions(room: Path) -> Path:
    """Return descriptions as prompts, and their synopses as what comes after."""
    rows = (
        {**row, "prompt": f"{rest[:LONG].strip()}\n\nIn one line:", "completion": synopsis}
        for row, synopsis, rest in synopses()
    )
    return written(balanced(rows, 2, 1), room / "lines.csv", "prompt", "completion", "split")


def pictures(room: Path) -> Path:
    """Return emojis of three kinds."""
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


def clips(room: Path) -> Path:
    """Return spoken letters and numbers."""
    source = ROOT / "examples/letters-and-numbers"
    shutil.copytree(source / "clips", room / "clips")
    rows = (row for row in table(source / "metadata.csv") if row["label"] in KEPT)
    return written(balanced(rows), room / "some.csv")


def transcripts(room: Path) -> Path:
    """Return spoken letters and numbers, with what is said as a text."""
    some = clips(room)
    some.write_text(some.read_text().replace("label", "text", 1))
    return some


def table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def every_row() -> Iterator[dict[str, str]]:
    return table(SECTIONS)


def sections() -> Iterator[dict[str, str]]:
    return (row for row in every_row() if row["label"] in SOME_SECTIONS)


def synopses() -> Iterator[tuple[dict[str, str], str, str]]:
    """Yield rows with their first sentence and the rest, where that is long enough."""
    for row in every_row():
        synopsis, _, rest = row["text"].partition(". ")
        if len(rest) >= LEAST:
            yield row, synopsis, rest


def balanced(rows: Iterable[Row], train: int = TRAIN, test: int = TEST) -> list[Row]:
    """Return the first rows of each label in each part."""
    kept, counts = [], Counter[tuple[Any, str]]()
    for row in rows:
        key = row["label"], row["split"]
        counts[key] += 1
        if counts[key] <= (train if row["split"] == "train" else test):
            kept.append(row)
    return kept


def written(rows: list[Row], path: Path, *columns: str) -> Path:
    """Write some columns of rows as a csv, or all, and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path
