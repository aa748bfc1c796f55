"""Any model with transformers' own classification head, saved as a PEFT adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.layers import first_linear
from ...transfer.network import choose_device
from ..export import Saved
from . import files, merging
from .adapted import NOTHING, Adapted
from .inputs import Inputs

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of classifier: transformers' class for it, PEFT's name of it, how inputs are read.

    `inputs` is given the base's folder and its configuration; `texts` is whether these are texts.
    """

    auto: str
    task_type: str | None
    inputs: Callable[[Path, Any], Inputs]
    texts: bool = False


class Classifier(Adapted):
    """A model with a classification head that transformers knows, for one set of labels.

    `told` goes into its configuration.
    """

    def __init__(
        self,
        kind: Kind,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        told: Mapping[str, str] = NOTHING,
        *,
        views: int = 1,
    ) -> None:
        self._labels, self._told = list(labels), told
        self.device = choose_device(device)
        self.reads_texts = kind.texts

        def load() -> tuple[Any, Mapping[str, Any]]:
            return open_classifier(kind.auto, base, len(labels))

        model, loaded = load()
        body, fresh = model.to(self.device), lambda: load()[0]
        super().__init__(base, entry, body, fresh, kind.task_type, views=views)
        self._inputs = kind.inputs(base, model.config)
        self._new = _new_modules(model, loaded)
        self._seen: Tensor | None = None
        self.head = self._find_head()
        name = next(name for name, module in model.named_modules() if module is self.head)
        if not merging.is_under(name, self._new):
            # The checkpoint has a head of just this size; it is trained, so it is saved too.
            self._new += _widest(model, [f"{name}.weight"])
        self._check_wrapping()
        self._kind = type(model).__name__

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, how inputs are read, how many labels."""
        about = f"{self._inputs.identity}, {len(self._labels)} labels"
        return f"{self._named} classifier, {about}"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return how long each input is, after truncation."""
        return self._inputs.sizes(inputs)

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return a padded batch."""
        return self._inputs.batch(inputs, self.device)

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return a batch whose masks are right."""
        return self._inputs.outline(inputs, self.device)

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return a text for each input that is another only where it holds something else."""
        return self._inputs.contents(inputs)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the last linear layer of the head sees, [rows, width].

        Raises BadOption where it judges each position, and the answer is taken from one of them.
        """
        self.body(**batch)
        seen, self._seen = self._seen, None
        assert seen is not None, "the hook on the head has just run"
        if seen.ndim != 2:
            raise BadOption(
                f"`{self._entry.id}` judges every word by a head of its own: hubtl does not adapt "
                "such models to classes",
                "choose an encoder: `hubtl search --kind base`",
            )
        return seen

    def carry(self, config: PeftConfig, whole: Sequence[str] = ()) -> None:
        """Wrap the model; every module that the checkpoint lacks is saved with the adapter."""
        # PEFT copies the head, and with it would copy all that watches it: the whole network.
        self._watching.remove()
        super().carry(config, whole)
        self.head = self._find_head()

    def save(self, folder: Path) -> None:
        """Write an adapter or a whole model, with its config and what prepares its inputs."""
        self._write_weights(folder)
        self._inputs.save(folder)
        more = {**self._told, "architectures": [self._kind]}
        files.write_config(self._base, folder, self._labels, **more)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how inputs are prepared and pooled, and how many of these were cut."""
        return self._inputs.describe(inputs, "pooled as transformers' classification head does")

    def _find_head(self) -> nn.Linear:
        """Return the last linear layer that gives one logit a label, and watch what it sees."""
        from torch import nn

        found = [
            module
            for name, module in self.body.named_modules()
            if isinstance(module, nn.Linear)
            and module.out_features == len(self._labels)
            and "original_module" not in name
        ][-1]
        self._watching = found.register_forward_pre_hook(self._watch)
        return found

    def _check_wrapping(self) -> None:
        """Raise BadOption where the body looks into a layer that PEFT wraps, not just runs it.

        Every recipe but two wraps a layer; a MobileNet asks a convolution how far it strides.
        """
        import torch

        name = first_linear(self.body)
        inner = self.body.get_submodule(name)
        if isinstance(inner, torch.nn.Linear):
            return
        self.body.set_submodule(name, _wrapped(inner))
        try:
            with torch.inference_mode():
                self.body.eval()
                self.features(self.outline([""]))
        except AttributeError as error:
            raise BadOption(
                f"`{self._entry.id}` can't be adapted: it looks into its layers, so that none "
                "can be wrapped",
                "choose another --base: `hubtl search --kind base`",
            ) from error
        finally:
            self.body.set_submodule(name, inner)

    def _watch(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._seen = inputs[0]


def _wrapped(inner: nn.Module) -> nn.Module:
    from torch import nn

    class Wrapped(nn.Module):
        """Runs a layer and, as PEFT's wrappers do, shows nothing of it but its weight."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = inner
            self.weight = inner.weight

        def forward(self, *args: Any) -> Any:
            return inner(*args)

    return Wrapped()


def open_classifier(auto: str, base: Path, classes: int) -> tuple[Any, Mapping[str, Any]]:
    """Return the base with a new head by transformers' class, and what loading says of it."""
    import torch
    import transformers

    torch.manual_seed(0)
    model, told = getattr(transformers, auto).from_pretrained(
        base,
        num_labels=classes,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        use_safetensors=True,
        trust_remote_code=False,
    )
    return model, told


def merge(auto: str, saved: Saved, out: Path) -> None:
    """Write a saved adapter of transformers' class as a whole model of that class."""
    classes = len(saved.loading.labels)
    merging.write_whole(saved, out, lambda base: open_classifier(auto, base, classes)[0])


def function(
    auto: str, folder: Path, classes: int
) -> tuple[nn.Module, Callable[[Mapping[str, Tensor]], Tensor]]:
    """Return the model in a whole folder, and how it makes logits of its inputs."""
    model, _ = open_classifier(auto, folder, classes)
    return model, lambda inputs: model(**inputs).logits


def _new_modules(model: Any, told: Mapping[str, Any]) -> list[str]:
    """Return the modules that the checkpoint has no weights for, at the widest that are all new.

    Derived from what loading reports, not from a list of names: a head that is not saved is random
    after a reload, without a word.
    """
    return _widest(
        model, [*told["missing_keys"], *(key for key, *_ in told.get("mismatched_keys", []))]
    )


def _widest(model: Any, keys: Sequence[str]) -> list[str]:
    """Return the modules outside of the body that weights are in, or the body's own parts."""
    prefix = model.base_model_prefix
    found = set()
    for key in keys:
        parts = key.split(".")
        depth = 2 if parts[0] == prefix else 1
        found.add(".".join(parts[: min(depth, len(parts) - 1)]))
    return sorted(found)
