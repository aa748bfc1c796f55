"""The form `merged`: one whole model, as transformers loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..export import Export, Mergeable, Saved
from ..hookspecs import Task, hookimpl


class Merged:
    """The base with the adapter in its weights, in 32 bits."""

    name = "merged"
    about = "one model, the adapter in the weights of its base, in 32 bits"
    library = "transformers"
    needs: Mapping[str, str] = {}
    # Measured: 1e-6 of the largest logit at most. Weights rounded to bf16 are found out (a test).
    tolerance = 1e-4

    def fits(self, task: Task) -> bool:
        """Return whether the task's adapters can be merged."""
        return isinstance(task, Mergeable)

    def write(self, task: Task, saved: Saved, folder: Path) -> str:
        """Write the whole model, and return the code of its task's cards."""
        assert isinstance(task, Mergeable), "it fits"
        task.merge(saved, folder)
        return task.snippet(folder, saved.loading)


@hookimpl
def register_exports() -> list[Export]:
    """Offer whole models."""
    return [Merged()]
