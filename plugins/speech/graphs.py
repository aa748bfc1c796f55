"""Sound classifiers as graphs, from a window of sound to logits and how many frames it has.

The head is linear, so a clip's logits are the mean of its windows', each by its number of frames. A
window goes through at its own length, as on every card: there is no padding, and so no mask.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..export import Graph
from ..hookspecs import Loading
from ..networks import files, graphs
from ..networks.answers import predict_code
from .card import HEAD, PROCESSOR
from .clips import read_clip
from .speech_encoder import open_encoder

if TYPE_CHECKING:
    from torch import Tensor

SECONDS = (0.5, 0.8)  # of noise to try the network on
CODE = """\
import numpy
import onnxruntime
from transformers import AutoFeatureExtractor

labels = {labels!r}
rate, window, trim = {rate}, {window}, {trim}

extractor = AutoFeatureExtractor.from_pretrained(".")
{session}

{read}

def heard(clip):
{prepare}
    found, frames = session.run(["logits", "frames"], {{"sound": sound.astype("float32")}})
    return found[0], frames


def logits(paths):
    found = []
    for path in paths:
        clip = read_clip(path, rate, trim)
        starts = range(0, len(clip) - rate // 10 + 1, window)
        parts, frames = zip(*(heard(clip[at : at + window]) for at in starts))
        found.append(numpy.average(parts, axis=0, weights=frames))
    return numpy.stack(found)


{predict}"""
WHISPER = """\
    whole = numpy.pad(clip, (0, -len(clip) % {hop}))
    made = extractor(whole, sampling_rate=rate, padding="longest", return_tensors="np")
    sound = made["input_features"]"""
OTHER = """\
    sound = extractor(clip, sampling_rate=rate, return_tensors="np")["input_values"]"""


def graph(folder: Path, loading: Loading) -> Graph:
    """Return the encoder and the head in a whole folder."""
    import numpy
    import torch
    from safetensors.torch import load_file

    encoder = open_encoder(folder)
    head = load_file(folder / HEAD)

    def run(inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        states = encoder.heard(inputs["sound"])
        frames = torch.ones_like(states[0, :, 0]).sum()  # a number that follows the window's length
        return states.mean(1) @ head["weight"].T + head["bias"], frames

    dice = numpy.random.default_rng(0)
    short, long = (
        encoder.sound([dice.normal(0, 0.1, int(s * encoder.rate)).astype("float32")] * 2)
        for s in SECONDS
    )
    sized = [axis for axis in range(1, short.dim()) if short.shape[axis] != long.shape[axis]]
    return Graph(
        encoder.body,
        run,
        {"sound": long},
        {"sound": (0, *sized)},
        ("logits", "frames"),
        (PROCESSOR,),
        CODE.format(
            labels=list(loading.labels),
            rate=int(loading.inputs["rate"]),
            window=int(loading.inputs["window"]),
            trim=bool(loading.inputs["trim"]),
            session=graphs.SESSION,
            read=inspect.getsource(read_clip),
            prepare=_prepare(folder),
            predict=predict_code(loading.options),
        ),
    )


def _prepare(folder: Path) -> str:
    """Return the lines that make a window what the network hears."""
    if files.read_json(folder / "config.json").get("model_type") != "whisper":
        return OTHER
    return WHISPER.format(hop=2 * int(files.read_json(folder / PROCESSOR)["hop_length"]))
