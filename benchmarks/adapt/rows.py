"""The rows that all contenders train on, and those they are judged by."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any


def chosen_rows(path: Path, column: str, labels: int, rows: int, seed: int) -> dict[str, Any]:
    """Return the rows of the commonest labels: so many to train, and all that the file tests by.

    0 rows are all. `column` is what holds the inputs, the first column where there is none of that
    name; in a column `file` are paths, relative to the table.
    """
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    column = column if column in read[0] else next(iter(read[0]))
    if column == "file":
        read = [{**row, "file": str((path.parent / row["file"]).resolve())} for row in read]
    counts = Counter(row["label"] for row in read if row["split"] == "train")
    wanted = [label for label, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]
    wanted = wanted[:labels]
    dice = random.Random(seed)
    train: list[tuple[str, str]] = []
    for label in wanted:
        mine = [(r[column], label) for r in read if r["label"] == label and r["split"] == "train"]
        train += dice.sample(mine, min(len(mine), rows // len(wanted) if rows else len(mine)))
    dice.shuffle(train)
    test = [(r[column], r["label"]) for r in read if r["split"] == "test" and r["label"] in wanted]
    return {"labels": sorted(wanted), "train": train, "test": test}
