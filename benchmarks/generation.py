"""What a small language model learns of descriptions of Debian packages: the line at their head.

    python benchmarks/generation.py [--data CSV] [--train 240] [--test 80] [--recipes lora]
        [--set KEY=VALUE ...] [--time-budget 10m] [--base ID] [--hub HUB]

The prompt of a row is a package's long description, the completion its one-line synopsis, and rows
are those of a table of descriptions in their own split. Prints the perplexity of the held-out
synopses by the base as it is, by bigrams of its tokens and by what each recipe adapted, with 95 %
intervals; how much of the base each retains; and what was written for a few.

    python benchmarks/generation.py --set epochs=2 --set rate=0.002
"""

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hubtl
from hubtl.predictions import read_predictions
from hubtl.transfer.completion import Completion
from hubtl.transfer.measure import measure

DATA = Path(__file__).parent.parent / "examples" / "debian-sections.csv"
BASE = "starter/smollm2-135m-instruct"
LONG = 200  # characters of a description
FIELDS = ("prompt", "completion", "split")


def pairs(data: Path) -> Iterator[dict[str, str]]:
    """Yield a row for each description that has a synopsis and more."""
    with data.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            synopsis, _, rest = row["text"].partition(". ")
            if 10 <= len(synopsis) <= 80 and len(rest) >= 80:
                prompt = f"{rest[:LONG].strip()}\n\nIn one line:"
                yield dict(zip(FIELDS, (prompt, synopsis, row["split"]), strict=True))


def main() -> None:
    """Make the table, adapt by each recipe, and print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--train", type=int, default=240)
    parser.add_argument("--test", type=int, default=80)
    parser.add_argument("--recipes", default="lora")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--time-budget", default=None)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--hub", default=None)
    told = parser.parse_args()
    rows = list(pairs(told.data))
    random.Random(0).shuffle(rows)
    train = [row for row in rows if row["split"] == "train"][: told.train]
    test = [row for row in rows if row["split"] == "test"][: told.test]
    with tempfile.TemporaryDirectory() as room:
        table = Path(room, "synopses.csv")
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows([*train, *test])
        for number, recipe in enumerate(told.recipes.split(",")):
            _run(told, recipe, table, Path(room, recipe), before=number == 0)


def _run(told: argparse.Namespace, recipe: str, table: Path, out: Path, *, before: bool) -> None:
    done = hubtl.adapt(
        "text-generation",
        table,
        base=told.base,
        recipe=recipe,
        hub=told.hub,
        options=dict(pair.split("=", 1) for pair in told.set),
        time_budget=told.time_budget,
        out=out,
    )
    facts, said, goal = done.facts, read_predictions(out), Completion()
    if before:
        print(f"{told.base}: {facts.rows}; {facts.inputs['how']}")
        print("who      perplexity            loss  retention  seconds   GB")
        for name, labels in said.rivals.items():
            _line(name, measure(said.true, labels, goal.metrics))
    kept = facts.retention["score"]
    more = f"  {kept:9.3f}  {facts.seconds:7.0f}  {facts.peak_memory_bytes / 1e9:.1f}"
    _line(recipe, facts.metrics, more)
    print(f"         {facts.method}; gain over {facts.gain['over']} {facts.gain['value']:.2f}")
    print(f"         {facts.retention}")
    for true, label in zip(said.true, said.predicted, strict=True):
        if goal.shown(label):
            print(f"         {true!r}: {goal.shown(label)!r}")


def _line(name: str, metrics: dict[str, dict[str, float]], more: str = "") -> None:
    found, loss = metrics["perplexity"], metrics["loss"]["value"]
    between = f"({found['low']:.2f} to {found['high']:.2f})"
    print(f"{name:8} {found['value']:6.2f} {between:18} {loss:.3f}{more}", flush=True)


if __name__ == "__main__":
    main()
