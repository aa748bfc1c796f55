"""What all networks share: a body that is changed, by an adapter or as a whole, and its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from . import files, merging

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import nn

NOTHING: Mapping[str, str] = {}  # to tell in a configuration


class Adapted:
    """A pretrained body, all frozen at first; `fresh` gives it anew as the base has it.

    `task_type` is PEFT's name of what it does; `new` are the modules that the base has no weights
    for, which are saved with every adapter. `reads_texts` is whether inputs are
    texts, as the names of labels are.
    """

    body: nn.Module
    above: Sequence[str] = ()
    alike = False
    reads_texts = False

    def __init__(
        self,
        base: Path,
        entry: Entry,
        body: nn.Module,
        fresh: Callable[[], Any],
        task_type: str | None = None,
        *,
        views: int = 1,
    ) -> None:
        self._base, self._entry, self._fresh, self._task_type = base, entry, fresh, task_type
        self.body, self.views = body, views
        self.body.requires_grad_(False)
        self._new: list[str] = []
        self._layers: Sequence[str] = ()
        self._whole = False
        self._upon: Entry | None = None

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Do nothing: classes are known before."""

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the body; what is new for these labels stays new."""
        self.body = merging.put_into(self.body, adapter, entry, self._new)
        self._upon = entry

    def carry(self, config: PeftConfig, whole: Sequence[str] = ()) -> None:
        """Wrap the body; what is new, and the modules in `whole`, are saved with the adapter."""
        from peft import get_peft_model

        config.task_type = self._task_type
        self._layers = [name for name in whole if not merging.is_under(name, self._new)]
        config.modules_to_save = [*self._new, *self._layers] or None  # type: ignore[attr-defined]
        body: Any = self.body
        self.body = get_peft_model(body, config)

    def release(self) -> None:
        """Make all weights trainable."""
        self._whole = True
        self.body.requires_grad_(True)

    @property
    def _named(self) -> str:
        return files.identity(self._entry, self._upon)

    def _write_weights(self, folder: Path, whole: Any = None) -> None:
        """Write an adapter; or all weights of the body, or of the `whole` that it is a part of."""
        if self._upon and not self._whole:
            self.body = merging.as_plain(self.body)
            kind, new = self._task_type, self._new
            one = merging.save_as_one(self._fresh(), self.body, folder, self._entry, kind, new)
            self._whole = not one
        elif not self._whole:
            files.save_adapter(self.body, folder, self._entry, [*self._new, *self._layers])
        if self._whole:
            files.save_whole(whole or self.body, folder)
