"""What clock and memory decided, each once: whoever has the same choices gets the same bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Choices:
    """Choices by name; `keep` is told all of them whenever there is a new one."""

    def __init__(
        self,
        kept: Mapping[str, Any] | None = None,
        keep: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._kept = dict(kept or {})
        self._keep = keep

    def once(self, name: str, choose: Callable[[], T]) -> T:
        """Return the choice that was made before, else make it, and keep it before it is used."""
        if name not in self._kept:
            self.put(name, choose())
        found: T = self._kept[name]
        return found

    def put(self, name: str, choice: object) -> None:
        """Keep a choice."""
        self._kept[name] = choice
        if self._keep:
            self._keep(self._kept)

    def add(self, choices: Mapping[str, object]) -> None:
        """Keep those of these choices that were not made before."""
        for name, choice in choices.items():
            if name not in self._kept and choice is not None:
                self.put(name, choice)

    def get(self, name: str) -> Any:
        """Return a choice, or None where it was not made."""
        return self._kept.get(name)

    def all(self) -> dict[str, Any]:
        """Return what was chosen, by name."""
        return dict(self._kept)
