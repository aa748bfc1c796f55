"""What the form of the folder costs: a sentence encoder's mean against BERT's first token.

    python benchmarks/pooling.py [ROWS_A_LABEL ...] [--recipes probe,lora] [--seeds 0,1,2]

Adapts MiniLM to the example twice for each recipe, size and seed: as it comes (mean pooling, a
sentence-transformers folder), and without its pooling files (transformers' own classification
head, which pools the first token). Prints accuracy on the 824 test rows, and the paired gap.
"""

import argparse
import csv
import random
import tempfile
from collections import Counter
from pathlib import Path

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.cache import ModelCache
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import difference

SECTIONS = Path("examples/debian-sections.csv")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def draw(path: Path, rows_a_label: int, seed: int) -> None:
    """Write so many training rows of each label, drawn by a seed; 0 rows means all."""
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    random.Random(seed).shuffle(rows)
    taken: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for row in rows:
            taken[row["label"]] += 1
            if not rows_a_label or taken[row["label"]] <= rows_a_label:
                writer.writerow([row["text"], row["label"]])


def main() -> None:
    """Adapt, and print a line for each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[8])
    parser.add_argument("--recipes", default="probe")
    parser.add_argument("--seeds", default="0,1,2")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        shelf = ModelCache(room / "shelf")
        whole = files_in(hubtl.pull(MINILM))
        pooling = ("1_Pooling/config.json", "modules.json")
        shelf.add("bench/mean", whole)
        shelf.add("bench/first", {p: at for p, at in whole.items() if p not in pooling})
        print("recipe  rows/label  seed  mean   first  TF-IDF  mean - first (95 %)        seconds")
        for recipe in asked.recipes.split(","):
            for rows in asked.rows:
                for seed in map(int, asked.seeds.split(",")):
                    data = room / f"{rows}-{seed}.csv"
                    draw(data, rows, seed)
                    pair = [
                        hubtl.adapt(
                            "text-classification",
                            data,
                            base=f"bench/{kind}",
                            hub=f"folder:{shelf.root}",
                            test=SECTIONS,
                            recipe=recipe,
                            seed=seed,
                            out=room / f"{recipe}-{rows}-{seed}-{kind}",
                        )
                        for kind in ("mean", "first")
                    ]
                    mean, first = (read_predictions(each.folder) for each in pair)
                    gap = difference(
                        mean.true, mean.predicted, first.predicted, ONE_CLASS.metrics, "accuracy"
                    )
                    a, b = (each.facts.metrics["accuracy"]["value"] for each in pair)
                    rival = pair[0].facts.baselines["tfidf"]["accuracy"]
                    took = " ".join(f"{each.facts.seconds:.0f}" for each in pair)
                    print(
                        f"{recipe:7} {rows or 'all':>10} {seed:5}  {a:.3f}  {b:.3f}  {rival:.3f}   "
                        f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})   {took}",
                        flush=True,
                    )


main()
