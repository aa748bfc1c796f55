"""Whether `auto` chooses well: each recipe alone, and `auto` within a budget, on the same rows.

python -m benchmarks.auto NAME=TASK:BASE:TABLE[:ROWS] ... --results FILE.jsonl [--budget 5m]

TABLE has the columns text or file, label, split; of ROWS or more to learn from, so many are drawn,
stratified. All rows that are set apart to test are tested by, up to 400: few would hardly tell.
Each result is added to FILE.jsonl as it comes, and what is there is not done again. The table says
of each set: rows to learn from and to test, classes, the main metric of each recipe and of `auto`,
what that chose, its paired 95 % interval against the best recipe on the same test rows, and the
seconds it took.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hubtl
from hubtl.clock import LEAST, SHARE, seconds_of
from hubtl.ladder import AUTO
from hubtl.predictions import read_predictions
from hubtl.registry.errors import HubtlError
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference

METRICS = ONE_CLASS.metrics
TESTED = 400
RECIPES = ("probe", "fewshot", "top", "lora", "norm", "full")


@dataclass(frozen=True, slots=True)
class Set:
    """A data set: its name, task, base, table, and how many of its rows to draw."""

    name: str
    task: str
    base: str
    table: Path
    rows: int | None

    @classmethod
    def read(cls, told: str) -> Set:
        """Return what NAME=TASK:BASE:TABLE[:ROWS] means."""
        name, _, rest = told.partition("=")
        task, base, table, *rows = rest.split(":")
        return cls(name, task, base, Path(table), int(rows[0]) if rows else None)


def drawn(one: Set, room: Path, seed: int) -> Path:
    """Write some of a table's rows, as many of each label as it has its share of them."""
    with one.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        kinds[row["label"], row.get("split", "")].append(row)
    parts = Counter(row.get("split", "") for row in rows)
    most = {part: one.rows or count for part, count in parts.items()} | {"test": TESTED}
    dice = random.Random(seed)
    kept = []
    for (_, part), of in sorted(kinds.items()):
        share = min(1.0, most[part] / parts[part])
        kept += dice.sample(of, min(len(of), max(2, round(share * len(of)))))
    into = room / f"{one.name}.csv"
    column = "text" if one.task.startswith("text") else "file"
    with into.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        divided = ["split"] if any(row.get("split") for row in kept) else []
        groups = ["group"] if len({row.get("speaker", "") for row in kept}) > 1 else []
        if groups:  # no voice is to be on two sides, so hubtl divides them
            divided = []
        writer.writerow([column, "label", *divided, *groups])
        for row in kept:
            cell = (
                str((one.table.parent / row["file"]).resolve()) if column == "file" else row["text"]
            )
            more = [row["split"]] if divided else []
            writer.writerow([cell, row["label"], *more, *([row["speaker"]] if groups else [])])
    return into


def measured(one: Set, recipe: str, budget: str, seed: int) -> dict[str, Any]:
    """Return what a recipe reached on the test rows, what it said of them, and how long it took."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        data = drawn(one, room, seed)
        began = time.monotonic()
        try:
            made = hubtl.adapt(
                one.task,
                data,
                base=one.base,
                recipe=recipe,
                hub="starter",
                out=room / "out",
                seed=seed,
                time_budget=budget if recipe == AUTO else None,
            )
        except HubtlError as error:
            return {"set": one.name, "recipe": recipe, "failed": str(error)}
        seconds = time.monotonic() - began
        said = read_predictions(made.folder)
    facts = made.facts
    return {
        "set": one.name,
        "recipe": recipe,
        "chosen": facts.recipe,
        "rows": dict(facts.rows),
        "classes": len(facts.labels),
        "metric": facts.main_metric,
        "value": facts.metrics[facts.main_metric]["value"],
        "true": list(said.true),
        "labels": list(said.predicted),
        "beats_baseline": facts.beats_baseline,
        "baseline": max(each[facts.main_metric] for each in facts.baselines.values()),
        "seconds": round(seconds, 1),
        "why": facts.why,
    }


def results(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what was measured before: no failures, and no line that was cut off."""
    for line in file.read_text("utf-8").splitlines() if file.is_file() else []:
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if "failed" not in found:
                yield found


def tell(found: Mapping[str, Mapping[str, Any]], name: str, budget: float) -> None:
    """Print a data set's line; the interval is of accuracy."""
    ours = found.get(AUTO, {"failed": "not measured"})
    alone = {recipe: each for recipe, each in found.items() if recipe != AUTO and "value" in each}
    told = ", ".join(f"{recipe} {each['value']:.3f}" for recipe, each in alone.items())
    if "failed" in ours or not alone:
        print(f"{name}: {told}; auto failed: {ours.get('failed')}", flush=True)
        return
    best = max(alone, key=lambda recipe: alone[recipe]["value"])
    assert ours["true"] == alone[best]["true"], "both were asked the same rows"
    gap = difference(ours["true"], ours["labels"], alone[best]["labels"], METRICS, "accuracy")
    rows = ours["rows"]
    kept = ours["seconds"] <= budget + max(LEAST, SHARE * budget)
    print(
        f"{name}: {rows['train'] + rows['validation']} rows, {ours['classes']} classes, "
        f"{rows['test']} to test; {told}; baseline {ours['baseline']:.3f}; auto "
        f"{ours['value']:.3f} ({ours['chosen']}), {gap['value']:+.3f} "
        f"({gap['low']:+.3f} to {gap['high']:+.3f}) against {best}; {ours['seconds']:.0f} of "
        f"{budget:.0f} s{'' if kept else ': over its budget'}",
        flush=True,
    )


def compare(
    sets: Sequence[Set], recipes: Sequence[str], file: Path, budget: str, seed: int
) -> None:
    """Measure what is not measured yet, and print a line for each set."""
    for one in sets:
        found = {each["recipe"]: each for each in results(file) if each["set"] == one.name}
        for recipe in (AUTO, *recipes):  # first, so that it finds no features that were kept
            if recipe not in found:
                found[recipe] = measured(one, recipe, budget, seed)
                with file.open("a", encoding="utf-8") as into:
                    into.write(json.dumps(found[recipe], ensure_ascii=False) + "\n")
        tell(found, one.name, seconds_of(budget))


def main() -> None:
    """Compare, one data set after another."""
    from hubtl.plugins.manager import plugins

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=TASK:BASE:TABLE[:ROWS]")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    recipes = [name for name in told.recipes.split(",") if name in plugins().recipes]
    sets = [Set.read(each) for each in told.sets]
    compare(sets, recipes, told.results, told.budget, told.seed)


if __name__ == "__main__":
    main()
