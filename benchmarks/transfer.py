"""What the base's knowledge is worth: adapted, against plain rivals and against random weights.

python -m benchmarks.transfer NAME=TABLE ... [--recipes probe,top] [--seed 0]

NAME is pictures or clips, as often as there are tables with the columns file, label, split. With a
column speaker of more than one voice, each voice is held out once and all others train; the
predictions of all voices are judged together, with intervals over voices as well as rows. `random`
is the same network with weights drawn anew, adapted by the same recipe to the same rows. Accuracy
has 95 % bootstrap intervals, and differences are paired over the same test rows.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hubtl
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference, measure
from hubtl.transfer.split import Example, Split
from hubtl.transfer.trunk import Shelf

from .adapt.adapting import Adapting
from .untrained import write_untrained

PICTURES = "pictures"
KINDS = {
    PICTURES: ("image-classification", "starter/efficientnet-lite0"),
    "clips": ("audio-classification", "starter/whisper-tiny.en"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A file, its label, the part it belongs to and whose voice it is."""

    file: str
    label: str
    split: str
    speaker: str


def read_rows(table: Path) -> list[Row]:
    """Return a table's rows, with the paths of their files."""
    with table.open(encoding="utf-8", newline="") as file:
        return [
            Row(str(table.parent / r["file"]), r["label"], r["split"], r.get("speaker", ""))
            for r in csv.DictReader(file)
        ]


def splits(rows: Sequence[Row]) -> Iterator[Split]:
    """Yield the table's own split, or one for each voice that is held out."""
    voices = sorted({row.speaker for row in rows})
    if len(voices) == 1:
        parts = [examples([r for r in rows if r.split == part], "") for part in ("train", "test")]
        yield Split(parts[0], (), parts[1], "the table's own")
        return
    for voice in voices:
        others = examples([row for row in rows if row.speaker != voice], "speaker")
        mine = examples([row for row in rows if row.speaker == voice], "speaker")
        yield Split(others, (), mine, f"{voice} held out")


def examples(rows: Sequence[Row], group: str) -> list[Example]:
    """Return rows as the engine takes them; those of a voice are a group where there are many."""
    return [
        Example(
            row.file, row.file, row.label, group=row.speaker if group else "", origin=row.speaker
        )
        for row in rows
    ]


def compare(
    name: str, table: Path, recipes: Sequence[str], options: Mapping[str, str], seed: int
) -> None:
    """Print a table's lines: rivals, random weights and the base, then the differences."""
    task, base_id = KINDS[name]
    rows = read_rows(table)
    labels = sorted({row.label for row in rows})
    found: dict[str, list[str]] = {}
    true: list[str] = []
    voices: list[str] = []
    with tempfile.TemporaryDirectory() as name_of_room:
        room = Path(name_of_room)
        bases = {"": hubtl.pull(base_id, hub="starter"), " random": room / "random"}
        pictures = [r.file for r in rows if r.split == "train"] if name == PICTURES else []
        write_untrained(bases[""], bases[" random"], pictures, seed)
        shelf = Shelf(room / "trunks", 10**10)
        for split in splits(rows):
            true += [row.label for row in split.test]
            voices += [row.origin for row in split.test]
            for rival, said in rivals(task, split, seed, bases[""]).items():
                found.setdefault(rival, []).extend(said)
            for recipe in recipes:
                for kind, base in bases.items():
                    adapting = Adapting.of(recipe, task, base, labels, options, seed)
                    adapting.learn(split.train, shelf)
                    said = adapting.predicted([row.input for row in split.test])
                    found.setdefault(f"{recipe}{kind}", []).extend(said)
    tell(table, true, found, recipes, voices)


def rivals(task: str, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
    """Return what the task's plain rivals say of the test rows."""
    from hubtl.plugins.manager import plugins

    said: Mapping[str, Sequence[str]] = plugins().task(task).baselines(split, seed, base)
    return said


def tell(
    table: Path,
    true: Sequence[str],
    found: Mapping[str, Sequence[str]],
    recipes: Sequence[str],
    voices: Sequence[str],
) -> None:
    """Print accuracies and differences with their intervals."""
    print(f"\n{table.parent.name}: {len(true)} rows to test, {len(set(true))} labels")
    metrics = ONE_CLASS.metrics
    for name, labels in found.items():
        print(f"{name:14} {written(measure(true, labels, metrics, origins=voices)['accuracy'])}")
    plain = [name for name in found if name.split()[0] not in recipes]
    for recipe in recipes:
        for other in (*plain, f"{recipe} random"):
            gap: dict[str, Any] = difference(
                true, found[recipe], found[other], metrics, "accuracy", origins=voices
            )
            print(f"{recipe} - {other:14} {written(gap, '+')}", flush=True)


def written(value: Mapping[str, float], sign: str = "") -> str:
    """Return a value and its interval."""
    middle, low, high = (format(value[each], f"{sign}.3f") for each in ("value", "low", "high"))
    return f"{middle} ({low} to {high})"


def main() -> None:
    """Compare, one table after another."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", metavar="NAME=TABLE", help="pictures or clips")
    parser.add_argument("--recipes", default="probe,top")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in told.set)
    for pair in told.tables:
        name, _, table = pair.partition("=")
        compare(name, Path(table), told.recipes.split(","), options, told.seed)


if __name__ == "__main__":
    main()
