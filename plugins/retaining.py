"""What a task may tell of how much of the base an adapted model still can.

A task need not fit: then that is known of its models only where nothing in the body was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Probes:
    """Inputs, what they are in a few words, and what is right for each, if that is to be judged.

    `keeps` must outlive the reading of files that were fetched.
    """

    words: str
    inputs: Sequence[str]
    labels: Sequence[str] = ()
    keeps: object = None


@runtime_checkable
class Retaining(Protocol):
    """A task with public inputs of many kinds, and code to ask a saved folder about them.

    Where `retention_judged`, a base may have a head of its own, and is judged by what is right; of
    a task without classes, bases are ranked by that too.
    """

    retention_judged: bool

    def retention_probes(self, base: Path) -> Probes:
        """Return public inputs that ship, as the base can be asked about them."""
        ...

    def asking(self, folder: Path, base: Path) -> str:
        """Return Python that runs behind the card's code and defines `kept(inputs)`.

        It gives a list with what the head sees of each input; or, where the base has a head of its
        own, with what the model says of each.
        """
        ...

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> Sequence[str] | None:
        """Return what the base as it is says of inputs; None where it has no head of its own."""
        ...
