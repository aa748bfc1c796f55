"""A demo: what `hubtl demo` does on real data that ships with a plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Demo:
    """A road to walk: what its commands are told, and what is said above them.

    `suits` follows "Find a base model that suits", and `learns` follows "Adapt it to". With `few`,
    so many training rows a label of `data`, a csv with a column for each role of the task, are
    written to a file of their own and learnt from. An input may be the path of a shipped file.
    """

    name: str
    task: str
    domain: str
    suits: str
    words: str
    learns: str
    data: Path
    inputs: Sequence[str | Path]
    model: str
    test: Path | None = None
    few: int | None = None
    language: str | None = None
    data_licence: str | None = None
    base: str = ""
    recipe: str = "probe"
    options: Mapping[str, str] = field(default_factory=dict)
