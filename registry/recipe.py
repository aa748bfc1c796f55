"""A recipe: a named way to adapt, as data over a method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from .errors import BadOption, nearest, unknown

FIELDS = ("name", "method", "about", "options")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A method with its options set, under a name."""

    name: str
    method: str
    about: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def over(self, defaults: Mapping[str, Any]) -> Recipe:
        """Return the recipe with its method's defaults under it, each option of the right type."""
        options = dict(defaults)
        for key, value in self.options.items():
            if key not in options:
                raise self._unknown(key, options)
            options[key] = like(options[key], value, f"{key}: {value}")
        return replace(self, options=options)

    def with_options(self, changes: Mapping[str, str]) -> Recipe:
        """Return the recipe with `--set` values, each read as the type that stood there."""
        options = dict(self.options)
        for key, text in changes.items():
            if key not in options:
                raise self._unknown(key, options)
            options[key] = like(options[key], yaml.safe_load(text), f"--set {key}={text}")
        return replace(self, options=options)

    def check_words(self, words: Mapping[str, Sequence[str]]) -> None:
        """Raise BadOption where an option that takes one of a few words has another."""
        for key, known in words.items():
            if self.options[key] not in known:
                raise BadOption(
                    f"`{key}={self.options[key]}` is not known", f"it is one of {', '.join(known)}"
                )

    def _unknown(self, key: str, options: Mapping[str, Any]) -> BadOption:
        close = nearest(key, options)
        hint = f"did you mean `{close}`? " if close else ""
        return BadOption(
            f"the recipe `{self.name}` has no option `{key}`",
            f"{hint}it has {', '.join(options)}",
        )


def like(example: Any, value: Any, said: str) -> Any:
    """Return `value` in the type of `example`; raises BadOption where it doesn't fit."""
    if isinstance(example, bool) or isinstance(value, bool):
        fits = isinstance(example, bool) and isinstance(value, bool)
    elif isinstance(example, float):
        try:  # YAML 1.1 reads 1e-3 as a text
            value, fits = float(value), True
        except (TypeError, ValueError):
            fits = False
    elif isinstance(example, str) and isinstance(value, int):
        value, fits = str(value), True  # an option that is a word or a number, as `auto` or 2
    else:
        fits = isinstance(value, type(example))
    if isinstance(value, int | float) and not isinstance(value, bool):
        least = 0.0 if isinstance(example, float) else 1
        if not (math.isfinite(value) and value >= least):
            raise BadOption(f"`{said}` is out of range", f"it must be {least:g} or more")
    if not fits:
        kind = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        wanted = kind.get(type(example).__name__, "a text")
        known = str(example).lower() if isinstance(example, bool) else example
        raise BadOption(f"`{said}` needs {wanted}", f"such as {known}")
    return value


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in a YAML file; raises BadOption that names the field at fault."""
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise BadOption(f"`{path}` is no recipe: {str(error).splitlines()[0]}") from error
    if not isinstance(read, dict):
        raise BadOption(f"`{path}` is no recipe", f"it needs the fields {', '.join(FIELDS)}")
    for name in read:
        if name not in FIELDS:
            raise unknown("field of a recipe", str(name), FIELDS, f"in `{path}`")
    for name in ("name", "method", "about"):
        if not isinstance(read.get(name), str):
            raise BadOption(
                f"`{path}` has no `{name}`", "see `hubtl recipes probe` for a whole one"
            )
    return Recipe(read["name"], read["method"], read["about"], read.get("options") or {})
