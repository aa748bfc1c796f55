"""What a task may tell whose networks have other outputs than its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Tagging(Protocol):
    """A task whose head has a logit for each of some tags, made of the labels."""

    def outputs(self, labels: Sequence[str]) -> Sequence[str]:
        """Return the tags, as `config.json` numbers them."""
        ...
