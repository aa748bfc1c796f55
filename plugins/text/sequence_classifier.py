"""A plain text encoder with transformers' own classification head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..hookspecs import Loading
from ..networks.answers import predict_code
from ..networks.classifier import Kind
from .tokens import LONGEST, Tokens

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


{predict}"""

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
        predict=predict_code(loading.options, "texts"),
        length=int(loading.inputs["max_length"]),
    )


def tokens(base: Path, config: Any) -> Tokens:
    """Return how texts are read: cut at what the model has positions for, and at 512 tokens."""
    return Tokens(base, min(getattr(config, "max_position_embeddings", None) or LONGEST, LONGEST))


SEQUENCES = Kind("AutoModelForSequenceClassification", "SEQ_CLS", tokens, texts=True)
