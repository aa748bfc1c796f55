"""What `hubtl check` asks of a task about its inputs: their size, which are alike, how they look.

A task need not fit: then only what rows and labels tell is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


class Look(Protocol):
    """Inputs that were looked at; each is read at most once, when something of it is asked.

    `near` says in a few words which inputs are alike, `plain` what `features` are.
    """

    near: str
    plain: str

    def measures(self) -> Mapping[str, Sequence[float]]:
        """Return numbers of each input by what they count, such as its words or its seconds."""
        ...

    def traits(self) -> Mapping[str, Sequence[str]]:
        """Return a word on each input by what it tells, such as its language, or `unknown`."""
        ...

    def alike(self) -> Sequence[tuple[int, int]]:
        """Return pairs (i < j) of inputs that are nearly the same."""
        ...

    def features(self) -> Any:
        """Return what a plain rival sees [inputs, features]: a sparse matrix, or an array."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """A task whose inputs can be looked at before anything learns from them."""

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the inputs, ready to be asked about."""
        ...
