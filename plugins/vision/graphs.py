"""Picture classifiers as graphs, from pixels to logits."""

from __future__ import annotations

import inspect
from pathlib import Path

from ..export import Graph
from ..hookspecs import Loading
from ..networks import classifier, graphs
from ..networks.answers import predict_code
from .pictures import read_picture
from .pixels import FILES, shape_in

CODE = """\
import numpy
import onnxruntime
from transformers import AutoImageProcessor

labels = {labels!r}

processor = AutoImageProcessor.from_pretrained(".", backend="pil")
{session}

{read}

def logits(paths):
    found = []
    for start in range(0, len(paths), 32):
        pictures = [read_picture(path) for path in paths[start : start + 32]]
        pixels = processor(pictures, return_tensors="np")["pixel_values"]
        found.append(session.run(["logits"], {{"pixel_values": pixels.astype("float32")}})[0])
    return numpy.concatenate(found)


{predict}"""


def graph(auto: str, folder: Path, loading: Loading) -> Graph:
    """Return the network in a whole folder, by transformers' class."""
    import torch

    model, run = classifier.function(auto, folder, len(loading.labels))
    return Graph(
        model,
        run,
        {"pixel_values": torch.zeros(2, *shape_in(folder))},
        {"pixel_values": (0,)},
        ("logits",),
        FILES,
        CODE.format(
            labels=list(loading.labels),
            session=graphs.SESSION,
            read=inspect.getsource(read_picture),
            predict=predict_code(loading.options),
        ),
    )
