"""Numbers told of texts, on real ones: how large Debian's packages are, by what they say they do.

    python -m benchmarks.sizes --data FOLDER --recipes probe lora

FOLDER has debian-sections/data.csv (descriptions, divided by source package); sizes are those of
the machine's own package lists (`apt-cache dumpavail`), installed, as a logarithm to base 10 of
kilobytes. Prints what each recipe reaches on the test rows on all-MiniLM-L6-v2, beside the mean of
the rows to learn from and TF-IDF with ridge regression, and the paired gain over the best of these.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import hubtl

from .packages import available

BASE = "sentence-transformers/all-MiniLM-L6-v2"
ROWS = {"train": 1200, "test": 400}


def sizes() -> dict[str, float]:
    """Return the logarithm of each package's kilobytes, installed."""
    found = {}
    for name, about in available():
        size = re.search(r"^Installed-Size: (\d+)$", about, re.MULTILINE)
        if size and int(size[1]):
            found[name] = round(math.log10(int(size[1])), 4)
    return found


def write(data: Path, into: Path) -> None:
    """Write a table of texts and numbers, drawn from those whose size is known."""
    known, parts = sizes(), defaultdict(list)
    with (data / "debian-sections/data.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["package"] in known:
                told = (row["text"], known[row["package"]], row["split"])
                parts[row["split"]].append(told)
    dice = random.Random(0)
    with into.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "size", "split"])
        for part, count in ROWS.items():
            table.writerows(dice.sample(parts[part], count))


def main() -> None:
    """Print a line for each recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=["probe", "lora"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        table = Path(room, "sizes.csv")
        write(told.data, table)
        for recipe in told.recipes:
            facts = hubtl.adapt(
                "text-classification",
                table,
                base=BASE,
                recipe=recipe,
                options={"numbers": "true"},
                columns={"label": "size"},
                out=Path(room, recipe),
            ).facts
            own, gain, kept = facts.metrics, facts.gain, facts.retention["score"]
            found = ", ".join(
                f"{name} {each['value']:.4g} ({each['low']:.4g} to {each['high']:.4g})"
                for name, each in own.items()
            )
            rivals = ", ".join(
                f"{name} {each['mse']:.4g}" for name, each in facts.baselines.items()
            )
            assert gain, "there are rivals"
            print(
                f"{recipe}: {found}; mse of {rivals}; over {gain['over']} {gain['value']:+.4g} "
                f"({gain['low']:+.4g} to {gain['high']:+.4g}); retention {kept:.3f}; "
                f"{facts.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
