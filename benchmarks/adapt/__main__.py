"""What adapting costs and gives, against transformers' Trainer as its examples use it.

python -m benchmarks.adapt --modality text --data DATA.csv --labels 20 --rows 3000
python -m benchmarks.adapt --modality vision --data PICTURES/manifest.csv
python -m benchmarks.adapt --modality speech --data CLIPS/manifest.csv

One run, one machine, one base, the same rows and the same test rows for all. Each contender works
in a process of its own; counted are the CPU and wall seconds from a loaded model to a trained one,
and the most private memory (dirty pages of its own) it had meanwhile. Not counted, for anybody:
imports, loading the base, measuring. Of ours, the seconds for the trunk (the frozen part, once for
each row) are told apart; each starts with nothing kept, but for the two named `after top`, which
find what `top` has left on the shelf.

Peers: full fine-tuning (3 epochs, 5e-5; text in batches of 16, pictures and sound of 8) by the
Trainer, rows in random order; for text LoRA too (3 epochs, 1e-3), and both with length-grouped
sampling. A table has the columns label, split (train or test), and text or file.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hubtl

from .rows import chosen_rows

RATIOS = (
    ("probe", "forward"),
    ("top", "trainer-full"),
    ("top", "trainer-full-grouped"),
    ("lora", "trainer-full"),
    ("lora", "trainer-lora"),
    ("lora", "trainer-lora-grouped"),
)


@dataclass(frozen=True, slots=True)
class Modality:
    """What is compared: a task, a base, the table's column of inputs, and who takes part."""

    task: str
    base: str
    column: str
    names: Sequence[str]


FULL = ("forward", "probe", "top", "lora", "trainer-full")
MODALITIES = {
    "text": Modality(
        "text-classification",
        "sentence-transformers/all-MiniLM-L6-v2",
        "text",
        ("forward", "probe", "top", "probe after top", "top 1 after top", "lora", "trainer-full")
        + ("trainer-lora", "trainer-full-grouped", "trainer-lora-grouped"),
    ),
    "vision": Modality("image-classification", "starter/efficientnet-lite0", "file", FULL),
    "speech": Modality("audio-classification", "starter/whisper-tiny.en", "file", FULL),
}


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--modality", choices=MODALITIES, default="text")
    parser.add_argument("--data", type=Path, default=Path("examples/debian-sections.csv"))
    parser.add_argument("--labels", type=int, default=15)
    parser.add_argument("--rows", type=int, default=0, help="to train on; 0 is all")
    parser.add_argument("--only", default="", help="some contenders, by commas")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--rate", type=float, help="the Trainer's, where not the example's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "ROWS", "SHELF"))
    return parser.parse_args()


def work(told: argparse.Namespace) -> dict[str, Any]:
    """Be one contender, and return what it took and gave."""
    modality = MODALITIES[told.modality]
    base = hubtl.pull(modality.base, hub="starter")
    name, path, shelf = told.worker
    rows = json.loads(Path(path).read_text("utf-8"))
    if name.startswith("trainer"):
        from .training import trained

        peer = importlib.import_module(f".{told.modality}", __package__)
        return trained(name, peer.example(base, rows, told.seed), told.seed, told.rate)
    from .adapting import ours

    options = dict(pair.split("=", 1) for pair in told.set) | {"seed": str(told.seed)}
    return ours(name, modality.task, rows, base, Path(shelf), options)


def result(name: str, rows: Path, shelf: Path) -> dict[str, Any]:
    """Return what a contender took and gave, in a process of its own."""
    again = [*sys.argv[1:], "--worker", name, str(rows), str(shelf)]
    command = [sys.executable, "-m", "benchmarks.adapt", *again]
    done = subprocess.run(command, capture_output=True, text=True)
    line = [each for each in done.stdout.splitlines() if each.startswith("RESULT ")]
    if not line:
        sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
    said: dict[str, Any] = json.loads(line[-1].removeprefix("RESULT "))
    return said


def tell(name: str, said: dict[str, Any]) -> None:
    """Print a contender's line."""
    accuracy = f"{said['accuracy']:.3f}" if "accuracy" in said else ""
    trunk = f"{said['trunk_cpu']:.1f}" if "trunk_cpu" in said else ""
    print(
        f"{name:22} {accuracy:>8} {said['cpu']:7.1f} {trunk:>11} {said['wall']:7.1f} "
        f"{said['memory'] / 1000:6.0f}  {said.get('how', '')}",
        flush=True,
    )


def main() -> None:
    """Let all contenders work, one after another, and print a table."""
    told = asked()
    if told.worker:
        print("RESULT", json.dumps(work(told)))
        return
    modality = MODALITIES[told.modality]
    names = told.only.split(",") if told.only else modality.names
    read = chosen_rows(told.data, modality.column, told.labels, told.rows, 0)
    train, test = len(read["train"]), len(read["test"])
    print(f"{train} rows of {len(read['labels'])} labels, {test} to test")
    print("contender              accuracy   CPU s of it trunk  wall s     MB")
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as room:
        rows = Path(room, "rows.json")
        rows.write_text(json.dumps(read), "utf-8")
        for name in names:
            shelf = "top" if name.endswith("after top") else name
            results[name] = result(name, rows, Path(room, shelf))
            tell(name, results[name])
    for one, other in RATIOS:
        if one in results and other in results:
            cpu, memory = (results[one][k] / results[other][k] for k in ("cpu", "memory"))
            print(f"{one} to {other}: {cpu:.2f} of the CPU time, {memory:.2f} of the memory")


if __name__ == "__main__":
    main()
