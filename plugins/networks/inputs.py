"""What a network is given: how inputs of one kind become batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Inputs(Protocol):
    """Reads inputs as a base was trained to see them."""

    @property
    def identity(self) -> str:
        """A text that is the same only where inputs are prepared the same way."""
        ...

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return how long each input is, in whatever the network's cost grows with."""
        ...

    def batch(self, inputs: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return one padded batch, with the names that the model's forward knows."""
        ...

    def outline(self, inputs: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return such a batch in which only masks need be right."""
        ...

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return a text for each input that is another only where it holds something else."""
        ...

    def describe(self, inputs: Sequence[str], pooling: str) -> dict[str, Any]:
        """Return how these are prepared and pooled, for the card: `how`, and what code needs."""
        ...

    def save(self, folder: Path) -> None:
        """Write the small files that prepare inputs without hubtl."""
        ...
