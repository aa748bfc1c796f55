"""Text classifiers as graphs, from token ids and their mask to logits."""

from __future__ import annotations

from pathlib import Path

from ..export import Graph
from ..hookspecs import Loading
from ..networks import classifier, graphs
from ..networks.answers import predict_code
from . import sentence_encoder
from .sequence_classifier import SEQUENCES
from .tokens import FILES

NAMES = ("input_ids", "attention_mask")
CODE = """\
import numpy
import onnxruntime
from transformers import AutoTokenizer

labels = {labels!r}

tokenizer = AutoTokenizer.from_pretrained(".")
{session}

def logits(texts):
    found = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(texts[start : start + 32], padding=True, truncation=True,
                          max_length={length}, return_tensors="np")
        given = {{name: batch[name] for name in {names!r}}}
        found.append(session.run(["logits"], given)[0])
    return numpy.concatenate(found)


{predict}"""


def graph(folder: Path, loading: Loading) -> Graph:
    """Return the network in a whole folder, of either kind."""
    import torch

    if (folder / "modules.json").is_file():
        model, run = sentence_encoder.function(folder)
    else:
        model, run = classifier.function(SEQUENCES.auto, folder, len(loading.labels))
    ids = torch.ones(2, 8, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0  # without padding the mask would be left out
    return Graph(
        model,
        run,
        dict(zip(NAMES, (ids, mask), strict=True)),
        dict.fromkeys(NAMES, (0, 1)),
        ("logits",),
        FILES,
        CODE.format(
            labels=list(loading.labels),
            predict=predict_code(loading.options, "texts"),
            length=int(loading.inputs["max_length"]),
            names=NAMES,
            session=graphs.SESSION,
        ),
    )
