"""How alike two texts are, on real ones: Debian's packages by what they say they do.

    python -m benchmarks.similarity --data FOLDER --recipes lora top norm full [--unscored]

FOLDER has debian-sections/data.csv (descriptions, divided by source package). A pair is the first
sentences of two of them, its score how many of their debtags are the same: of those by which people
say what a package is for, in the machine's own package lists (`apt-cache dumpavail`). Half of the
pairs share a tag, since by chance hardly any would. No package is in pairs to learn from and in
others to choose or to test by. Prints what each recipe reaches on the test pairs on
all-MiniLM-L6-v2, beside that base as it is and the cosine of TF-IDF, the paired gain over the best
of these, and what is retained. With `--unscored` a pair is the first sentence of a description and
the rest of it, and has no score: what does not belong together is hubtl's to make.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import hubtl

from .packages import available

BASE = "sentence-transformers/all-MiniLM-L6-v2"
PAIRS = {"train": 2400, "validation": 600, "test": 2000}
UNSCORED = {"train": 1500, "test": 800}
LEAST = 40  # letters of the rest of a description
VALIDATION = 0.2  # of the packages to learn from
FACETS = frozenset(  # what a package is for; others say how it is built, or who made it
    "admin biology culture devel field game hardware mail network office protocol science security "
    "sound use web works-with works-with-format".split()
)
FEWEST = 2  # tags: of one alone there is no more and less


def tags() -> dict[str, frozenset[str]]:
    """Return the tags of each package that say what it is for."""
    found = {}
    for name, about in available():
        line = re.search(r"^Tag: (.+(?:\n .+)*)", about, re.MULTILINE)
        if line:
            each = (tag.strip() for tag in line[1].split(","))
            found[name] = frozenset(tag for tag in each if tag.partition("::")[0] in FACETS)
    return found


def write(data: Path, into: Path) -> None:
    """Write a table of pairs and scores, in three parts that share no package."""
    known, parts = tags(), defaultdict(list)
    with (data / "debian-sections/data.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            its = known.get(row["package"], frozenset())
            if len(its) >= FEWEST:
                sentence = row["text"].partition(". ")[0].rstrip(".")
                parts[row["split"]].append((sentence, its))
    dice = random.Random(0)
    dice.shuffle(parts["train"])
    count = round(VALIDATION * len(parts["train"]))
    parts["validation"], parts["train"] = parts["train"][:count], parts["train"][count:]
    with into.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sentence1", "sentence2", "score", "split"])
        for part, count in PAIRS.items():
            table.writerows((*pair, part) for pair in pairs(parts[part], count, dice))


def write_unscored(data: Path, into: Path) -> None:
    """Write a table of first sentences and the rest of their descriptions, divided by source."""
    parts = defaultdict(list)
    with (data / "debian-sections/data.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sentence, _, rest = row["text"].partition(". ")
            if len(rest) > LEAST:
                parts[row["split"]].append((sentence, rest))
    dice = random.Random(0)
    with into.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["anchor", "positive", "split"])
        for part, count in UNSCORED.items():
            table.writerows((*pair, part) for pair in dice.sample(parts[part], count))


def pairs(
    packages: list[tuple[str, frozenset[str]]], count: int, dice: random.Random
) -> list[tuple[str, str, float]]:
    """Return different pairs of packages, half of which share a tag, and their scores."""
    by_tag = defaultdict(list)
    for number, (_, its) in enumerate(packages):
        for tag in its:
            by_tag[tag].append(number)
    found: dict[tuple[int, int], float] = {}
    while len(found) < count:
        first = dice.randrange(len(packages))
        _, its = packages[first]
        near = by_tag[dice.choice(sorted(its))] if len(found) % 2 else range(len(packages))
        second = dice.choice(near)
        if first != second:
            theirs = packages[second][1]
            score = round(len(its & theirs) / len(its | theirs), 4)
            found[min(first, second), max(first, second)] = score
    return [(packages[a][0], packages[b][0], score) for (a, b), score in found.items()]


def main() -> None:
    """Print a line for each recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=["lora", "top", "norm", "full"])
    parser.add_argument("--unscored", action="store_true", help="pairs that belong together")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        table = Path(room, "pairs.csv")
        (write_unscored if told.unscored else write)(told.data, table)
        for recipe in told.recipes:
            facts = hubtl.adapt(
                "sentence-similarity", table, base=BASE, recipe=recipe, out=Path(room, recipe)
            ).facts
            own, gain, kept = facts.metrics, facts.gain, facts.retention["score"]
            found = ", ".join(
                f"{name} {each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})"
                for name, each in own.items()
            )
            rivals = ", ".join(
                f"{name} {each['spearman']:.3f}" for name, each in facts.baselines.items()
            )
            print(
                f"{recipe}: {found}; spearman of {rivals}; over {gain['over']} "
                f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}); retention "
                f"{kept:.3f}; {facts.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
