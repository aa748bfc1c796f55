"""Texts of several labels, of Debian: what packages are for, as their tags say.

    python -m benchmarks.uses --data FOLDER --into uses.csv
    hubtl adapt text-classification uses.csv --set several=true ...

FOLDER has debian-sections/data.csv (descriptions); tags are those of the machine's own package
lists (`apt-cache dumpavail`), and labels that 60 packages have at least are kept. Prints what
TF-IDF reaches on the test rows where each combination is a class, and where each label is learnt by
itself: the two ways that a plain rival of several labels has.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from pathlib import Path

from hubtl.plugins.text.tfidf import tfidf_labels
from hubtl.rivals import by_label
from hubtl.transfer.measure import values
from hubtl.transfer.several import BETWEEN, SOME_CLASSES
from hubtl.transfer.split import Example, Split

from .packages import available

LEAST = 60  # packages of a label
USE = re.compile(r"\buse::([\w-]+)")


def uses() -> dict[str, list[str]]:
    """Return what each package of the lists is for, as far as its tags say."""
    found = {}
    for name, about in available():
        tags = re.search(r"^Tag: ((?:.+\n?)(?: .+\n?)*)", about, re.MULTILINE)
        if tags:
            found[name] = USE.findall(tags[1])
    return found


def rows_of(data: Path) -> list[tuple[str, str, str]]:
    """Return the text, labels and part of each package that is for something."""
    known = uses()
    with (data / "debian-sections/data.csv").open(encoding="utf-8", newline="") as file:
        table = [(row, known.get(row["package"], [])) for row in csv.DictReader(file)]
    counts = Counter(use for _, has in table for use in has)
    often = {use for use, count in counts.items() if count >= LEAST}
    return [
        (row["text"], BETWEEN.join(sorted(often & set(has))), row["split"])
        for row, has in table
        if often & set(has)
    ]


def main() -> None:
    """Write the table, and print what TF-IDF makes of it in both ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args()
    rows = rows_of(asked.data)
    with asked.into.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label", "split"), *rows])
    told = [
        Example(str(n), text, SOME_CLASSES.read(label)) for n, (text, label, _) in enumerate(rows)
    ]
    train = [row for row, (*_, part) in zip(told, rows, strict=True) if part == "train"]
    test = [row for row, (*_, part) in zip(told, rows, strict=True) if part == "test"]
    true = [row.label for row in test]
    labels = SOME_CLASSES.classes([row.label for row in train])
    several = sum(BETWEEN in row.label for row in told)
    print(
        f"{len(told)} rows, {several} of several labels, {len(labels)} labels, {len(test)} to test"
    )

    def combinations(split: Split) -> dict[str, list[str]]:
        return {"tfidf": tfidf_labels(split.train, split.test, 0)}

    split = Split(train, (), test, "as told")
    ways = {
        "combinations": combinations(split),
        "label by label": by_label(combinations, SOME_CLASSES, labels, split),
    }
    for way, said in ways.items():
        reached = values(true, said["tfidf"], SOME_CLASSES.metrics)
        print(way, {name: round(value, 3) for name, value in reached.items()})


if __name__ == "__main__":
    main()
