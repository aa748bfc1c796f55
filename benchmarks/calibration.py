"""What a temperature does to the probabilities of test rows, which had no say in it.

    python benchmarks/calibration.py TASK=DATA ... [--recipes probe,lora] [--seeds 0,1,2] [--rows N]

Adapts the task's first base to each data set by each recipe, with each seed. Prints the expected
calibration error and the log loss of the test rows, as the folder is and with the temperature
undone; the same labels, so the same accuracy. `--rows` takes so many rows to train on and test
with, drawn by the seed; a table's own split stays as it is without it.

    python benchmarks/calibration.py text-classification=examples/debian-sections.csv --rows 600
"""

import argparse
import csv
import random
import tempfile
from pathlib import Path
from typing import Any

import hubtl

COLUMNS = "data                   recipe  seed  rows      T    ECE before  after   loss before"


def some(table: Path, rows: int, seed: int, into: Path) -> Path:
    """Return a table of so many rows of each part of another; that itself where rows is 0."""
    if not rows:
        return table
    with table.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    random.Random(seed).shuffle(read)
    taken: dict[str, int] = {}
    with into.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(read[0]))
        writer.writeheader()
        for row in read:
            part = row.get("split") or ""
            taken[part] = taken.get(part, 0) + 1
            if taken[part] <= rows:
                if "file" in row:
                    row["file"] = str((table.parent / row["file"]).absolute())
                writer.writerow(row)
    return into


def line(data: str, recipe: str, found: hubtl.Adapted) -> str:
    """Return what was measured of a folder; it says why where nothing was fitted."""
    told: dict[str, Any] = dict(found.facts.calibration)
    about = f"{data[:22]:22} {recipe:7} {found.facts.seed:4}  {found.facts.rows['test']:4}"
    if told["temperature"] is None:
        return f"{about}  {told['how']}"
    return (
        f"{about}  {told['temperature']:5.2f}    {told['ece_before']:10.3f}  {told['ece']:5.3f}   "
        f"{told['log_loss_before']:11.3f}  {told['log_loss']:5.3f}"
    )


def main() -> None:
    """Adapt, and print a line for each folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", nargs="+", metavar="TASK=DATA")
    parser.add_argument("--recipes", default="probe,lora")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--rows", type=int, default=0)
    asked = parser.parse_args()
    print(f"{COLUMNS}  after")
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        for number, pair in enumerate(asked.data):
            task, _, table = pair.partition("=")
            for seed in map(int, asked.seeds.split(",")):
                data = some(Path(table), asked.rows, seed, room / f"{number}-{seed}.csv")
                for recipe in asked.recipes.split(","):
                    out = room / f"{number}-{recipe}-{seed}"
                    done = hubtl.adapt(task, data, recipe=recipe, seed=seed, out=out)
                    print(line(Path(table).stem, recipe, done), flush=True)


if __name__ == "__main__":
    main()
