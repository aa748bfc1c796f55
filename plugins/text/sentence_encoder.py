"""A sentence encoder with a new head: mean pooling as the base was trained with, then one Dense.

It is saved as a sentence-transformers folder whose Transformer is a PEFT adapter, so that
sentence-transformers loads it, and so do transformers and peft with ten lines of pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.network import choose_device
from ..export import Saved
from ..hookspecs import Loading
from ..networks import files, merging
from ..networks.adapted import NOTHING, Adapted
from ..networks.answers import predict_code
from ..networks.seen import UNCHANGED
from .tokens import LONGEST, Tokens

if TYPE_CHECKING:
    from torch import Tensor, nn

POOLING = "sentence_transformers.models.Pooling"
NORMALIZE = "sentence_transformers.models.Normalize"
DENSE = "sentence_transformers.models.Dense"
MEAN, FIRST = "mean", "cls"  # as sentence-transformers names them
SNIPPET = """\
import torch
{hub}{peft}from safetensors.torch import load_file
from transformers import {kind}, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}

folder = {fetched}
tokenizer = AutoTokenizer.from_pretrained(folder)
{body}head = load_file(f"{{folder}}/{dense}/model.safetensors")
assert len(head["linear.bias"]) == num_labels


@torch.inference_mode()
def logits(texts):
    found = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(texts[start : start + 32], padding=True, truncation=True,
                          max_length={length}, return_tensors="pt")
        tokens = body(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        pooled = (tokens * mask).sum(1) / mask.sum(1)
{normalize}        found.append(pooled @ head["linear.weight"].T + head["linear.bias"])
    return torch.cat(found)


{predict}"""
ADAPTED = """\
body = {kind}.from_pretrained(base, revision=base_revision, dtype=torch.float32)
body = PeftModel.from_pretrained(body, folder).eval()
"""
WHOLE = """\
body = {kind}.from_pretrained(folder, dtype=torch.float32).eval()
"""
KEPT = UNCHANGED.format(name="linear.")
WAY = "`SentenceTransformer(adapter).encode(texts)`, at whatever the base's `main` is"
WAY_CODE = """\
from sentence_transformers import SentenceTransformer

model = SentenceTransformer({address!r}, device="cpu")


def logits(texts):
    return model.encode(texts, convert_to_tensor=True)
"""


def is_sentence_encoder(base: Path) -> bool:
    """Return whether a base was trained to be pooled by the mean of its tokens."""
    return pooling_of(base) == MEAN


def pooling_of(base: Path) -> str:
    """Return how a base was trained to be pooled, MEAN or FIRST; empty where in no such way."""
    pooling = files.read_json(base / "1_Pooling" / "config.json")
    modes = tuple(
        key for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True
    )
    known = {("pooling_mode_mean_tokens",): MEAN, ("pooling_mode_cls_token",): FIRST}
    named = str(pooling.get("pooling_mode", ""))
    return named if named in (MEAN, FIRST) else known.get(modes, "")


def loaded_by(folder: Path, loading: Loading) -> dict[str, Any]:
    """Return what a card's code has to know to load a saved body, and to cut texts."""
    whole, kind = not (folder / "adapter_config.json").is_file(), body_class(folder)
    return {
        "peft": "" if whole else "from peft import PeftModel\n",
        "kind": kind,
        "body": (WHOLE if whole else ADAPTED).format(kind=kind),
        "base": loading.base,
        "revision": loading.base_revision,
        **files.from_hub(loading.address),
        "address": loading.address,
        "length": int(loading.inputs["max_length"]),
    }


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers and peft alone."""
    kinds = {each["type"] for each in files.read_json(folder / "modules.json")}
    scale = "        pooled = torch.nn.functional.normalize(pooled, dim=1)\n"
    return SNIPPET.format(
        **loaded_by(folder, loading),
        labels=list(loading.labels),
        predict=predict_code(loading.options, "texts"),
        classes=len(loading.labels),
        dense="3_Dense" if NORMALIZE in kinds else "2_Dense",
        normalize=scale if NORMALIZE in kinds else "",
    )


def merge(saved: Saved, out: Path) -> None:
    """Write a saved adapter as a whole model, in the same sentence-transformers form."""
    merging.write_whole(saved, out, _load)


def function(folder: Path) -> tuple[nn.Module, Callable[[Mapping[str, Tensor]], Tensor]]:
    """Return the model in a whole folder, and how it and its head make logits of tokens."""
    from safetensors.torch import load_file

    body, scaled = _load(folder), _scales(folder)
    head = load_file(folder / _dense(scaled) / "model.safetensors")

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        pooled = _pooled(body(**inputs).last_hidden_state, inputs["attention_mask"], scaled)
        return pooled @ head["linear.weight"].T + head["linear.bias"]

    return body, run


class SentenceEncoder(Adapted):
    """A mean-pooled encoder and a linear head, for one set of labels.

    `told` goes into its configuration.
    """

    reads_texts = True
    how = "the mean over tokens{scaled}, as the base was trained"
    pools_by = MEAN

    def __init__(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        told: Mapping[str, str] = NOTHING,
    ) -> None:
        self._labels, self._told = list(labels), told
        self.normalizes = _scales(base)
        self._tokens = self._read(base)
        self.device = choose_device(device)
        body = _load(base).to(self.device)
        super().__init__(base, entry, body, lambda: _load(base), "FEATURE_EXTRACTION")
        self.head = self._new_head(int(body.config.hidden_size)).to(self.device)

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it at its own, and how texts are cut."""
        about = f"{self.pools_by}, {self._tokens.identity}"
        return f"{self._named} {about}"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the tokens of each text, after truncation."""
        return self._tokens.sizes(inputs)

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return padded token ids and their mask."""
        return self._tokens.batch(inputs, self.device)

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the same as `collate`: texts are cheap to read."""
        return self._tokens.outline(inputs, self.device)

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return the texts themselves."""
        return self._tokens.contents(inputs)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what each text's tokens are pooled to, [rows, width]."""
        tokens = self.body(**batch).last_hidden_state
        return _pooled(tokens, batch["attention_mask"], self.normalizes, self.pools_by)

    def save(self, folder: Path) -> None:
        """Write a sentence-transformers folder: adapter or model, pooling, (scaling), the head."""
        self.save_body(folder)
        self._write_pooling(folder)
        kinds = [("", "sentence_transformers.models.Transformer"), ("1_Pooling", POOLING)]
        if self.normalizes:
            kinds.append(("2_Normalize", NORMALIZE))
        kinds += self._write_head(folder, _dense(self.normalizes))
        modules = [
            {"idx": number, "name": str(number), "path": each, "type": kind}
            for number, (each, kind) in enumerate(kinds)
        ]
        files.write_json(folder / "modules.json", modules)

    def save_body(self, folder: Path) -> None:
        """Write what is beside a head of any form: adapter or model, tokenizer, configuration."""
        self._write_weights(folder)
        self._tokens.save(folder)
        files.write_config(self._base, folder, self._labels, **self._told)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how texts are cut and pooled, and how many of these were cut."""
        scaled = ", scaled to length one" if self.normalizes else ""
        return self._tokens.describe(inputs, self.how.format(scaled=scaled))

    def _write_head(self, folder: Path, path: str) -> Sequence[tuple[str, str]]:
        """Write a Dense, and return where and what it is, as a list of modules has it."""
        from safetensors.torch import save_file

        dense = {
            "in_features": self.head.in_features,
            "out_features": self.head.out_features,
            "bias": True,
            "activation_function": "torch.nn.modules.linear.Identity",
        }
        files.write_json(folder / path / "config.json", dense)
        weights = {
            "linear.weight": self.head.weight.detach().cpu().contiguous(),
            "linear.bias": self.head.bias.detach().cpu().contiguous(),
        }
        save_file(weights, folder / path / "model.safetensors", {"format": "pt"})
        (folder / path / "model.safetensors").chmod(0o644)
        return [(path, DENSE)]

    def _new_head(self, width: int) -> nn.Linear:
        """Return a head of as many logits as there are labels."""
        from torch.nn import Linear

        return Linear(width, len(self._labels))

    def _read(self, base: Path) -> Tokens:
        """Return how texts are read."""
        told = files.read_json(base / "sentence_bert_config.json").get("max_seq_length")
        return Tokens(base, told or LONGEST)

    def _write_pooling(self, folder: Path) -> None:
        """Write how tokens become one vector, and how long texts may be, as the base does."""
        names = ("sentence_bert_config.json", "config_sentence_transformers.json")
        (folder / "1_Pooling").mkdir()
        files.copy_those((*names, "1_Pooling/config.json"), self._base, folder)


def _scales(folder: Path) -> bool:
    """Return whether a base, or what was made of it, scales its pooled vectors to length one."""
    modules = files.read_json(folder / "modules.json")
    return any(each["type"].endswith(".Normalize") for each in modules)


def _dense(scaled: bool) -> str:
    return "3_Dense" if scaled else "2_Dense"


def _pooled(tokens: Tensor, mask: Tensor, scaled: bool, way: str = MEAN) -> Tensor:
    """Return the mean over each text's tokens, or the first, scaled to length one or not."""
    import torch

    weights = mask.unsqueeze(-1)
    pooled = (tokens * weights).sum(1) / weights.sum(1) if way == MEAN else tokens[:, 0]
    return torch.nn.functional.normalize(pooled, dim=1) if scaled else pooled


def body_class(folder: Path) -> str:
    """Return the class that gives the encoder alone, which of a T5 is not all of the model."""
    from transformers.models.auto import modeling_auto as known

    family = files.read_json(folder / "config.json")["model_type"]
    whole = known.MODEL_MAPPING_NAMES.get(family)
    encoder = known.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES.get(family, whole)
    return "AutoModel" if encoder == whole else "AutoModelForTextEncoding"


def _load(base: Path) -> Any:
    import torch
    import transformers

    model = getattr(transformers, body_class(base)).from_pretrained(
        base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    model.config.use_cache = False  # what a decoder keeps to write on is not needed to read
    return model
