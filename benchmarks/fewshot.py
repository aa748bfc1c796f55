"""Few rows a class: `hubtl adapt --recipe fewshot` against SetFit, on the same rows and base.

python -m benchmarks.fewshot --peer VENV/bin/python --log LOG.jsonl [--rows 8:10,16:10,64:3]

`8:10` is 8 rows a class with 10 seeds, which draw the rows. Classes are the 8 commonest of DATA, or
those of `--classes a,b,c`; all its test rows judge. SetFit has an environment of its own
(`pip install "setfit==1.2.*" "transformers<5"`) and is used as its documentation shows, with
`num_iterations=20`. Each works in a process of its own, in turns, one thread each unless
OMP_NUM_THREADS says otherwise; counted are the CPU and wall seconds from a loaded model to a
trained one, head included, and the most private memory meanwhile. What LOG has is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from .adapt.metering import Metering
from .adapt.rows import chosen_rows

TASK, BASE = "text-classification", "sentence-transformers/all-MiniLM-L6-v2"
EVERYTHING = 10**6  # labels


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", help="the Python that has SetFit; without it, ours alone")
    parser.add_argument("--log", type=Path, default=Path("fewshot.jsonl"))
    parser.add_argument("--data", type=Path, default=Path("examples/debian-sections.csv"))
    parser.add_argument("--classes", default="8", help="how many, the commonest; or names")
    parser.add_argument("--rows", default="8:10,16:10,64:3", help="ROWS A CLASS:SEEDS, by commas")
    parser.add_argument("--recipe", default="fewshot")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--worker", nargs=4, metavar=("NAME", "ROWS", "BASE", "SEED"))
    return parser.parse_args()


def drawn(told: argparse.Namespace, count: int, seed: int) -> dict[str, Any]:
    """Return so many training rows of each class, drawn by a seed, and all test rows."""
    names = told.classes.split(",")
    if len(names) == 1:
        labels = int(names[0])
        return chosen_rows(told.data, "text", labels, labels * count, seed)
    read = chosen_rows(told.data, "text", EVERYTHING, 0, seed)
    train = [
        row
        for name in names
        for row in [(each, label) for each, label in read["train"] if label == name][:count]
    ]
    test = [(each, label) for each, label in read["test"] if label in names]
    return {"labels": sorted(names), "train": train, "test": test}


def ours(told: argparse.Namespace, rows: dict[str, Any], base: Path, seed: int) -> dict[str, Any]:
    """Adapt as `hubtl adapt` does, and return what it took and says of the test rows."""
    from hubtl.transfer.split import Example
    from hubtl.transfer.trunk import Shelf

    from .adapt.adapting import Adapting

    options = dict(pair.split("=", 1) for pair in told.set)
    adapting = Adapting.of(told.recipe, TASK, base, rows["labels"], options, seed)
    train = [Example(str(n), each, label) for n, (each, label) in enumerate(rows["train"])]
    with tempfile.TemporaryDirectory() as room, Metering() as metering:
        adapting.learn(train, Shelf(Path(room), 10**10))
    return {**metering.taken(), "said": adapting.predicted([each for each, _ in rows["test"]])}


def theirs(rows: dict[str, Any], base: Path, seed: int) -> dict[str, Any]:
    """Train as SetFit's documentation shows, and return the same of it."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    model = SetFitModel.from_pretrained(str(base), labels=rows["labels"], device="cpu")
    texts, labels = zip(*rows["train"], strict=True)
    with tempfile.TemporaryDirectory() as room:
        arguments = TrainingArguments(
            output_dir=room,
            batch_size=16,
            num_iterations=20,
            num_epochs=1,
            seed=seed,
            report_to="none",
            save_strategy="no",
        )
        data = Dataset.from_dict({"text": list(texts), "label": list(labels)})
        trainer = Trainer(model=model, args=arguments, train_dataset=data)
        with Metering() as metering:
            trainer.train()
    said = model.predict([each for each, _ in rows["test"]])
    return {**metering.taken(), "said": [str(each) for each in said]}


def work(told: argparse.Namespace) -> dict[str, Any]:
    """Be one contender."""
    name, path, base, seed = told.worker
    rows = json.loads(Path(path).read_text("utf-8"))
    if name == "setfit":
        return theirs(rows, Path(base), int(seed))
    return ours(told, rows, Path(base), int(seed))


def result(name: str, python: str, rows: dict[str, Any], base: Path, seed: int) -> dict[str, Any]:
    """Return what a contender took, and its accuracy, in a process of its own."""
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": threads}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
        json.dump(rows, file)
        file.flush()
        worker = ["--worker", name, file.name, str(base), str(seed)]
        done = subprocess.run(
            [python, "-m", "benchmarks.fewshot", *sys.argv[1:], *worker],
            capture_output=True,
            text=True,
            env={**os.environ, **quiet},
        )
    line = [each for each in done.stdout.splitlines() if each.startswith("RESULT ")]
    if not line:
        sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
    said: dict[str, Any] = json.loads(line[-1].removeprefix("RESULT "))
    right = [a == b for a, (_, b) in zip(said.pop("said"), rows["test"], strict=True)]
    return {**said, "accuracy": sum(right) / len(right)}


def tell(count: int, found: dict[str, Sequence[dict[str, float]]]) -> None:
    """Print a setting's lines: means over seeds, then the paired difference and the ratios."""
    for name, runs in found.items():
        mean = {key: fmean(run[key] for run in runs) for key in runs[0]}
        most = max(run["memory"] for run in runs) / 1000
        print(
            f"{count:4} rows a class, {len(runs):2} seeds  {name:8} accuracy {mean['accuracy']:.3f}"
            f"  CPU {mean['cpu']:6.1f} s  wall {mean['wall']:6.1f} s  at most {most:5.0f} MB"
        )
    if len(found) < 2:
        return
    own, peers = found.values()
    gaps = [a["accuracy"] - b["accuracy"] for a, b in zip(own, peers, strict=True)]
    ratios = [
        sum(run[key] for run in own) / sum(run[key] for run in peers) for key in ("cpu", "wall")
    ]
    print(
        f"     ours - SetFit {interval(gaps)}; {ratios[0]:.2f} of its CPU time, {ratios[1]:.2f} of "
        "its wall time",
        flush=True,
    )


def interval(gaps: Sequence[float]) -> str:
    """Return the mean of paired differences with its 95 % interval over seeds, by Student's t."""
    from scipy.stats import sem, t

    mean = fmean(gaps)
    if len(gaps) < 2:
        return f"{mean:+.3f} (one seed: no interval)"
    half = float(t.ppf(0.975, len(gaps) - 1) * sem(gaps))
    return f"{mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f})"


def main() -> None:
    """Let both work in turns, and print a table."""
    told = asked()
    if told.worker:
        print("RESULT", json.dumps(work(told)))
        return
    import hubtl

    base = hubtl.pull(BASE, hub="starter")
    contenders = {told.recipe: sys.executable} | ({"setfit": told.peer} if told.peer else {})
    done = {}
    if told.log.exists():
        lines = map(json.loads, told.log.read_text("utf-8").splitlines())
        done = {(each["name"], each["rows"], each["seed"]): each["result"] for each in lines}
    for setting in told.rows.split(","):
        count, seeds = map(int, setting.split(":"))
        for seed in range(seeds):
            rows = drawn(told, count, seed)
            for name, python in contenders.items():
                if (name, count, seed) in done:
                    continue
                found = done[name, count, seed] = result(name, python, rows, base, seed)
                with told.log.open("a", encoding="utf-8") as log:
                    about = {"name": name, "rows": count, "seed": seed, "result": found}
                    print(json.dumps(about), file=log)
        runs = {name: [done[name, count, seed] for seed in range(seeds)] for name in contenders}
        tell(count, runs)


if __name__ == "__main__":
    main()
