"""How much memory `hubtl adapt` takes, and what ten times the rows make of that.

python -m benchmarks.adapt_memory --data DATA.csv --rows 3000 --recipes probe,top

Rows are windows of twelve words out of the data's texts, and the same 64 long texts beside them in
both tables, since the longest rows decide what a batch takes. The command runs whole, from the
table to the measured folder; counted is the most private memory (dirty pages of their own) of its
process and of the clean process that measures, each by itself.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

WORDS, LONG, LABELS = 12, 64, 10


def write_table(data: Path, out: Path, rows: int) -> None:
    """Write so many rows to train and a tenth of it to test, with the long ones among the first."""
    with data.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    labels = sorted({row["label"] for row in read})[:LABELS]
    read = [row for row in read if row["label"] in labels]
    dice = random.Random(0)
    long = sorted(read, key=lambda row: -len(row["text"]))[:LONG]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        writer.writerows([row["text"], row["label"], "train"] for row in long)
        for number in range(rows - LONG + rows // 10):
            row = dice.choice(read)
            words = row["text"].split()
            start = dice.randrange(max(1, len(words) - WORDS))
            text = f"{' '.join(words[start : start + WORDS])} {number}"
            writer.writerow([text, row["label"], "test" if number < rows // 10 else "train"])


def private(process: psutil.Process) -> int:
    """Return the dirty pages that a process has for itself, in kB; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


def peaks(table: Path, recipe: str, home: Path) -> tuple[float, float, float]:
    """Return the most MB of the adapting process and of the one that measures, and the seconds."""
    command = [sys.executable, "-m", "hubtl", "adapt", "text-classification", str(table)]
    command += ["--recipe", recipe, "--out", str(home / "result")]
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env={**os.environ, "HUBTL_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        ours, theirs = 0, 0
        process = psutil.Process(running.pid)
        while running.poll() is None:
            ours = max(ours, private(process))
            if process.is_running():
                theirs = max([theirs, *map(private, process.children(recursive=True))])
            time.sleep(0.1)
    if running.returncode:
        sys.exit(f"adapting failed with {running.returncode}")
    return ours / 1000, theirs / 1000, time.perf_counter() - began


def main() -> None:
    """Adapt to so many rows and to ten times as many, and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("examples/debian-sections.csv"))
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--recipes", default="probe,top")
    asked = parser.parse_args()
    print("recipe   rows    adapting MB  measuring MB  seconds")
    for recipe in asked.recipes.split(","):
        found = []
        for rows in (asked.rows, 10 * asked.rows):
            with tempfile.TemporaryDirectory() as room:
                write_table(asked.data, Path(room, "rows.csv"), rows)
                found.append(peaks(Path(room, "rows.csv"), recipe, Path(room)))
            ours, theirs, seconds = found[-1]
            print(f"{recipe:8} {rows:<7} {ours:11.0f} {theirs:13.0f} {seconds:8.0f}", flush=True)
        ours, theirs = (found[1][part] / found[0][part] for part in (0, 1))
        print(f"ten times the rows take {ours:.2f} and {theirs:.2f} of the memory", flush=True)


if __name__ == "__main__":
    main()
