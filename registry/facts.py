"""What was measured of an adapted model: `hubtl.json`, the card's only source."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import BadData, UnknownName

FILE = "hubtl.json"
FORMAT = 1
LOCAL = ("report.html", "predictions.parquet", "split.json", "plan.json")
WRITTEN_LATER = ("README.md", FILE)


@dataclass(frozen=True, slots=True)
class Facts:
    """Provenance and measurements of one adapted folder; rates are fractions, times seconds.

    `rivals` says what each of the baselines is, in words; one that it doesn't name is its own word.

    `lineage` is what an adapter of an adapter was made upon, each with its id, revision and
    licence: the nearest first, the base last. It is empty for an adapter of a base. `history` is
    what was published under its name before, each with its result; `base_files` are the sha256s of
    the base, and `base_copied_from` tells of which it is a copy, if it is one. `asked` is the
    recipe that was asked for, and `climb` what `auto` tried before it chose `recipe`.
    `curve` has `points` of {rows, value, low, high}, and `says` whether more rows are worth it, or
    why that is not known.

    `losses` are by epoch, on `training` and on `validation` rows, the latter from before training
    on; `layers` are those of a probe on what each layer of the base gives. `shift` tells test rows
    of a file of their own apart from rows like those that were learnt from.
    """

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
    seeds: Mapping[str, Any] | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    rivals: Mapping[str, str] = field(default_factory=dict)
    lineage: tuple[Mapping[str, str | None], ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    full_estimate: Mapping[str, Any] = field(default_factory=dict)
    losses: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, Any] = field(default_factory=dict)
    shift: Mapping[str, Any] | None = None
    made_on: str | None = None
    base_files: Mapping[str, str] = field(default_factory=dict)
    base_copied_from: Mapping[str, str] | None = None
    asked: str | None = None
    climb: Mapping[str, Any] | None = None
    curve: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that an input is made of, where it is of several."""
        return tuple(self.data.get("fields", ()))

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
        if read.get("format") != FORMAT:
            raise BadData(f"`{path}` was written by another hubtl", "pip install --upgrade hubtl")
        _check(read)
        known = {each.name for each in dataclasses.fields(Facts)}
        facts = Facts(**{name: value for name, value in read.items() if name in known})
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        OverflowError,
        RecursionError,
    ) as error:
        if isinstance(error, BadData):
            raise
        raise BadData(
            f"`{path}` is damaged: {error}", "adapt again, or take it from a copy"
        ) from error
    return dataclasses.replace(
        facts,
        labels=tuple(facts.labels),
        languages=tuple(facts.languages),
        lineage=tuple(facts.lineage),
        history=tuple(facts.history),
    )


def _check(read: Mapping[str, Any]) -> None:
    """Raise ValueError for what would be dangerous to use: this file may be a stranger's."""
    for name in ("task", "base", "base_revision", "main_metric"):
        if not isinstance(read[name], str):
            raise ValueError(f"`{name}` is no text")
    if not re.fullmatch("[0-9a-f]{40}", read["base_revision"]):
        raise ValueError("`base_revision` is no commit")
    if not all(isinstance(label, str) for label in read["labels"]):
        raise ValueError("a label is no text")
    for path in read["files"]:
        parts = PurePosixPath(path).parts
        unsafe = PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path
        if unsafe or path in (*LOCAL, *WRITTEN_LATER):
            raise ValueError(f"`{path}` may not be among its files")
    _check_history(read.get("history", []))
    _check_lineage(read.get("lineage", []), read["base"], read["base_revision"])
    copied = read.get("base_copied_from")
    if copied:
        _check_lineage([{**copied, "licence": None}], copied["id"], copied["revision"])
    if not all(isinstance(words, str) for words in dict(read.get("rivals", {})).values()):
        raise ValueError("`rivals` are not told in words")
    if not re.fullmatch(r"[^\n\r<>]{0,400}", read.get("curve", {}).get("says", "")):
        raise ValueError("its curve is told in odd words")
    for part in ("metrics", "baselines", "data", "inputs", "probe", "rows"):
        if not isinstance(read[part], dict):
            raise ValueError(f"`{part}` is no object")
    _check_data(read["data"], read["labels"])
    temperature = read.get("calibration", {}).get("temperature")
    if temperature is not None and not (_is_number(temperature) and temperature > 0):
        raise ValueError("its temperature is no number above zero")


def _check_data(data: Mapping[str, Any], labels: Any) -> None:
    """Raise ValueError for what is told of the rows in a way that nobody can reckon with."""
    for name in ("fingerprint", "test_fingerprint", "split"):
        if not isinstance(data[name], str):
            raise ValueError(f"`{name}` of its data is no text")
    for name in ("commonest", "licence"):
        if not isinstance(data.get(name), str | None):
            raise ValueError(f"`{name}` of its data is no text")
    if not all(isinstance(field, str) for field in data.get("fields", ())):
        raise ValueError("a column of its inputs is no text")
    groups = data.get("groups", 0)
    if type(groups) is not int or groups < 0:
        raise ValueError("`groups` of its data is no count")
    if "numbers" in data:
        numbers = {"least": 0.0, "most": 1.0, **data["numbers"]}  # some labels have ends
        told = [numbers[name] for name in ("mean", "deviation", "least", "most")]
        if not (all(map(_is_number, told)) and told[1] > 0 and len(labels) == 1):
            raise ValueError("`numbers` of its data are no mean and deviation of one label")


def _is_number(told: Any) -> bool:
    """Return whether this is a finite number; True and False are none."""
    return type(told) in (int, float) and math.isfinite(told)


def _check_lineage(lineage: Any, base: str, revision: str) -> None:
    """Raise ValueError unless a lineage is one, and ends with the base: a card will name it."""
    for made in lineage:
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", made["id"], re.ASCII):
            raise ValueError(f"`{made['id']}` is no model that it could be made upon")
        if not re.fullmatch("[0-9a-f]{40}", made["revision"]):
            raise ValueError(f"`{made['revision']}` is no commit of `{made['id']}`")
        if not re.fullmatch(r"[\w.+-]*", made["licence"] or "", re.ASCII):
            raise ValueError(f"`{made['licence']}` is no licence of `{made['id']}`")
    if lineage and (lineage[-1]["id"], lineage[-1]["revision"]) != (base, revision):
        raise ValueError("its lineage does not end with its base")


def _check_history(history: Any) -> None:
    """Raise ValueError for what could do harm in the card of the next version."""
    for version in history:
        if not re.fullmatch("[0-9a-f]{40}", version["revision"]):
            raise ValueError("a version in its history has no commit")
        words = [version[name] for name in ("base", "recipe", "metric", "test_fingerprint")]
        if not all(
            re.fullmatch(r"[^\n\r|`<>]{1,200}", word) for word in [*words, *version["tags"]]
        ):
            raise ValueError("a version in its history is told in odd words")
        numbers = [version[name] for name in ("value", "low", "high", "rows")]
        if not all(isinstance(number, int | float) for number in numbers):
            raise ValueError("a version in its history has a result that is no number")
