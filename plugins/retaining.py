"""What a task may tell of how much of the base an adapted model still can.

A task need not fit: then that is not known of its models.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Retaining(Protocol):
    """A task with public inputs of many kinds, and code to ask a saved folder about them.

    `retention_set` says in a few words what the inputs are, `retention_labels` what is right for
    each, where a base may have a head of its own to be judged by.
    """

    retention_set: str
    retention_labels: Sequence[str]

    @property
    def retention_inputs(self) -> Sequence[str]:
        """The inputs: texts, or paths of files that ship."""
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
