"""How far training has come, on disk: a kill at any moment leaves the last whole state."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

EVERY = 5.0  # seconds between two at least
SHARE = 0.02  # of the time that saving may cost: a large state is kept less often


@dataclass(frozen=True, slots=True)
class State:
    """Tensors by name, and what else there is to know, which JSON can hold."""

    tensors: Mapping[str, Tensor]
    about: Mapping[str, Any]


class Checkpoint:
    """One file, `training.safetensors`, written in the folder `new` beside it and renamed."""

    def __init__(self, folder: Path, every: float = EVERY, share: float = SHARE) -> None:
        self._path = folder / "training.safetensors"
        self._every, self._share = every, share
        self._last, self._cost = time.monotonic(), 0.0

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
        return time.monotonic() - self._last >= max(self._every, self._cost / self._share)

    def keep(self, state: State) -> None:
        """Write a state over the one before."""
        from safetensors.torch import save_file

        began = time.monotonic()
        # A writer may keep to a file of its own name until all is written, so it gets a folder.
        room = self._path.with_name("new")
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        tensors = {name: tensor.contiguous() for name, tensor in state.tensors.items()}
        save_file(tensors, room / self._path.name, {"about": json.dumps(dict(state.about))})
        (room / self._path.name).replace(self._path)
        room.rmdir()
        self._last = time.monotonic()
        self._cost = self._last - began
