"""What adapting costs and gives, against transformers' Trainer as its examples use it.

python -m benchmarks.adapt --data DATA.csv --labels 20 --rows 3000

One run, one machine, one base, the same rows and the same test rows for all. Each contender works
in a process of its own; counted are the CPU and wall seconds from a loaded model to a trained one,
and the most private memory (dirty pages of its own) it had meanwhile. Not counted, for anybody:
imports, loading the base, measuring. Of ours, the seconds for the trunk (the frozen part, once for
each row) are told apart; each starts with nothing kept, but for the two named `after top`, which
find what `top` has left on the shelf.

Peers: full fine-tuning (3 epochs, batch 16, 5e-5) and LoRA (3 epochs, 1e-3) by the Trainer, padded
to the longest of each batch, rows in random order; and the same with length-grouped sampling.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hubtl

LENGTH = 256  # tokens; what MiniLM's own configuration says
OURS = ("forward", "probe", "top", "probe after top", "top 1 after top", "lora")
SETTINGS = {"top 1 after top": {"layers": "1"}}  # its cut is above the one that is kept
PEERS = ("trainer-full", "trainer-lora", "trainer-full-grouped", "trainer-lora-grouped")
RATIOS = (
    ("probe", "forward"),
    ("top", "trainer-full"),
    ("top", "trainer-full-grouped"),
    ("lora", "trainer-lora"),
    ("lora", "trainer-lora-grouped"),
)
BASE = "sentence-transformers/all-MiniLM-L6-v2"


def chosen_rows(path: Path, labels: int, rows: int, seed: int) -> dict[str, Any]:
    """Return the rows of the commonest labels: so many to train, and all that the file tests by."""
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    text = "text" if "text" in read[0] else next(iter(read[0]))
    counts = Counter(row["label"] for row in read if row["split"] == "train")
    wanted = [label for label, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]
    wanted = wanted[:labels]
    dice = random.Random(seed)
    train: list[tuple[str, str]] = []
    for label in wanted:
        mine = [(r[text], label) for r in read if r["label"] == label and r["split"] == "train"]
        train += dice.sample(mine, min(len(mine), rows // len(wanted)))
    dice.shuffle(train)
    test = [(r[text], r["label"]) for r in read if r["split"] == "test" and r["label"] in wanted]
    return {"labels": sorted(wanted), "train": train, "test": test}


class Meter(threading.Thread):
    """Counts CPU and wall seconds, and watches private memory, while `with` lasts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._over = 0, threading.Event()

    def __enter__(self) -> Meter:
        """Begin."""
        self.start()
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.cpu = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._wall
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look at the memory five times a second."""
        while not self._over.wait(0.2):
            lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
            private = sum(
                int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")
            )
            self.most = max(self.most, private)


def ours(name: str, rows: dict[str, Any], base: Path, shelf: Path, options: dict[str, str]) -> dict:
    """Adapt as `hubtl adapt --recipe NAME` does, and return what it took and gave."""
    options = {**options, **SETTINGS.get(name, {})}
    name = name.split()[0]
    import torch

    from hubtl.plugins.manager import plugins
    from hubtl.registry.entry import Entry
    from hubtl.transfer.quiet import quiet_libraries
    from hubtl.transfer.split import Example, hold_out
    from hubtl.transfer.start import Session
    from hubtl.transfer.trunk import Shelf

    class Timed(Shelf):
        spent = [0.0, 0.0]

        def make(self, *arguments: Any, **named: Any) -> Any:
            began = time.process_time(), time.perf_counter()
            try:
                return super().make(*arguments, **named)
            finally:
                self.spent[:] = time.process_time() - began[0], time.perf_counter() - began[1]

    offered = plugins()
    with quiet_libraries():
        torch.manual_seed(0)
        entry = Entry(BASE, revision="0" * 40)
        network = offered.task("text-classification").network(
            base, entry, rows["labels"], "cpu", {}
        )
    if name == "forward":
        return bare_forward(network, [text for text, _ in rows["train"]])
    recipe = offered.recipe(name)
    method = offered.method(recipe.method)
    recipe = recipe.over(method.options).with_options(options)
    train = [Example(str(n), text, label) for n, (text, label) in enumerate(rows["train"])]
    validation: Sequence[Example] = ()
    if method.validates:
        train, validation = map(list, hold_out(train, 0.15, 0))
    timed = Timed(shelf, 10**10)
    session = Session(train, validation, rows["labels"], 0, timed)
    with Meter() as meter:
        learnt = method.adapt(network, recipe.options, session)
    said = {"cpu": meter.cpu, "wall": meter.wall, "memory": meter.most, "how": learnt.how}
    return {**said, "trunk_cpu": timed.spent[0], "accuracy": judged(network, rows)}


def bare_forward(network: Any, inputs: list[str]) -> dict[str, Any]:
    """Run the base once over all rows, length-sorted, and keep nothing."""
    import torch

    from hubtl.transfer.network import batches

    network.body.eval()
    with Meter() as meter, torch.inference_mode():
        for numbers in batches(network.sizes(inputs), 32):
            network.features(network.collate([inputs[number] for number in numbers]))
    return {"cpu": meter.cpu, "wall": meter.wall, "memory": meter.most}


def judged(network: Any, rows: dict[str, Any]) -> float:
    """Return the accuracy on the test rows."""
    import torch

    from hubtl.transfer.network import batches

    network.body.eval()
    inputs = [text for text, _ in rows["test"]]
    right = 0
    with torch.inference_mode():
        for numbers in batches(network.sizes(inputs), 32):
            batch = network.collate([inputs[number] for number in numbers])
            best = network.head(network.features(batch)).argmax(1).tolist()
            named = [rows["labels"][each] for each in best]
            true = [rows["test"][number][1] for number in numbers]
            right += sum(a == b for a, b in zip(named, true, strict=True))
    return right / len(inputs)


def trainer(name: str, rows: dict[str, Any], base: Path) -> dict[str, Any]:
    """Adapt as the examples of transformers and peft do, and return what it took and gave."""
    import numpy as np
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    labels = {label: number for number, label in enumerate(rows["labels"])}
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)

    def encoded(part: str) -> list[dict[str, Any]]:
        return [
            {**tokenizer(text, truncation=True, max_length=LENGTH), "label": labels[label]}
            for text, label in rows[part]
        ]

    train, test = encoded("train"), encoded("test")
    torch.manual_seed(0)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=len(labels), dtype=torch.float32
    )
    rate = 5e-5
    if "lora" in name:
        from peft import LoraConfig, get_peft_model

        rate = 1e-3
        model = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16))
    sampling = {"train_sampling_strategy": "group_by_length"} if "grouped" in name else {}
    with tempfile.TemporaryDirectory() as room:
        worker = transformers.Trainer(
            model,
            transformers.TrainingArguments(
                room,
                num_train_epochs=3,
                per_device_train_batch_size=16,
                per_device_eval_batch_size=32,
                learning_rate=rate,
                report_to=[],
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                seed=0,
                **sampling,
            ),
            train_dataset=train,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        with Meter() as meter:
            worker.train()
        predicted = worker.predict(test)
    # Grouped by length, the Trainer brings test rows too in an order of its own.
    accuracy = float((np.argmax(predicted.predictions, 1) == predicted.label_ids).mean())
    return {"cpu": meter.cpu, "wall": meter.wall, "memory": meter.most, "accuracy": accuracy}


def main() -> None:
    """Let all contenders work, one after another, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("examples/debian-sections.csv"))
    parser.add_argument("--labels", type=int, default=15)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--only", default="", help="some contenders, by commas")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "ROWS", "SHELF"))
    asked = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in asked.set)
    base = hubtl.pull(BASE, hub="starter")
    if asked.worker:
        name, rows, shelf = asked.worker
        read = json.loads(Path(rows).read_text("utf-8"))
        said = (
            trainer(name, read, base)
            if name in PEERS
            else ours(name, read, base, Path(shelf), options)
        )
        print("RESULT", json.dumps(said))
        return
    names = asked.only.split(",") if asked.only else [*OURS, *PEERS]
    with tempfile.TemporaryDirectory() as room:
        rows = Path(room, "rows.json")
        read = chosen_rows(asked.data, asked.labels, asked.rows, 0)
        rows.write_text(json.dumps(read), "utf-8")
        train, test = len(read["train"]), len(read["test"])
        print(f"{train} rows of {len(read['labels'])} labels, {test} to test")
        print("contender              accuracy   CPU s of it trunk  wall s     MB")
        results: dict[str, dict[str, Any]] = {}
        for name in names:
            shelf = "top" if name.endswith("after top") else name
            again = ["--worker", name, str(rows), str(Path(room, shelf))]
            again += [f"--set={pair}" for pair in asked.set]
            command = [sys.executable, "-m", "benchmarks.adapt", *again]
            done = subprocess.run(command, capture_output=True, text=True)
            line = [each for each in done.stdout.splitlines() if each.startswith("RESULT ")]
            if not line:
                sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
            said = json.loads(line[-1].removeprefix("RESULT "))
            accuracy = f"{said['accuracy']:.3f}" if "accuracy" in said else ""
            trunk = f"{said['trunk_cpu']:.1f}" if "trunk_cpu" in said else ""
            print(
                f"{name:22} {accuracy:>8} {said['cpu']:7.1f} {trunk:>11} {said['wall']:7.1f} "
                f"{said['memory'] / 1000:6.0f}  {said.get('how', '')}",
                flush=True,
            )
            results[name] = said
        for one, other in RATIOS:
            if one in results and other in results:
                cpu, memory = (results[one][k] / results[other][k] for k in ("cpu", "memory"))
                print(f"{one} to {other}: {cpu:.2f} of the CPU time, {memory:.2f} of the memory")


if __name__ == "__main__":
    main()
