"""TransformerRanker 0.2 as its documentation shows it, to be run by the Python that has it.

PYTHON peer.py TABLE FOLDER ...   ranks models (folders) by the training rows of a table.
"""

import csv
import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the scores by folder, and the CPU and wall seconds, as the last line."""
    from datasets import Dataset
    from transformer_ranker import TransformerRanker

    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    data = Dataset.from_dict({name: [row[name] for row in rows] for name in ("text", "label")})
    cpu, wall = time.process_time(), time.perf_counter()
    ranker = TransformerRanker(data, text_column="text", label_column="label")
    found = ranker.run(sys.argv[2:], device="cpu")
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    print(json.dumps({**took, "scores": {str(name): float(s) for name, s in found.scores.items()}}))


if __name__ == "__main__":
    main()
