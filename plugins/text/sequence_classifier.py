"""A plain encoder with transformers' own classification head, saved as a PEFT adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.network import choose_device
from ..hookspecs import Loading
from . import files
from .tokens import Tokens

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import Tensor, nn

SNIPPET = """\
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}

tokenizer = AutoTokenizer.from_pretrained(adapter)
model = AutoModelForSequenceClassification.from_pretrained(
    base, revision=base_revision, num_labels=num_labels, dtype=torch.float32,
    ignore_mismatched_sizes=True,
)
model = PeftModel.from_pretrained(model, adapter).eval()


@torch.inference_mode()
def logits(texts):
    found = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(texts[start : start + 32], padding=True, truncation=True,
                          max_length={length}, return_tensors="pt")
        found.append(model(**batch).logits)
    return torch.cat(found)


def predict(texts):
    return [labels[number] for number in logits(texts).argmax(1).tolist()]
"""

WAY = "`AutoPeftModelForSequenceClassification.from_pretrained(adapter, num_labels=…)`, at the pin"
WAY_CODE = """\
import torch
from peft import AutoPeftModelForSequenceClassification
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({address!r})
model = AutoPeftModelForSequenceClassification.from_pretrained({address!r}, num_labels={classes})
model.eval()


@torch.inference_mode()
def logits(texts):
    batch = tokenizer(texts, padding=True, truncation=True, max_length={length},
                      return_tensors="pt")
    return model(**batch).logits
"""


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers and peft alone."""
    return SNIPPET.format(
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        labels=list(loading.labels),
        classes=len(loading.labels),
        length=int(loading.inputs["max_length"]),
    )


class SequenceClassifier:
    """A model with a classification head that transformers knows, for one set of labels."""

    def __init__(self, base: Path, entry: Entry, labels: Sequence[str], device: str | None) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification

        self._base, self._entry, self._labels = base, entry, list(labels)
        self.device = choose_device(device)
        torch.manual_seed(0)
        model, told = AutoModelForSequenceClassification.from_pretrained(
            base,
            num_labels=len(labels),
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
        positions = getattr(model.config, "max_position_embeddings", None) or 512
        self._tokens = Tokens(base, min(positions, 512))
        self._new = _new_modules(model, told)
        self.body: nn.Module = model.to(self.device)
        self.body.requires_grad_(False)
        self._seen: Tensor | None = None
        self.head = self._find_head()
        name = next(name for name, module in model.named_modules() if module is self.head)
        if not any(name == new or name.startswith(f"{new}.") for new in self._new):
            # The checkpoint has a head of just this size; it is trained, so it is saved too.
            self._new.append(name)

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the tokens of each text, after truncation."""
        return self._tokens.sizes(inputs)

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return padded token ids and their mask."""
        return self._tokens.batch(inputs, self.device)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the last linear layer of the head sees, [rows, width]."""
        self.body(**batch)
        assert self._seen is not None, "the hook on the head has just run"
        return self._seen

    def carry(self, config: PeftConfig) -> None:
        """Wrap the model; every module that the checkpoint lacks is saved with the adapter."""
        from peft import TaskType, get_peft_model

        config.task_type = TaskType.SEQ_CLS
        config.modules_to_save = list(self._new)  # type: ignore[attr-defined]
        self.body = get_peft_model(self.body, config)
        self.head = self._find_head()

    def save(self, folder: Path) -> None:
        """Write a PEFT folder with config and tokenizer."""
        files.save_adapter(self.body, folder, self._entry, self._new)
        files.copy_tokenizer(self._base, folder)
        kind = type(getattr(self.body, "base_model").model).__name__  # noqa: B009
        files.write_config(self._base, folder, self._labels, architectures=[kind])

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how texts are cut and pooled, and how many of these were cut."""
        return self._tokens.describe(inputs, "pooled as transformers' classification head does")

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
        found.register_forward_pre_hook(self._watch)
        return found

    def _watch(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._seen = inputs[0]


def _new_modules(model: Any, told: Mapping[str, Any]) -> list[str]:
    """Return the modules that the checkpoint has no weights for, at the widest that are all new.

    Derived from what loading reports, not from a list of names: a head that is not saved is random
    after a reload, without a word.
    """
    missing = set(told["missing_keys"]) | {key for key, *_ in told.get("mismatched_keys", [])}
    prefix = model.base_model_prefix
    found = set()
    for key in missing:
        parts = key.split(".")
        depth = 2 if parts[0] == prefix else 1
        found.add(".".join(parts[: min(depth, len(parts) - 1)]))
    return sorted(found)
