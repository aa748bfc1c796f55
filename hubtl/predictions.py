"""`predictions.parquet`: what was predicted for every test row. It stays on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .proof import Predicted
from .registry.errors import BadData
from .transfer.split import Example

FILE = "predictions.parquet"
RIVAL = "rival:"


@dataclass(frozen=True, slots=True)
class Predictions:
    """The rows of the file: ids, inputs, true labels, predicted labels, logits, rivals' labels.

    `contents` are what tells inputs apart: themselves, or the digests of files that they name.
    `origins` say whose each row is, empty where that is not known.
    """

    ids: list[str]
    inputs: list[str]
    contents: list[str]
    true: list[str]
    predicted: list[str]
    logits: list[list[float]]
    rivals: Mapping[str, list[str]]
    origins: list[str]


def write_predictions(
    folder: Path,
    rows: Sequence[Example],
    predicted: Predicted,
    rivals: Mapping[str, Sequence[str]],
) -> None:
    """Write a folder's predictions, readable by their owner only."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "id": [row.id for row in rows],
            "input": [row.input for row in rows],
            "digest": [row.digest for row in rows],
            "true": [row.label for row in rows],
            "label": list(predicted.labels),
            "scores": predicted.logits,
            "origin": [row.origin for row in rows],
            **{f"{RIVAL}{name}": list(labels) for name, labels in rivals.items()},
        }
    )
    path = folder / FILE
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    parquet.write_table(table, path)


def read_predictions(folder: Path) -> Predictions:
    """Return what was predicted when the folder was measured; raises BadData where it is gone."""
    import pyarrow
    from pyarrow import parquet

    path = folder / FILE
    if not path.is_file():
        raise BadData(
            f"`{folder}` has no {FILE}, so there is nothing to compare with",
            "adapt again, or publish from the machine that adapted it",
        )
    try:
        columns: dict[str, list[Any]] = parquet.read_table(path).to_pydict()
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"`{path}` is damaged", "adapt again") from error
    rivals = {
        name.removeprefix(RIVAL): labels
        for name, labels in columns.items()
        if name.startswith(RIVAL)
    }
    ids, inputs, true, predicted, logits = (
        columns.get(name, []) for name in ("id", "input", "true", "label", "scores")
    )
    digests, origins = (columns.get(name, [""] * len(inputs)) for name in ("digest", "origin"))
    contents = [digest or each for digest, each in zip(digests, inputs, strict=True)]
    return Predictions(ids, inputs, contents, true, predicted, logits, rivals, origins)
