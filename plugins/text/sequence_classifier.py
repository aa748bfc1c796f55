"""A plain encoder with transformers' own classification head, saved as a PEFT adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.network import choose_device
from ..hookspecs import Loading
from . import files, merging
from .tokens import Tokens

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import Tensor, nn

SNIPPET = """\
import torch
{peft}from transformers import AutoModelForSequenceClassification, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}

tokenizer = AutoTokenizer.from_pretrained(adapter)
{model}

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

ADAPTED = """\
model = AutoModelForSequenceClassification.from_pretrained(
    base, revision=base_revision, num_labels=num_labels, dtype=torch.float32,
    ignore_mismatched_sizes=True,
)
model = PeftModel.from_pretrained(model, adapter).eval()
"""
WHOLE = """\
model = AutoModelForSequenceClassification.from_pretrained(
    adapter, num_labels=num_labels, dtype=torch.float32,
).eval()
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

WAY_WHOLE = "`AutoModelForSequenceClassification.from_pretrained(adapter)`, labels and all"
WAY_WHOLE_CODE = """\
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({address!r})
model = AutoModelForSequenceClassification.from_pretrained({address!r}).eval()


@torch.inference_mode()
def logits(texts):
    batch = tokenizer(texts, padding=True, truncation=True, max_length={length},
                      return_tensors="pt")
    return model(**batch).logits
"""


def other_ways(folder: Path, loading: Loading) -> Mapping[str, str]:
    """Return how else the libraries' own classes may load a saved folder."""
    whole = not (folder / "adapter_config.json").is_file()
    way, code = (WAY_WHOLE, WAY_WHOLE_CODE) if whole else (WAY, WAY_CODE)
    about = {"classes": len(loading.labels), "length": int(loading.inputs["max_length"])}
    return {way: code.format(address=loading.address, **about)}


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers and peft alone."""
    whole = not (folder / "adapter_config.json").is_file()
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        model=WHOLE if whole else ADAPTED,
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
        self._base, self._entry, self._labels = base, entry, list(labels)
        self.device = choose_device(device)
        model, told = self._load()
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
        self._kind = type(model).__name__
        self._layers: Sequence[str] = ()
        self._whole = False
        self._upon: Entry | None = None

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, how texts are cut, how many labels."""
        about = f"{self._tokens.length} tokens, {len(self._labels)} labels"
        return f"{files.identity(self._entry, self._upon)} classifier, {about}"

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

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the model; what is new for these labels stays new."""
        self.body = merging.put_into(self.body, adapter, entry, self._new)
        self._upon = entry

    def carry(self, config: PeftConfig, whole: Sequence[str] = ()) -> None:
        """Wrap the model; every module that the checkpoint lacks is saved with the adapter."""
        from peft import TaskType, get_peft_model

        config.task_type = TaskType.SEQ_CLS
        self._layers = whole
        config.modules_to_save = [*self._new, *whole]  # type: ignore[attr-defined]
        self.body = get_peft_model(self.body, config)
        self.head = self._find_head()

    def release(self) -> None:
        """Make all weights trainable."""
        self._whole = True
        self.body.requires_grad_(True)

    def save(self, folder: Path) -> None:
        """Write an adapter or a whole model, with config and tokenizer."""
        if self._upon and not self._whole:
            self.body = merging.as_plain(self.body)
            plain, _ = self._load()
            one = merging.save_as_one(plain, self.body, folder, self._entry, "SEQ_CLS", self._new)
            self._whole = not one
        elif not self._whole:
            files.save_adapter(self.body, folder, self._entry, [*self._new, *self._layers])
        if self._whole:
            files.save_whole(self.body, folder)
        files.copy_tokenizer(self._base, folder)
        files.write_config(self._base, folder, self._labels, architectures=[self._kind])

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how texts are cut and pooled, and how many of these were cut."""
        return self._tokens.describe(inputs, "pooled as transformers' classification head does")

    def _load(self) -> tuple[Any, Mapping[str, Any]]:
        """Return the base with a new head, and what loading says of it."""
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.manual_seed(0)
        model, told = AutoModelForSequenceClassification.from_pretrained(
            self._base,
            num_labels=len(self._labels),
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
        return model, told

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
