"""The example data that ships with hubtl, and a few of its rows."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from .registry.catalog import CATALOG

SECTIONS = CATALOG.parent / "examples" / "debian-sections.csv"


def write_few(path: Path, rows_a_label: int) -> None:
    """Write the first so many training rows of each label of the example to a new csv file."""
    taken: Counter[str] = Counter()
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = []
        for row in csv.DictReader(file):
            if row["split"] == "train" and taken[row["label"]] < rows_a_label:
                taken[row["label"]] += 1
                rows.append({"text": row["text"], "label": row["label"]})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
