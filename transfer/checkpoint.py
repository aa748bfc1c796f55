"""How far training has come, on disk: a kill at any moment leaves the last whole state."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

EVERY = 20.0  # seconds between two, so that saving costs little


@dataclass(frozen=True, slots=True)
class State:
    """Tensors by name, and what else there is to know, which JSON can hold."""

    tensors: Mapping[str, Tensor]
    about: Mapping[str, Any]


class Checkpoint:
    """One file, `training.safetensors`, written beside and renamed."""

    def __init__(self, folder: Path, every: float = EVERY) -> None:
        self._path = folder / "training.safetensors"
        self._every = every
        self._last = time.monotonic()

    def load(self) -> State | None:
        """Return the state that was kept last, or None; raises nothing for a file that is cut."""
        from safetensors import SafetensorError, safe_open

        if not self._path.is_file():
            return None
        try:
            with safe_open(self._path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                names = list(file.keys())
                return State({name: file.get_tensor(name) for name in names}, about)
        except (SafetensorError, KeyError, ValueError):
            return None

    @property
    def due(self) -> bool:
        """Whether it is time to keep another."""
        return time.monotonic() - self._last >= self._every

    def keep(self, state: State) -> None:
        """Write a state over the one before."""
        from safetensors.torch import save_file

        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        tensors = {name: tensor.contiguous() for name, tensor in state.tensors.items()}
        save_file(tensors, beside, {"about": json.dumps(dict(state.about))})
        beside.replace(self._path)
        self._last = time.monotonic()
