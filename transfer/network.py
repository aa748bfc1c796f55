"""What the engine needs of a model: batches in, features and logits out.

A task's plugin makes one; nothing here knows what the inputs are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..registry.entry import Entry
from ..registry.errors import BadOption
from .resources import bound_kernel_cache, keep_freed_memory

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig
    from torch import Tensor, nn


class Network(Protocol):
    """A pretrained body with a new linear head on it, for one set of labels.

    It trains on so many `views` of each row, itself the first of them. `above` names lists of
    layers between the stack and the head that learn with it, such as a decoder's; `alike` is
    whether inputs of a batch must be of one size, for want of a mask. One that has `parts`, as two
    things to compare, gives the body as many rows an input: all first parts, then the next ones.
    """

    body: nn.Module
    head: nn.Linear
    device: torch.device
    views: int
    above: Sequence[str]
    alike: bool

    @property
    def identity(self) -> str:
        """A text that is the same only where the same frozen part prepares inputs the same way."""
        ...

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Be told the rows to learn from, before anything is built upon or trained.

        Labels that are texts may need a vocabulary. Raises BadData for rows that can't be learnt.
        """
        ...

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return how long each input is, in whatever the body's cost grows with."""
        ...

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return one padded batch on the device."""
        ...

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return such a batch for a network that starts at a cut: its masks are right, no more.

        Where inputs are dear to read, what only the layers below the cut look at may be anything.
        """
        ...

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return a text for each input that is another only where it holds something else."""
        ...

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the head sees, [rows, features], or [rows, positions, features]."""
        ...

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the body, before anything is trained; not its old head.

        What is saved later tells those changes too. Raises BadOption where they don't fit.
        """
        ...

    def carry(self, config: PeftConfig, whole: Sequence[str] = ()) -> None:
        """Wrap the body with a PEFT method; what is new stays trainable and is saved with it.

        So are the modules named in `whole`, such as the last layers.
        """
        ...

    def release(self) -> None:
        """Make all weights trainable, to be saved as a whole model."""
        ...

    def save(self, folder: Path) -> None:
        """Write a folder that public libraries load without hubtl."""
        ...

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how inputs are prepared, and how many of these were cut short."""
        ...


def choose_device(asked: str | None) -> torch.device:
    """Return the device to train on: the one asked for, else a GPU where there is one."""
    bound_kernel_cache()
    keep_freed_memory()
    import torch

    if asked not in (None, "cpu", "cuda"):
        raise BadOption(f"there is no device `{asked}`", "--device cpu or --device cuda")
    if asked == "cuda" and not torch.cuda.is_available():
        raise BadOption("this machine has no GPU that torch can use", "see `hubtl doctor`")
    return torch.device(asked or ("cuda" if torch.cuda.is_available() else "cpu"))


def batches(
    sizes: Sequence[int], rows: int, positions: int | None = None, *, alike: bool = False
) -> Iterator[list[int]]:
    """Yield the numbers of inputs of about one length, longest first, `rows` at a time.

    Longest first shows at once whether the largest batch fits into memory; with `positions`, a
    batch of long inputs has fewer rows, so that it has no more than so many positions. If `alike`,
    those of a batch are of one size.
    """
    order = sorted(range(len(sizes)), key=lambda number: -sizes[number])
    start = 0
    while start < len(order):
        count = rows
        if positions:
            count = max(1, min(rows, positions // max(1, sizes[order[start]])))
        some = order[start : start + count]
        if alike:
            some = [number for number in some if sizes[number] == sizes[some[0]]]
        yield some
        start += len(some)


def padded(sizes: Sequence[int], groups: Iterable[Sequence[int]]) -> int:
    """Return how many positions batches have, each row as long as the longest of its batch."""
    return sum(len(numbers) * max(sizes[n] for n in numbers) for numbers in groups)
