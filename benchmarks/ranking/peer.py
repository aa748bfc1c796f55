"""TransformerRanker 0.2 as its documentation shows it, to be run by the Python that has it.

PYTHON peer.py TABLE FOLDER ...   ranks models (folders) by the training rows of a table.
"""

import csv
import json
import sys
from pathlib import Path


def main() -> None:
    """Print the scores by folder as the last line."""
    from datasets import Dataset
    from transformer_ranker import TransformerRanker

    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    data = Dataset.from_dict({name: [row[name] for row in rows] for name in ("text", "label")})
    ranker = TransformerRanker(data, text_column="text", label_column="label")
    found = ranker.run(sys.argv[2:], device="cpu")
    print(json.dumps({"scores": {str(name): float(s) for name, s in found.scores.items()}}))


if __name__ == "__main__":
    main()
