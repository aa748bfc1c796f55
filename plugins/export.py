"""Other forms of an adapted model: what a form is, and what a task must be able to do for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .hookspecs import Loading, Task

HERE = "."  # the address of what is loaded from the folder in which code is run


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved adapter: its folder, which files there are its own, its base's folder.

    `loading` is what code needs to load what is made of it, with HERE as the address.
    """

    folder: Path
    files: Sequence[str]
    base: Path
    loading: Loading


@dataclass(frozen=True, slots=True)
class Graph:
    """A network as a function of named tensors, to be written down for other programs.

    `run` takes tensors by their names, as `example` has them, and runs `model` on them; `axes` says
    which dimensions of each may be of any size. It gives the tensors `outputs`, in order. `code` is
    Python that loads `model.onnx` from the folder it is run in, and defines `predict(inputs)` and
    `logits(inputs)` by the help of the `files` that prepare inputs.
    """

    model: nn.Module
    run: Callable[[Mapping[str, Tensor]], Any]
    example: Mapping[str, Tensor]
    axes: Mapping[str, Sequence[int]]
    outputs: Sequence[str]
    files: Sequence[str]
    code: str


@runtime_checkable
class Mergeable(Protocol):
    """A task whose adapters can be put into the weights of their bases."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model, which `snippet` loads, into an empty folder."""
        ...


@runtime_checkable
class Graphed(Mergeable, Protocol):
    """A task whose networks are functions from tensors to logits, in one go."""

    def graph(self, folder: Path, loading: Loading) -> Graph:
        """Return the network of a folder that `merge` wrote."""
        ...


class Export(Protocol):
    """A form that adapted models can be written in.

    `about` says what it is, for the card, `library` what loads it, as the Hub calls that. `needs`
    names packages, each with what pip is told to install. `tolerance` is how far a logit may be
    from the adapter's, as a share of the largest of its row (of 1 at least).
    """

    name: str
    about: str
    library: str
    needs: Mapping[str, str]
    tolerance: float

    def fits(self, task: Task) -> bool:
        """Return whether a task's models can be written in this form."""
        ...

    def write(self, task: Task, saved: Saved, folder: Path) -> str:
        """Write a model that fits into an empty folder; return Python that loads it there.

        The code is run in the folder, without hubtl, and defines what `Task.snippet` says.
        """
        ...
