"""Rows of a table: what examples/plugins/hubtl-tabular makes of scikit-learn's own sets.

Prints test accuracy (wine, breast cancer) or mean squared error (diabetes) beside that of gradient
boosting on the same rows, and the paired gain.

    pip install --no-deps examples/plugins/hubtl-tabular
    python benchmarks/tabular.py
"""

from __future__ import annotations

import csv
import tempfile
from functools import partial
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import hubtl

BASE = "sentence-transformers/all-MiniLM-L6-v2"


SETS = {
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "diabetes": partial(load_diabetes, scaled=False),
}


def main() -> None:
    """Print a line for each set."""
    for name, load in SETS.items():
        found = load()
        names = getattr(found, "target_names", None)
        with tempfile.TemporaryDirectory() as room:
            path, out = Path(room, "rows.csv"), Path(room, "made")
            with path.open("w", newline="") as file:
                table = csv.writer(file)
                table.writerow([*found.feature_names, "label"])
                for row, label in zip(found.data.tolist(), found.target.tolist(), strict=True):
                    table.writerow([*row, label if names is None else names[label]])
            task = "tabular-regression" if names is None else "tabular-classification"
            facts = hubtl.adapt(task, path, base=BASE, out=out).facts
        metric = facts.main_metric
        own, rivals = facts.metrics[metric], facts.baselines
        print(
            f"{name}, {facts.rows['train']} to learn from, {facts.rows['test']} to test: {metric} "
            f"{own['value']:.5g} ({own['low']:.5g} to {own['high']:.5g}), boosting "
            f"{rivals['boosting'][metric]:.5g}, majority {rivals['majority'][metric]:.5g}, over "
            f"{facts.gain['over']} {facts.gain['value']:+.5g} ({facts.gain['low']:+.5g} to "
            f"{facts.gain['high']:+.5g})",
            flush=True,
        )


if __name__ == "__main__":
    main()
