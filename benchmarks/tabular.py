"""Rows of a table: what examples/plugins/hubtl-tabular makes of wine and breast cancer.

Prints each test accuracy beside that of gradient boosting on the same rows, and the paired gain.

    pip install examples/plugins/hubtl-tabular
    python benchmarks/tabular.py
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_wine

import hubtl

BASE = "sentence-transformers/all-MiniLM-L6-v2"


def main() -> None:
    """Print a line for each set."""
    for name, found in (("wine", load_wine()), ("breast-cancer", load_breast_cancer())):
        with tempfile.TemporaryDirectory() as room:
            path = Path(room, f"{name}.csv")
            with path.open("w", newline="") as file:
                table = csv.writer(file)
                table.writerow([*found.feature_names, "label"])
                for row, label in zip(found.data.tolist(), found.target, strict=True):
                    table.writerow([*row, found.target_names[label]])
            out = Path(room, "made")
            facts = hubtl.adapt("tabular-classification", path, base=BASE, out=out).facts
        own, boosting = facts.metrics["accuracy"], facts.baselines["boosting"]["accuracy"]
        print(
            f"{name}: {own['value']:.3f} ({own['low']:.3f} to {own['high']:.3f}), boosting "
            f"{boosting:.3f}, over {facts.gain['over']} "
            f"{facts.gain['value']:+.3f} ({facts.gain['low']:+.3f} to {facts.gain['high']:+.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
