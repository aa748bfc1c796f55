"""A picture classifier of transformers' own, and the code that loads one without hubtl."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from ..hookspecs import Loading
from ..networks.answers import predict_code
from .pictures import read_picture

SNIPPET = """\
import torch
{peft}from transformers import AutoImageProcessor, AutoModelForImageClassification

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}

processor = AutoImageProcessor.from_pretrained(adapter, backend="pil")
{model}

{read}

@torch.inference_mode()
def logits(paths):
    found = []
    for start in range(0, len(paths), 32):
        pictures = [read_picture(path) for path in paths[start : start + 32]]
        found.append(model(**processor(pictures, return_tensors="pt")).logits)
    return torch.cat(found)


{predict}"""
ADAPTED = """\
model = AutoModelForImageClassification.from_pretrained(
    base, revision=base_revision, num_labels=num_labels, dtype=torch.float32,
    ignore_mismatched_sizes=True,
)
model = PeftModel.from_pretrained(model, adapter).eval()
"""
WHOLE = """\
model = AutoModelForImageClassification.from_pretrained(
    adapter, num_labels=num_labels, dtype=torch.float32,
).eval()
"""
WAY = "`AutoModelForImageClassification.from_pretrained(adapter, num_labels=…)`, {where}"
WAY_CODE = """\
import torch
from transformers import AutoImageProcessor, AutoModelForImageClassification

processor = AutoImageProcessor.from_pretrained({address!r})
model = AutoModelForImageClassification.from_pretrained(
    {address!r}, num_labels={classes}, dtype=torch.float32, ignore_mismatched_sizes=True,
).eval()

{read}

@torch.inference_mode()
def logits(paths):
    pictures = [read_picture(path) for path in paths]
    return model(**processor(pictures, return_tensors="pt")).logits
"""


def is_whole(folder: Path) -> bool:
    """Return whether a saved folder holds a whole model."""
    return not (folder / "adapter_config.json").is_file()


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers, peft and Pillow."""
    whole = is_whole(folder)
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        model=WHOLE if whole else ADAPTED,
        read=inspect.getsource(read_picture),
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        labels=list(loading.labels),
        classes=len(loading.labels),
        predict=predict_code(loading.options),
    )


def other_ways(folder: Path, loading: Loading) -> Mapping[str, str]:
    """Return how transformers' own class may load a saved folder."""
    where = "as it stands" if is_whole(folder) else "at whatever the base's `main` is"
    code = WAY_CODE.format(
        address=loading.address,
        classes=len(loading.labels),
        read=inspect.getsource(read_picture),
    )
    return {WAY.format(where=where): code}
