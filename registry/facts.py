"""What was measured of an adapted model: `hubtl.json`, the card's only source."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import BadData, UnknownName

FILE = "hubtl.json"
FORMAT = 1
LOCAL = ("report.html", "predictions.parquet")
WRITTEN_LATER = ("README.md", FILE)


@dataclass(frozen=True, slots=True)
class Facts:
    """Provenance and measurements of one adapted folder; rates are fractions, times seconds."""

    task: str
    base: str
    base_revision: str
    licence: str | None
    recipe: str
    method: str
    options: Mapping[str, Any]
    why: str
    labels: tuple[str, ...]
    rows: Mapping[str, int]
    main_metric: str
    metrics: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]
    gain: Mapping[str, Any]
    beats_baseline: bool
    retention: Mapping[str, Any]
    seconds: float
    peak_memory_bytes: int
    energy: Mapping[str, Any]
    seed: int
    data: Mapping[str, Any]
    inputs: Mapping[str, Any]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    probe: Mapping[str, Any]
    languages: tuple[str, ...] = ()
    domain: str | None = None
    address: str | None = None
    loads: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def as_json(self, folder: Path | str) -> dict[str, Any]:
        """Return the keys that `adapt --json` promises; the probe's logits stay in the file."""
        facts = dataclasses.asdict(self)
        del facts["probe"], facts["format"]
        return {"folder": str(folder), **facts}

    def write(self, folder: Path) -> None:
        """Write `hubtl.json` into a folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False, sort_keys=True)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_facts(folder: Path) -> Facts:
    """Return the facts of an adapted folder; raises UnknownName or BadData where there are none."""
    path = folder / FILE
    if not path.is_file():
        raise UnknownName(
            f"`{folder}` is no adapted folder: it has no {FILE}",
            "`hubtl adapt TASK DATA --out FOLDER` makes one",
        )
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        known = {each.name for each in dataclasses.fields(Facts)}
        facts = Facts(**{name: value for name, value in read.items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise BadData(
            f"`{path}` is damaged: {error}", "adapt again, or take it from a copy"
        ) from error
    if facts.format > FORMAT:
        raise BadData(f"`{path}` was written by a newer hubtl", "pip install --upgrade hubtl")
    return dataclasses.replace(facts, labels=tuple(facts.labels), languages=tuple(facts.languages))
