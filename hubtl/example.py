"""A few rows of the example data that ships with hubtl."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def write_few(source: Path, path: Path, rows_a_label: int, columns: Sequence[str]) -> None:
    """Write these columns of the first so many training rows of each label to a new csv file.

    `source` is a csv file with the columns `label` and `split` among others.
    """
    taken: Counter[str] = Counter()
    with source.open(encoding="utf-8", newline="") as file:
        rows = []
        for row in csv.DictReader(file):
            if row["split"] == "train" and taken[row["label"]] < rows_a_label:
                taken[row["label"]] += 1
                rows.append({name: row[name] for name in columns})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
