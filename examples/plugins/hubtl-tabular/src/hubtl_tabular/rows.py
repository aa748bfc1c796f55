"""A row as a sentence and as numbers; these two functions stand on the card as they are here."""

import json
from collections.abc import Sequence
from typing import Any


def as_text(row, numbers):
    """Return a row as a sentence, each number by which fifth of the rows it is in."""
    words, said = ["very low", "low", "middling", "high", "very high"], []
    for name, value in row.items():
        if name in numbers and isinstance(value, (int, float)):
            value = words[sum(value > edge for edge in numbers[name]["edges"])]
        said.append(f"{name} is {'unknown' if value is None else value}")
    return "; ".join(said)


def as_numbers(row, numbers):
    """Return the numbers of a row in deviations from their mean, none beyond 5; 0 for none."""
    found = []
    for name, about in numbers.items():
        value = row.get(name)
        value = value if isinstance(value, (int, float)) else about["mean"]
        found.append(min(5.0, max(-5.0, (value - about["mean"]) / about["deviation"])))
    return found


def is_number(values: Sequence[Any]) -> bool:
    """Return whether a column has numbers and else nothing but empty cells."""
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) for value in known)


def columns_of(inputs: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of each column, None where a row has none."""
    rows = [json.loads(each) for each in inputs]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def numbers_in(inputs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return mean, deviation and the edges of fifths of each column of numbers that vary."""
    import numpy as np

    found = {}
    for name, values in columns_of(inputs).items():
        known = [value for value in values if value is not None] if is_number(values) else [0]
        if deviation := float(np.std(np.array(known, np.float64))):
            edges = np.quantile(known, (0.2, 0.4, 0.6, 0.8)).tolist()
            found[name] = {"mean": float(np.mean(known)), "deviation": deviation, "edges": edges}
    return found
